#include "identity/registry.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "identity/mark.h"
#include "identity/payload.h"
#include "io/file_kind.h"
#include "io/rfc3339.h"
#include "util/encodings.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::identity {
namespace {

using Bytes = std::vector<std::byte>;
using View = std::span<const std::byte>;

constexpr std::string_view kRegistryMagic = "MSREGIS", kRegistryDomain = "modelseal/1 identity registry";
constexpr std::uint8_t kWithKeyImages = 1;
constexpr std::size_t kIdBytes = 8, kDigestBytes = 32, kMostTextBytes = 4096, kMostKeyImageBytes = 1u << 20;
constexpr std::size_t kMostKeyImagesOfMark = 4096;

struct Front {
    std::uint8_t flags = 0;
    PublicKey vendor;
    std::array<std::byte, kDigestBytes> ledger{};
    std::uint64_t number = 0, made = 0, next = 0, body_bytes = 0;
};

constexpr std::size_t front_bytes(KeyType type) {
    return kRegistryMagic.size() + 2 + PublicKey::size_of(type) + kDigestBytes + 4 * sizeof(std::uint64_t);
}

Bytes encode(const Front& front) {
    return formats::ByteWriter()
        .raw(std::as_bytes(std::span(kRegistryMagic)))
        .number(crypto::version_digit(front.vendor.type()))
        .number(front.flags)
        .raw(front.vendor.bytes())
        .raw(front.ledger)
        .number(front.number)
        .number(front.made)
        .number(front.next)
        .number(front.body_bytes)
        .take();
}

// A value that the format has no room for sets `fits` to false.
class BodyWriter {
  public:
    bool fits() const { return fits_; }
    Bytes take() { return writer_.take(); }

    void mark(const IdentityMark& mark, bool with_key_images) {
        hex(mark.id, kIdBytes);
        writer_.number(std::uint8_t{mark.finished});
        time(mark.made);
        text(mark.model);
        hex(mark.digest, kDigestBytes);
        writer_.number(mark.extra_class).raw(encode_input(mark));
        count(with_key_images ? mark.key_images.size() : 0);
        if (!with_key_images) return;
        for (const auto& image : mark.key_images) {
            count(image.size());
            writer_.raw(image);
        }
    }

    void identity(const IssuedIdentity& identity, std::uint32_t mark) {
        hex(identity.serial, kIdBytes);
        writer_.number(mark);
        text(identity.user);
        time(identity.issued);
        time(identity.expires);
        time(identity.revoked);
    }

    void count(std::size_t number) {
        fits_ = fits_ && number <= kMostRegistry;
        writer_.number(static_cast<std::uint32_t>(number));
    }

  private:
    void hex(const std::string& digits, std::size_t bytes) {
        const auto value = util::from_hex(digits);
        fits_ = fits_ && value && value->size() == bytes;
        if (fits_) writer_.raw(*value);
    }
    void text(const std::string& text) {
        fits_ = fits_ && text.size() <= kMostTextBytes;
        writer_.number(static_cast<std::uint16_t>(text.size())).raw(std::as_bytes(std::span(text)));
    }
    void time(const std::string& text) {
        const auto seconds = text.empty() ? std::optional<std::int64_t>(0) : io::parse_rfc3339(text);
        fits_ = fits_ && seconds;
        writer_.number(static_cast<std::uint64_t>(seconds.value_or(0)));
    }
    formats::ByteWriter writer_;
    bool fits_ = true;
};

// The first complaint sticks; values read after it mean nothing.
class BodyReader {
  public:
    explicit BodyReader(View body) : reader_(body) {}

    std::string hex(std::size_t bytes) { return to_hex(reader_.raw(bytes)); }

    std::string text(std::size_t least) {
        const auto size = reader_.number<std::uint16_t>();
        const auto bytes = reader_.raw(size);
        std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (size > kMostTextBytes || size < least || util::printable(text) != text)
            complain("a name that is empty, too long or not printable text");
        return text;
    }

    std::string time() {
        const auto seconds = reader_.number<std::uint64_t>();
        if (seconds > static_cast<std::uint64_t>(io::kLastSecond)) {
            complain("a time after the year 9999");
            return {};
        }
        return seconds == 0 ? std::string() : io::rfc3339(static_cast<std::int64_t>(seconds));
    }

    // Compared with what is left before anything is allocated for them.
    std::uint32_t count(std::uint32_t most, std::size_t bytes_of_each, const char* what) {
        const auto number = reader_.number<std::uint32_t>();
        if (number <= most && number <= reader_.left() / bytes_of_each) return number;
        complain(what);
        return 0;
    }

    Bytes image() {
        const auto size = reader_.number<std::uint32_t>();
        if (size > kMostKeyImageBytes) complain("a key image that is too large");
        const auto bytes = reader_.raw(size);
        return {bytes.begin(), bytes.end()};
    }

