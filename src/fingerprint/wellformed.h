// The rules that every fingerprint keeps, whoever made it.
#pragma once

#include <string>

#include "fingerprint/fingerprint.h"

namespace modelseal::fingerprint {

inline constexpr std::size_t kMostPairs = 10'000;       // of a rung
inline constexpr std::size_t kMostClasses = 1u << 20;   // as many as the largest vocabularies
inline constexpr std::size_t kMostElements = 1u << 26;  // of one input
inline constexpr std::size_t kMostBatch = 1u << 20;
inline constexpr std::size_t kMostText = 1024;  // bytes of a name

// Empty, or what is wrong: "rung fp32: pair 3: member 0 has a margin of 0.1, the floor is 0.3".
std::string complaint(const Fingerprint& fingerprint);

}  // namespace modelseal::fingerprint
