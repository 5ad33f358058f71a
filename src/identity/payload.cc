#include "identity/payload.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "io/rfc3339.h"
#include "util/text.h"

namespace modelseal::identity {
namespace {

constexpr std::string_view kPayloadMagic = "MSI", kPayloadDomain = "modelseal/1 identity";
constexpr std::size_t kShortNumber = 5, kSignedBytes = kPayloadBytes - sizeof(SignatureBytes);
constexpr std::uint64_t kMostShortNumber = (1ull << (8 * kShortNumber)) - 1;

std::size_t place_of(std::size_t bit, std::size_t samples) {
    return bit * samples / kPayloadBits;  // no overflow: pictures have at most 2^26 samples
}

void put_short(formats::ByteWriter& writer, std::uint64_t number) {
    const auto bytes = formats::ByteWriter().number(number).take();
    writer.raw(std::span(bytes).first(kShortNumber));
}

std::uint64_t next_short(formats::ByteReader& reader) {
    std::uint64_t number = 0;
    const auto bytes = reader.raw(kShortNumber);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        number |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return number;
}

std::vector<std::byte> signed_part(const Payload& payload) {
    formats::ByteWriter writer;
    writer.raw(std::as_bytes(std::span(kPayloadMagic))).number(crypto::version_digit(payload.key_type));
    writer.raw(payload.vendor).raw(payload.mark).raw(payload.serial);
    put_short(writer, payload.expires);
    put_short(writer, payload.change);
    return writer.take();
}

crypto::Digest digest_of_cover(const io::Picture& picture) {
    const auto cover = without_payload(picture);
    crypto::Sha256 hash;
    hash.update_number(cover.width).update_number(cover.height).update_number(cover.channels);
    return hash.update(std::as_bytes(std::span(cover.samples))).finish();
}

std::vector<std::byte> message_of(const Payload& payload, const io::Picture& picture) {
    auto body = signed_part(payload);
    const auto digest = digest_of_cover(picture);
    body.insert(body.end(), digest.begin(), digest.end());
    return crypto::message_to_sign(kPayloadDomain, body);
}

}  // namespace

std::optional<Payload> extract_payload(const io::Picture& picture) {
    const auto samples = picture.samples.size();
    if (samples < kPayloadBits || samples > io::kMostSamples) return std::nullopt;
    std::array<std::byte, kPayloadBytes> bytes{};
    for (std::size_t bit = 0; bit < kPayloadBits; ++bit) {
        const auto carried = static_cast<std::byte>(picture.samples[place_of(bit, samples)] & 1u);
        bytes[bit / 8] |= carried << (bit % 8);
    }
    formats::ByteReader reader(bytes);
    const auto magic = reader.raw(kPayloadMagic.size());
    if (!std::ranges::equal(magic, std::as_bytes(std::span(kPayloadMagic)))) return std::nullopt;
    const auto type = crypto::type_of_digit(reader.number<std::uint8_t>());
    if (!type) return std::nullopt;
    Payload payload{.key_type = *type};
    reader.fill(payload.vendor);
    reader.fill(payload.mark);
    reader.fill(payload.serial);
    payload.expires = next_short(reader);
    payload.change = next_short(reader);
    reader.fill(payload.signature);
    return payload;
}

bool holds(const Payload& payload, const io::Picture& picture, const PublicKey& vendor) {
    if (picture.samples.size() < kPayloadBits || payload.key_type != vendor.type() ||
        payload.vendor != hint_of(vendor)) {
        return false;
    }
    return vendor.verify(message_of(payload, picture), payload.signature);
}

Result<void> embed_payload(Payload payload, const SigningKey& vendor, io::Picture& picture,
                           const std::string& name) {
    const auto samples = picture.samples.size();
    if (samples < kPayloadBits) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: has {}, and an identity needs {} (28 x 28 gray pixels)", name,
                                 util::counted(samples, "sample"), kPayloadBits),
                     "mark a model whose inputs are larger"};
    }
    if (payload.change > kMostShortNumber || payload.expires > static_cast<std::uint64_t>(io::kLastSecond)) {
        return Error{ErrorKind::usage, name + ": the expiry date or the number of changes has no room", {}};
    }
    MODELSEAL_TRY(must_serve(vendor.public_key(), KeyUse::seals, "the vendor's key"));
    payload.key_type = vendor.public_key().type();
    payload.vendor = hint_of(vendor.public_key());
    MODELSEAL_TRY_ASSIGN(payload.signature, vendor.sign(message_of(payload, picture)));
    const auto bytes = formats::ByteWriter().raw(signed_part(payload)).raw(payload.signature).take();
    static_assert(kSignedBytes == 34);
    for (std::size_t bit = 0; bit < kPayloadBits; ++bit) {
        auto& sample = picture.samples[place_of(bit, samples)];
        const auto carried = std::to_integer<unsigned>(bytes[bit / 8] >> (bit % 8)) & 1u;
        sample = static_cast<std::uint8_t>((sample & 0xFEu) | carried);
    }
    return {};
}

io::Picture without_payload(io::Picture picture) {
    const auto samples = picture.samples.size();
    for (std::size_t bit = 0; bit < kPayloadBits; ++bit) picture.samples[place_of(bit, samples)] &= 0xFE;
    return picture;
}

VendorHint hint_of(const PublicKey& vendor) {
    const auto id = vendor.id();
    VendorHint hint;
    std::copy_n(id.begin(), hint.size(), hint.begin());
    return hint;
}

}  // namespace modelseal::identity