    formats::ByteReader& reader() { return reader_; }
    bool ok() const { return reader_.ok() && complaint_.empty(); }
    void complain(std::string what) {
        if (complaint_.empty() && reader_.ok()) complaint_ = std::move(what);
        reader_.fail();
    }
    std::string complaint() const { return complaint_.empty() ? "it ends early" : complaint_; }

  private:
    formats::ByteReader reader_;
    std::string complaint_;
};

IdentityMark next_mark(BodyReader& body, bool with_key_images) {
    IdentityMark mark{.id = body.hex(kIdBytes), .model = {}, .output = {}, .digest = {}, .shape = {}};
    const auto finished = body.reader().number<std::uint8_t>();
    if (finished > 1) body.complain("a mark whose state is unknown");
    mark.finished = finished == 1;
    mark.made = body.time();
    mark.model = body.text(0);
    mark.digest = body.hex(kDigestBytes);
    mark.extra_class = body.reader().number<std::uint32_t>();
    if (decode_input(body.reader(), mark)) {
        if (const auto wrong = complaint(mark); !wrong.empty()) body.complain("a mark with " + wrong);
    }
    const auto images =
        body.count(kMostKeyImagesOfMark, sizeof(std::uint32_t), "more key images than it has bytes");
    if (!with_key_images && images != 0) body.complain("key images, which it says it has not");
    for (std::uint32_t i = 0; i < images && body.ok(); ++i) mark.key_images.push_back(body.image());
    return mark;
}

IssuedIdentity next_identity(BodyReader& body, const std::vector<IdentityMark>& marks) {
    IssuedIdentity identity{.serial = body.hex(kIdBytes), .user = {}, .mark = {}, .issued = {}, .expires = {}};
    const auto mark = body.reader().number<std::uint32_t>();
    if (mark < marks.size()) {
        identity.mark = marks[mark].id;
    } else {
        body.complain("an identity of a mark that it has not");
    }
    identity.user = body.text(1);
    identity.issued = body.time();
    identity.expires = body.time();
    identity.revoked = body.time();
    identity.finished = true;
    return identity;
}

Error malformed_registry(const std::string& name, const std::string& what) {
    return util::malformed(name, "the registry has " + what);
}

Result<Front> decode_front(const Source& source) {
    const auto& name = source.name();
    Bytes raw(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), front_bytes(KeyType::p256))));
    MODELSEAL_TRY(source.read(0, raw));
    if (!looks_like_registry(source)) return io::mistaken("registry of identities", source);
    const auto type = crypto::type_of_digit(std::to_integer<std::uint8_t>(raw[kRegistryMagic.size()]));
    if (!type) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: unknown version of the registry; 1 and 2 are supported", name),
                     "a newer modelseal may read it"};
    }
    if (raw.size() < front_bytes(*type)) return util::malformed(name, "the registry ends early");
    formats::ByteReader reader(View(raw).subspan(kRegistryMagic.size() + 1));
    Front front{.flags = reader.number<std::uint8_t>()};
    const auto vendor = PublicKey::of(reader.raw(PublicKey::size_of(*type)));
    if (!vendor) return util::malformed(name, "the vendor's key in the registry is not a point on P-256");
    front.vendor = *vendor;
    reader.fill(front.ledger);
    front.number = reader.number<std::uint64_t>();
    front.made = reader.number<std::uint64_t>();
    front.next = reader.number<std::uint64_t>();
    front.body_bytes = reader.number<std::uint64_t>();
    const auto rest = source.size() - front_bytes(*type);
    if (rest < sizeof(SignatureBytes) || rest - sizeof(SignatureBytes) < front.body_bytes)
        return util::malformed(name, "the registry ends early");
    if (rest - sizeof(SignatureBytes) > front.body_bytes)
        return util::malformed(name, "unexplained bytes after the registry");
    if (source.size() > kMostRegistry) return util::malformed(name, "larger than a registry can be");
    return front;
}

}  // namespace

Registry registry_of(IdentityRecords records, const PublicKey& vendor, std::string name) {
    return {.name = std::move(name),
            .vendor = vendor,
            .ledger = std::move(records.ledger),
            .number = records.changes,
            .marks = std::move(records.marks),
            .identities = std::move(records.identities)};
}

