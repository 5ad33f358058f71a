// The encrypted part of a fingerprint file: a safetensors file with the facts as its metadata;
// modelseal-fingerprint(5) lists them.
//
// The times are not in it: the container's header has them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

inline constexpr std::uint64_t kMostPayload = 512u << 20;  // bytes before compression

// ErrorKind::internal for a fingerprint that is not well-formed, `unsupported` for one of more bytes than that.
Result<std::vector<std::byte>> encode_payload(const Fingerprint& fingerprint);

// Parses hostile bytes. Errors name `name`: `malformed`; `unsupported` for facts of a later version.
Result<Fingerprint> decode_payload(std::span<const std::byte> bytes, const std::string& name);

// Rules for every fingerprint, whatever made it.

inline constexpr std::size_t kMostPairs = 10'000;       // of a rung
inline constexpr std::size_t kMostClasses = 1u << 20;   // as many as the largest vocabularies
inline constexpr std::size_t kMostElements = 1u << 26;  // of one input
inline constexpr std::size_t kMostBatch = 1u << 20;
inline constexpr std::size_t kMostText = 1024;  // bytes of a name

// Empty if the fingerprint is well-formed, else the violation: "rung fp32: pair 3: member 0 has a margin of
// 0.1, the floor is 0.3".
std::string complaint(const Fingerprint& fingerprint);

}  // namespace modelseal::blackbox
