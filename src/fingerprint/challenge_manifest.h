// manifest.json of a challenge, schema modelseal-challenge/1.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/sealed_box.h"
#include "fingerprint/fingerprint.h"

namespace modelseal::fingerprint {

inline constexpr const char* kChallengeManifest = "manifest.json";

struct ChallengeManifest {
    std::size_t count = 0;
    crypto::Salt salt{};
    std::string tag;
};

// `format`: "png" or "npy". `id`: of the fingerprint file.
std::string challenge_manifest(const Fingerprint& fingerprint, const std::string& id, const std::string& format,
                               const ChallengeManifest& manifest);

// Only what the way back needs. `malformed` if it is not there.
Result<ChallengeManifest> load_challenge_manifest(const std::filesystem::path& file);

}  // namespace modelseal::fingerprint
