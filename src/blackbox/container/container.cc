// Version 1, numbers little-endian:
//
//     0    "MSFPRNT" | '1'
//     8    1   flags: bit 0: encrypted to the public check key; bit 1: of triggers, else of pairs
//     9    32  the vendor's public key, Ed25519
//     41   8   made, seconds since 1970
//     49   8   good until, seconds since 1970; 0: for ever
//     57   32  salt
//     89   8   n, bytes of the box
//     97   n   box: under HKDF(check secret, salt, "modelseal/1 fingerprint"), authenticated with bytes 0
//              to 96; in it: 8 bytes of the payload | the payload, a raw deflate stream
//     97+n 64  signature of the vendor over "modelseal/1 fingerprint", 0x00 and all before
//
// Version 2, the digit '2', is the same with a vendor's key on P-256: it has 33 bytes, and the rest is
// one byte further.

#include "blackbox/container/container.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include "blackbox/container/payload.h"
#include "crypto/hash.h"
#include "crypto/sealed_box.h"
#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "io/file_kind.h"
#include "io/rfc3339.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

using Bytes = std::vector<std::byte>;
using View = std::span<const std::byte>;

constexpr std::string_view kMagic = "MSFPRNT";
constexpr std::string_view kDomain = "modelseal/1 fingerprint";
constexpr std::uint8_t kForEverybody = 1, kOfTriggers = 2;
constexpr std::size_t kKeyAt = 9;
constexpr std::uint64_t kMostFile = kMostPayload + (64u << 20);

constexpr std::size_t header_bytes(KeyType type) {
    return kKeyAt + PublicKey::size_of(type) + 8 + 8 + 32 + 8;
}

struct Header {
    std::uint8_t flags = 0;
    PublicKey vendor;
    std::uint64_t created = 0, expires = 0;
    crypto::Salt salt{};
    std::uint64_t box_bytes = 0;
    std::size_t size() const { return header_bytes(vendor.type()); }
    FingerprintMethod method() const {
        return (flags & kOfTriggers) != 0 ? FingerprintMethod::generator : FingerprintMethod::pairs;
    }
};

// A file whose signature holds.
struct Opened {
    Header header;
    Bytes bytes;
    View open() const { return View(bytes).first(header.size()); }
    View box() const { return View(bytes).subspan(header.size(), static_cast<std::size_t>(header.box_bytes)); }
    std::string id() const { return to_hex(crypto::Sha256().update(bytes).finish()); }
};

Bytes encode(const Header& header) {
    return formats::ByteWriter()
        .raw(std::as_bytes(std::span(kMagic)))
        .number(crypto::version_digit(header.vendor.type()))
        .number(header.flags)
        .raw(header.vendor.bytes())
        .number(header.created)
        .number(header.expires)
        .raw(header.salt)
        .number(header.box_bytes)
        .take();
}

Result<Bytes> squeeze(View payload) {
    constexpr int kLevel = 6;
    const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
        libdeflate_alloc_compressor(kLevel), libdeflate_free_compressor);
    if (!compressor) throw std::bad_alloc();
    auto plain = formats::ByteWriter().number(std::uint64_t{payload.size()}).take();
    const auto front = plain.size();
    plain.resize(front + libdeflate_deflate_compress_bound(compressor.get(), payload.size()));
    const auto size = libdeflate_deflate_compress(compressor.get(), payload.data(), payload.size(),
                                                  plain.data() + front, plain.size() - front);
    plain.resize(front + size);
    return plain;
}

Result<Bytes> unsqueeze(View plain, const std::string& name) {
    formats::ByteReader reader(plain);
    const auto size = reader.number<std::uint64_t>();
    const auto broken = [&] {
        return Error{
            ErrorKind::malformed, fmt::format("{}: the encrypted content does not decompress", name), {}};
    };
    if (!reader.ok() || size > kMostPayload) return broken();
    const auto packed = plain.subspan(reader.position());
    // Deflate makes at most 1,032 bytes of one: a size beyond that is not believed.
    if (size / 1032 > packed.size()) return broken();
    const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    if (!decompressor) throw std::bad_alloc();
    Bytes payload(size + 1);  // one more: never a null pointer
    std::size_t read = 0;
    const auto outcome = libdeflate_deflate_decompress_ex(decompressor.get(), packed.data(), packed.size(),
                                                          payload.data(), size, &read, nullptr);
    if (outcome != LIBDEFLATE_SUCCESS || read != packed.size()) return broken();
    payload.pop_back();
    return payload;
}

