#include "jobs/receipt.h"

#include <fmt/format.h>

#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "formats/reader.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::string_view kMagic = "MSRECPT";  // and a digit for the type of the key
constexpr std::string_view kReceiptDomain = "modelseal/1 receipt";
constexpr std::uint64_t kMaxReceiptBytes = std::uint64_t{1} << 32;

}  // namespace

Result<std::vector<std::byte>> encode(const Receipt& receipt, const SigningKey& vendor) {
    formats::ByteWriter writer;
    writer.raw(std::as_bytes(std::span(kMagic))).number(crypto::version_digit(receipt.check.vendor.type()));
    writer.number(static_cast<std::uint8_t>(receipt.scheme));
    writer.raw(receipt.check.vendor.bytes()).raw(receipt.check.secret.bytes());
    writer.number(static_cast<std::uint8_t>(receipt.check.customer.size()));
    writer.raw(std::as_bytes(std::span(receipt.check.customer))).raw(receipt.root);
    writer.number(static_cast<std::uint8_t>(receipt.density.carrier_class))
        .number(static_cast<std::uint8_t>(receipt.density.rate_step));
    writer.number(static_cast<std::uint32_t>(receipt.cells.size()));
    for (const auto& cell : receipt.cells) {
        writer.number(cell.tensor)
            .number(cell.block)
            .number(static_cast<std::uint16_t>(cell.bits.size()))
            .raw(cell.bits);
    }
    auto bytes = writer.take();
    MODELSEAL_TRY_ASSIGN(const auto signature, vendor.sign(crypto::message_to_sign(kReceiptDomain, bytes)));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return bytes;
}

Result<Receipt> decode_receipt(std::span<const std::byte> bytes, const std::string& name) {
    const auto malformed = [&](const char* what) { return util::malformed(name, what); };
    const auto magic = std::as_bytes(std::span(kMagic));
    if (bytes.size() < magic.size() || !std::ranges::equal(bytes.first(magic.size()), magic)) {
        return io::mistaken("receipt", formats::MemorySource(name, bytes));
    }
    if (bytes.size() < magic.size() + 1 + sizeof(SignatureBytes)) {
        return malformed("the receipt ends early");
    }
    const auto body = bytes.first(bytes.size() - sizeof(SignatureBytes));
    SignatureBytes signature;
    std::ranges::copy(bytes.last(sizeof(SignatureBytes)), signature.begin());
    formats::ByteReader reader(body.subspan(magic.size()));
    const auto type = crypto::type_of_digit(reader.number<std::uint8_t>());
    if (!type) {
        return Error{ErrorKind::unsupported, fmt::format("{}: unknown version of the receipt", name),
                     "a newer modelseal may read it"};
    }
    Receipt receipt;
    if (reader.number<std::uint8_t>() != static_cast<std::uint8_t>(Scheme::modelseal)) {
        return malformed("unknown scheme of the receipt");
    }
    const auto vendor = PublicKey::of(reader.raw(PublicKey::size_of(*type)));
    receipt.check.vendor = vendor.value_or(PublicKey());
    if (!vendor || !receipt.check.vendor.verify(crypto::message_to_sign(kReceiptDomain, body), signature)) {
        return malformed("the receipt was truncated or changed: its signature is not valid");
    }
    const auto secret = reader.raw(32);
    if (!reader.ok()) return malformed("the receipt ends early");
    receipt.check.secret = Secret32(secret.first<32>());
    const auto customer = reader.raw(reader.number<std::uint8_t>());
    receipt.check.customer.assign(reinterpret_cast<const char*>(customer.data()), customer.size());
    reader.fill(receipt.root);
    receipt.density.carrier_class = reader.number<std::uint8_t>();
    receipt.density.rate_step = reader.number<std::uint8_t>();
    const auto count = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
        mark::OverwrittenCell cell;
        cell.tensor = reader.number<std::uint32_t>();
        cell.block = reader.number<std::uint64_t>();
        const auto bits = reader.raw(reader.number<std::uint16_t>());
        cell.bits.assign(bits.begin(), bits.end());
        receipt.cells.push_back(std::move(cell));
    }
    if (!reader.ok() || reader.left() != 0 || receipt.density.carrier_class >= mark::kClasses ||
        receipt.density.rate_step > mark::kRateSteps) {
        return malformed("the fields of the receipt contradict each other");
    }
    return receipt;
}

Result<Receipt> load_receipt(const std::filesystem::path& path) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(path, kMaxReceiptBytes, "receipt"));
    return decode_receipt(std::as_bytes(std::span(text)), util::printable(path.string()));
}

bool looks_like_receipt(const Source& source) {
    return crypto::has_magic(source, kMagic);
}

}  // namespace modelseal::jobs
