// Who is registered, as those who verify see it: from a ledger, or from the registry file that the vendor signed.
//
// The file, numbers little-endian:
//
//     0    "MSREGIS" | '1' for a vendor's key of Ed25519, '2' of P-256
//     8    1   flags: bit 0: with key images
//     9    32  the vendor's public key; 33 bytes on P-256, and the rest is one byte further
//     41   32  name of the ledger
//     73   8   number of the ledger's state
//     81   8   made, seconds since 1970
//     89   8   next: another registry is made by then, seconds since 1970
//     97   8   n, bytes of the body
//     105  n   body
//     105+n 64 signature of the vendor over "modelseal/1 identity registry", 0x00 and all before
//
//     body      u32 number of marks | mark ... | u32 number of identities | identity ...
//     mark      8 id | u8 finished | u64 made | text model | 32 digest | u32 class | input (mark.h)
//               | u32 number of key images | (u32 bytes | PNG) ...
//     identity  8 serial | u32 index of the mark | text user | u64 issued | u64 expires | u64 revoked
//     text      u16 bytes | UTF-8
//
// Number and dates have the meaning of a CRL's cRLNumber, thisUpdate and nextUpdate (RFC 5280, sections 5.2.3,
// 5.1.2.4 and 5.1.2.5).
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/ledger.h>

namespace modelseal::identity {

inline constexpr std::uint64_t kMostRegistry = 256u << 20;  // bytes of a file
inline constexpr std::uint32_t kMostMarks = 4096, kMostIdentities = 1u << 20;

struct Registry {
    std::string name;  // of the file, for messages
    PublicKey vendor;
    std::string ledger;                   // hex, 32 bytes
    std::optional<std::uint64_t> number;  // absent: a ledger that was opened without its key
    std::int64_t made = 0, next = 0;      // seconds since 1970; 0: a ledger, which is always up to date
    bool with_key_images = true;
    std::vector<IdentityMark> marks;
    std::vector<IssuedIdentity> identities;  // serial, user, mark and times; the rest is not in the file
};

Registry registry_of(IdentityRecords records, const PublicKey& vendor, std::string name);

// Precondition: has a number and dates. `usage` for one that has no room in the format.
Result<std::vector<std::byte>> encode_registry(const Registry& registry, const SigningKey& vendor);

// Verified under the key that the file names, which the caller has to compare with the one that is expected.
// Errors: `malformed`, `unsupported` (a later version), `mismatch` (changed or forged).
Result<Registry> load_registry(const Source& source);
bool looks_like_registry(const Source& source);

// The body alone, for the fuzz target.
Result<void> decode_body(std::span<const std::byte> body, bool with_key_images, Registry& registry);

// ErrorKind::unsupported for a registry whose next date has passed.
Result<void> must_be_current(const Registry& registry, std::int64_t now);

}  // namespace modelseal::identity