Result<Header> decode_header(const Source& source) {
    const auto& name = source.name();
    const auto malformed = [&](std::string_view what) { return util::malformed(name, what); };
    std::byte raw[header_bytes(KeyType::p256)];
    const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), sizeof raw));
    MODELSEAL_TRY(source.read(0, std::span(raw).first(there)));
    if (!looks_like_fingerprint(source)) return io::mistaken("fingerprint", source);
    const auto type = crypto::type_of_digit(std::to_integer<std::uint8_t>(raw[kMagic.size()]));
    if (!type) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: unknown version of the fingerprint; 1 and 2 are supported", name),
                     "a newer modelseal may read it"};
    }
    if (there < header_bytes(*type)) return malformed("the fingerprint ends early");
    formats::ByteReader reader(View(raw).subspan(kMagic.size() + 1));
    Header header;
    header.flags = reader.number<std::uint8_t>();
    const auto vendor = PublicKey::of(reader.raw(PublicKey::size_of(*type)));
    if (!vendor) return malformed("the vendor's key in the fingerprint is not a point on P-256");
    header.vendor = *vendor;
    header.created = reader.number<std::uint64_t>();
    header.expires = reader.number<std::uint64_t>();
    reader.fill(header.salt);
    header.box_bytes = reader.number<std::uint64_t>();
    const auto behind = source.size() - header.size();
    if (behind < sizeof(SignatureBytes) || behind - sizeof(SignatureBytes) < header.box_bytes) {
        return malformed("the fingerprint ends early");
    }
    if (behind - sizeof(SignatureBytes) > header.box_bytes)
        return malformed("unexplained bytes after the fingerprint");
    if (source.size() > kMostFile) return malformed("larger than a fingerprint can be");
    return header;
}

// Reads and verifies, under the key that the file names.
Result<Opened> open(const Source& source) {
    Opened opened;
    MODELSEAL_TRY_ASSIGN(opened.header, decode_header(source));
    opened.bytes.resize(static_cast<std::size_t>(source.size()));
    MODELSEAL_TRY(source.read(0, opened.bytes));
    SignatureBytes signature;
    const auto before = View(opened.bytes).first(opened.bytes.size() - signature.size());
    std::ranges::copy(View(opened.bytes).last(signature.size()), signature.begin());
    const auto& header = opened.header;
    if (!std::ranges::equal(encode(header), opened.open()) ||
        !header.vendor.verify(crypto::message_to_sign(kDomain, before), signature)) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: changed or forged: the vendor's signature is not valid", source.name()),
                     "ask the vendor for the fingerprint again"};
    }
    // Signed, but not allowed by its version.
    if ((header.flags & ~(kForEverybody | kOfTriggers)) != 0 || header.created > io::kLastSecond ||
        header.expires > io::kLastSecond) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: the header does not fit its version", source.name()), {}};
    }
    return opened;
}

Error wrong_key(const std::string& name, const Header& header, const CheckKey& check) {
    const bool open = (header.flags & kForEverybody) != 0;
    return {ErrorKind::mismatch,
            open ? fmt::format("{}: made for everybody, not for a customer's check key", name)
                 : fmt::format("{}: made for the check key of {}", name,
                               check.customer.empty() ? "a customer" : "another customer"),
            open ? "give the vendor's public key" : "give the check key that it was made for",
            open ? Remedy::give_public_key : Remedy::give_check_key};
}

Result<std::uint64_t> seconds_of(const std::string& text, const char* what) {
    const auto seconds = io::parse_rfc3339(text);
    if (!seconds || *seconds == 0) {
        return Error{
            ErrorKind::usage,
            fmt::format("{} is not a time such as 2026-11-21T00:00:00Z: '{}'", what, util::printable(text)),
            {}};
    }
    return static_cast<std::uint64_t>(*seconds);
}

