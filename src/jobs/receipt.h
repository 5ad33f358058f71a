// The receipt of a seal: the bits it overwrote, and the check secret under which it finds them again.
//
//   "MSRECPT1" | u8 scheme | 32 vendor public key, Ed25519 | 32 check secret | u8 length, customer | 32 root
//   u8 carrier class | u8 rate step | u32 count
//   count times: u32 tensor (in name order) | u64 block | u16 length | carrier bits of the cell, before
//   64 signature of the vendor over "modelseal/1 receipt", 0x00 and all before
// Where the vendor's key is on P-256 it begins "MSRECPT2", and the key has 33 bytes.
// Numbers are little-endian. A receipt is as secret as a check key.
#pragma once

#include <filesystem>
#include <vector>

#include "mark/sealing/embed.h"
#include <modelseal/keys.h>
#include <modelseal/seal.h>

namespace modelseal::jobs {

struct Receipt {
    Scheme scheme = Scheme::modelseal;
    CheckKey check;
    crypto::Digest root{};
    mark::CellDensity density;
    std::vector<mark::OverwrittenCell> cells;
};

Result<std::vector<std::byte>> encode(const Receipt& receipt, const SigningKey& vendor);
// ErrorKind::malformed, with `name` of the file.
Result<Receipt> decode_receipt(std::span<const std::byte> bytes, const std::string& name);
Result<Receipt> load_receipt(const std::filesystem::path& path);
bool looks_like_receipt(const Source& source);

}  // namespace modelseal::jobs
