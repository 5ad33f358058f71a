// What a fingerprint file encrypts: a safetensors file, the facts as its metadata; modelseal-fingerprint(5)
// lists them.
//
// The times are not in it: the container's header has them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace modelseal::fingerprint {

inline constexpr std::uint64_t kMostPayload = 512u << 20;  // bytes before compression

// ErrorKind::internal for a fingerprint that is not well-formed, `unsupported` for one of more bytes than that.
Result<std::vector<std::byte>> encode_payload(const Fingerprint& fingerprint);

// Of hostile bytes. Errors name `name`: `malformed`; `unsupported` for facts of a later version.
Result<Fingerprint> decode_payload(std::span<const std::byte> bytes, const std::string& name);

}  // namespace modelseal::fingerprint
