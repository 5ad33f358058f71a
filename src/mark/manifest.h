// The manifest: what the cells hold together, in at least two copies. Everything up to the signature is signed;
// the check values after it only help to place a change, and are computed anew when a seal is checked.
//
//   u32 length of the manifest | u8 version: 1 or 2
//   u8 flags: 1 parent, 2 directory, 4 whole folder, 8 list of files; in version 2 also 16 grids, 32 not all cells
//   u8 rate step | u8 carrier class
//   u32 tensors | u32 files | u16 stamp length | stamp
//   32 frame digest | 32 weights root | 8 vendor hash
//   [32 parent root]
//   bitmap of the tensors in the common table, ceil(tensors / 8)
//   [grids: two bits a tensor, ceil(tensors / 4)]
//   [u32 cells | bitmap of those that carry, ceil(cells / 8)]
//   [u32 length | directory: names, types and shapes, deflated]
//   [u32 length | list of files: their paths, deflated]
//   4 check value of each file's frame
//   64 signature, Ed25519 or ECDSA on P-256, as the vendor's key is
//   3 (in version 1: 4) check value of each block of the tensors in the common table
// Numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "formats/bytes.h"
#include "mark/block_map.h"
#include "model/folder_rule.h"
#include <modelseal/keys.h>
#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal::mark {

using CheckValue = std::uint32_t;                      // first bytes of a digest, little-endian
CheckValue check_value(const crypto::Digest& digest);  // of a file's frame: four
// Of a block: three; in version 1 four.
CheckValue check_value(const crypto::Digest& block, Version version);
constexpr std::size_t check_bytes(Version version) {
    return version == Version::one ? 4 : 3;
}
void write_check(formats::ByteWriter& writer, CheckValue value, Version version);
CheckValue read_check(formats::ByteReader& reader, Version version);

// Facts about the model that the vendor signs: names and values in order, UTF-8.
using Stamp = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::size_t kMaxStampBytes = 4096;  // encoded
// ErrorKind::usage for empty, repeated or overlong names, and for more than kMaxStampBytes.
Result<std::vector<std::byte>> encode_stamp(const Stamp& stamp);
std::optional<Stamp> decode_stamp(std::span<const std::byte> bytes);

// First 8 bytes of SHA-256 over the bytes of the vendor's public key. It is the format's own; people see
// PublicKey::id().
using VendorHash = std::array<std::byte, 8>;
VendorHash vendor_hash(const PublicKey& vendor);

struct SignedPart {
    Version version = Version::two;
    CellDensity density;
    std::uint32_t tensors = 0;
    Stamp stamp;
    crypto::Digest frame{};
    crypto::Digest weights{};
    VendorHash vendor{};
    std::optional<crypto::Digest> parent;
    std::vector<bool> in_common_table;  // one a tensor
    CellUse use;
    std::vector<std::byte> directory;                     // encoded, may be empty
    model::FolderRule rule = model::FolderRule::by_name;  // of a folder's files; nothing to a single file
    std::vector<std::byte> file_list;                     // encoded, may be empty
    std::vector<CheckValue> file_checks;                  // of each file's frame
};

struct Manifest {
    SignedPart signed_part;
    SignatureBytes signature{};
    std::vector<CheckValue> common;  // of the tensors in the common table, block by block
};

// The signed bytes, without the domain that precedes them in the signature. `common`: how many check values
// follow it.
std::vector<std::byte> encode_signed(const SignedPart& part, std::size_t common);
std::vector<std::byte> encode(const Manifest& manifest);
// The manifest that begins `bytes`; nothing if it is not one, whole and in its only spelling.
std::optional<Manifest> decode(std::span<const std::byte> bytes);

Result<SignatureBytes> sign(const SigningKey& key, const SignedPart& part, std::size_t common);
bool verify(const PublicKey& key, const Manifest& manifest);
// Root of a seal: SHA-256 over the signed bytes. Names the sealed model; children name it as their parent.
crypto::Digest root(const Manifest& manifest);

struct DirectoryEntry {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::uint64_t> shape;
};
inline bool same_kind(const DirectoryEntry& entry, const Tensor& tensor) {
    return entry.dtype == tensor.dtype && entry.shape == tensor.shape;
}
std::vector<std::byte> encode_directory(std::span<const Tensor> tensors);
// Nothing unless it names exactly `tensors`. Only for a directory whose signature was verified: it may be
// deflated a thousandfold.
std::optional<std::vector<DirectoryEntry>> decode_directory(std::span<const std::byte> bytes,
                                                            std::size_t tensors);

std::vector<std::byte> encode_file_list(std::span<const std::string> paths);
// Nothing unless it names exactly `files`, each once. Only for a list whose signature was verified.
std::optional<std::vector<std::string>> decode_file_list(std::span<const std::byte> bytes, std::size_t files);

}  // namespace modelseal::mark