std::string time_of(std::uint64_t seconds) {
    return seconds == 0 ? std::string() : io::rfc3339(static_cast<std::int64_t>(seconds));
}

}  // namespace

Result<Encoded> encode(const Fingerprint& fingerprint, const SigningKey& vendor, const CheckKey& check) {
    if (check.vendor != vendor.public_key()) {
        return Error{ErrorKind::mismatch, "the check key is bound to another vendor's key", {}};
    }
    const bool triggers = fingerprint.method() == FingerprintMethod::generator;
    Header header{.flags = static_cast<std::uint8_t>((check.customer.empty() ? kForEverybody : 0) |
                                                     (triggers ? kOfTriggers : 0)),
                  .vendor = check.vendor,
                  .salt = crypto::random_salt()};
    MODELSEAL_TRY_ASSIGN(header.created, seconds_of(fingerprint.created, "time of creation"));
    if (!fingerprint.expires.empty()) {
        MODELSEAL_TRY_ASSIGN(header.expires, seconds_of(fingerprint.expires, "end of validity"));
    }
    MODELSEAL_TRY_ASSIGN(const auto payload, encode_payload(fingerprint));
    MODELSEAL_TRY_ASSIGN(const auto plain, squeeze(payload));
    header.box_bytes = plain.size() + crypto::kBoxOverhead;
    auto bytes = encode(header);
    const auto box = crypto::seal_box(check.secret, header.salt, kDomain, bytes, plain);
    bytes.insert(bytes.end(), box.begin(), box.end());
    MODELSEAL_TRY_ASSIGN(const auto signature, vendor.sign(crypto::message_to_sign(kDomain, bytes)));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    auto id = to_hex(crypto::Sha256().update(bytes).finish());
    return Encoded{std::move(bytes), std::move(id)};
}

Result<Fingerprint> load(const Source& source, const CheckKey& check, std::int64_t now) {
    MODELSEAL_TRY_ASSIGN(const auto opened, open(source));
    const auto& header = opened.header;
    const auto& name = source.name();
    if (header.vendor != check.vendor) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: made by another vendor, with key {}", name, to_hex(header.vendor.id())),
                     {}};
    }
    if (((header.flags & kForEverybody) != 0) != check.customer.empty()) return wrong_key(name, header, check);
    if (header.expires != 0 && now > static_cast<std::int64_t>(header.expires)) {
        return Error{ErrorKind::mismatch, fmt::format("{}: expired on {}", name, time_of(header.expires)),
                     "ask the vendor for a new fingerprint"};
    }
    const auto plain = crypto::open_box(check.secret, header.salt, kDomain, opened.open(), opened.box());
    if (!plain) return wrong_key(name, header, check);
    MODELSEAL_TRY_ASSIGN(const auto payload, unsqueeze(*plain, name));
    MODELSEAL_TRY_ASSIGN(auto fingerprint, decode_payload(payload, name));
    if (fingerprint.customer != check.customer) {
        return Error{ErrorKind::malformed, fmt::format("{}: its customer is not that of the key", name), {}};
    }
    if (fingerprint.method() != header.method()) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: its queries are not of the kind in its header", name), {}};
    }
    fingerprint.created = time_of(header.created);
    fingerprint.expires = time_of(header.expires);
    return fingerprint;
}

Result<Shown> show(const Source& source) {
    MODELSEAL_TRY_ASSIGN(const auto opened, open(source));
    return Shown{.id = opened.id(),
                 .vendor_key = to_hex(opened.header.vendor.id()),
                 .created = time_of(opened.header.created),
                 .expires = time_of(opened.header.expires),
                 .for_everybody = (opened.header.flags & kForEverybody) != 0,
                 .method = opened.header.method()};
}

bool looks_like_fingerprint(const Source& source) {
    return crypto::has_magic(source, kMagic);
}

}  // namespace modelseal::blackbox
