// The identity in an identity image: a statement signed by the vendor, in the least significant bits of a picture.
//
// Numbers little-endian, 98 bytes, which is one bit for each sample of 28 x 28 gray pixels:
//
//     0   "MSI" | '1' for a vendor's key of Ed25519, '2' of P-256
//     4   4   first bytes of the id of the vendor's key
//     8   8   id of the mark
//     16  8   serial of the identity, random
//     24  5   good until, seconds since 1970; 0: for ever
//     29  5   number of the ledger's change that issued it
//     34  64  signature over "modelseal/1 identity", 0x00, bytes 0 to 33, and SHA-256 of the cover
//
//     cover   8 width | 8 height | 8 channels | all samples, with the bits that carry set to 0
//
// Bit i of the payload (bit i % 8 of byte i / 8) is the lowest bit of sample floor(i * samples / 784), so that a
// reader needs no key to find it. The cover has every bit that does not carry: a payload holds for one picture
// alone, and for the exact samples of it.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/png.h"
#include <modelseal/keys.h>

namespace modelseal::identity {

inline constexpr std::size_t kPayloadBytes = 98, kPayloadBits = 8 * kPayloadBytes;

using MarkId = std::array<std::byte, 8>;
using Serial = std::array<std::byte, 8>;
using VendorHint = std::array<std::byte, 4>;

struct Payload {
    KeyType key_type = KeyType::ed25519;
    VendorHint vendor{};
    MarkId mark{};
    Serial serial{};
    std::uint64_t expires = 0;  // seconds since 1970; 0: never
    std::uint64_t change = 0;
    SignatureBytes signature{};
};

// Any picture of enough samples: the payload it carries; nullopt if it carries none, which is decided by the
// magic alone. Nothing is verified.
std::optional<Payload> extract_payload(const io::Picture& picture);

// Whether `vendor` signed this payload for exactly this picture. A key of another vendor never holds.
bool holds(const Payload& payload, const io::Picture& picture, const PublicKey& vendor);

// Completes `payload` with vendor and signature, and puts it into the picture. ErrorKind::usage for a picture of
// fewer samples than kPayloadBits, and for numbers that have no room; `name` is for messages.
Result<void> embed_payload(Payload payload, const SigningKey& vendor, io::Picture& picture,
                           const std::string& name);

// With the bits that carry set to 0. Precondition: as extract_payload() takes.
io::Picture without_payload(io::Picture picture);

VendorHint hint_of(const PublicKey& vendor);

}  // namespace modelseal::identity