Result<std::vector<std::byte>> encode_registry(const Registry& registry, const SigningKey& vendor) {
    MODELSEAL_TRY(must_serve(vendor.public_key(), KeyUse::seals, "the vendor's key"));
    BodyWriter body;
    std::map<std::string, std::uint32_t> marks;
    body.count(registry.marks.size());
    for (const auto& mark : registry.marks) {
        marks.emplace(mark.id, static_cast<std::uint32_t>(marks.size()));
        body.mark(mark, registry.with_key_images);
    }
    body.count(registry.identities.size());
    bool known = true;
    for (const auto& identity : registry.identities) {
        const auto mark = marks.find(identity.mark);
        known = known && mark != marks.end();
        body.identity(identity, mark == marks.end() ? 0 : mark->second);
    }
    const bool fits = body.fits() && known && registry.number &&
                      registry.identities.size() <= kMostIdentities && registry.marks.size() <= kMostMarks;
    const auto packed = body.take();
    const auto ledger = util::from_hex(registry.ledger);
    if (!fits || packed.size() > kMostRegistry - 1024 || !ledger || ledger->size() != kDigestBytes)
        return Error{ErrorKind::usage, registry.name + ": has too much for a registry", {}};
    Front front{.flags = registry.with_key_images ? kWithKeyImages : std::uint8_t{0},
                .vendor = vendor.public_key(),
                .number = *registry.number,
                .made = static_cast<std::uint64_t>(registry.made),
                .next = static_cast<std::uint64_t>(registry.next),
                .body_bytes = packed.size()};
    std::ranges::copy(*ledger, front.ledger.begin());
    auto bytes = encode(front);
    bytes.insert(bytes.end(), packed.begin(), packed.end());
    MODELSEAL_TRY_ASSIGN(const auto signature, vendor.sign(crypto::message_to_sign(kRegistryDomain, bytes)));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return bytes;
}

Result<void> decode_body(std::span<const std::byte> bytes, bool with_key_images, Registry& registry) {
    BodyReader body(bytes);
    // The least that a mark and an identity take.
    constexpr std::size_t kMark = kIdBytes + 9 + 2 + kDigestBytes + 4 + 11 + 4,
                          kIdentity = kIdBytes + 4 + 2 + 24;
    std::set<std::string> seen;
    const auto marks = body.count(kMostMarks, kMark, "more marks than it has bytes");
    for (std::uint32_t i = 0; i < marks && body.ok(); ++i) {
        registry.marks.push_back(next_mark(body, with_key_images));
        if (!seen.insert(registry.marks.back().id).second) body.complain("a mark twice");
    }
    seen.clear();
    const auto identities = body.count(kMostIdentities, kIdentity, "more identities than it has bytes");
    for (std::uint32_t i = 0; i < identities && body.ok(); ++i) {
        registry.identities.push_back(next_identity(body, registry.marks));
        registry.identities.back().number = i + 1;
        if (!seen.insert(registry.identities.back().serial).second) body.complain("a serial twice");
    }
    if (body.ok() && body.reader().left() != 0) body.complain("unexplained bytes after its last identity");
    if (!body.ok()) return malformed_registry(registry.name, body.complaint());
    return {};
}

Result<Registry> load_registry(const Source& source) {
    MODELSEAL_TRY_ASSIGN(const auto front, decode_front(source));
    Bytes bytes(static_cast<std::size_t>(source.size()));
    MODELSEAL_TRY(source.read(0, bytes));
    SignatureBytes signature;
    const auto before = View(bytes).first(bytes.size() - signature.size());
    std::ranges::copy(View(bytes).last(signature.size()), signature.begin());
    const auto head = encode(front);
    if (!std::ranges::equal(head, before.first(head.size())) ||
        !front.vendor.verify(crypto::message_to_sign(kRegistryDomain, before), signature)) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: changed or forged: the vendor's signature is not valid", source.name()),
                     "ask the vendor for the registry again"};
    }
    if ((front.flags & ~kWithKeyImages) != 0 || front.made > static_cast<std::uint64_t>(io::kLastSecond) ||
        front.next > static_cast<std::uint64_t>(io::kLastSecond) || front.next < front.made ||
        front.made == 0) {
        return util::malformed(source.name(), "the head of the registry does not fit its version");
    }
    Registry registry{.name = source.name(),
                      .vendor = front.vendor,
                      .ledger = to_hex(front.ledger),
                      .number = front.number,
                      .made = static_cast<std::int64_t>(front.made),
                      .next = static_cast<std::int64_t>(front.next),
                      .with_key_images = (front.flags & kWithKeyImages) != 0,
                      .marks = {},
                      .identities = {}};
    MODELSEAL_TRY(decode_body(before.subspan(head.size()), registry.with_key_images, registry));
    return registry;
}

bool looks_like_registry(const Source& source) {
    return crypto::has_magic(source, kRegistryMagic);
}

Result<void> must_be_current(const Registry& registry, std::int64_t now) {
    if (registry.next == 0 || now <= registry.next) return {};
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: out of date: made on {}, and another was due by {}", registry.name,
                             io::rfc3339(registry.made), io::rfc3339(registry.next)),
                 "ask the vendor for the present registry", Remedy::export_registry};
}

}  // namespace modelseal::identity
