// manifest.json of a challenge, schema modelseal-challenge/1.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "blackbox/fingerprint.h"
#include "crypto/sealed_box.h"
#include <modelseal/keys.h>

namespace modelseal::blackbox {

inline constexpr const char* kChallengeManifest = "manifest.json";

struct ChallengeManifest {
    std::size_t count = 0;
    crypto::Salt salt{};
    std::string tag;
};

// `format`: "png" or "npy". `id`: of the fingerprint file.
std::string challenge_manifest(const Fingerprint& fingerprint, const std::string& id, const std::string& format,
                               const ChallengeManifest& manifest);

// The fields that reading the answers needs. `malformed` if one is missing.
Result<ChallengeManifest> load_challenge_manifest(const std::filesystem::path& file);

// The inputs of a fingerprint as a folder of files in shuffled order, for answers that are made elsewhere, and
// the way back.
//
// The order follows from the check key and a random salt in the manifest, so that the folder does not show
// which input belongs to which pair, or on which side it is. The order of rows here is that of
// Method::queries().

// Of all queries. `unsupported` above one gigabyte.
Result<std::vector<float>> all_inputs(const Fingerprint& fingerprint);
std::size_t count_inputs(const Fingerprint& fingerprint);

// order[i] is the row of the i-th file.
std::vector<std::size_t> shuffled_order(std::size_t count, const CheckKey& key, const crypto::Salt& salt);

// Distinguishes challenges of different fingerprints: 16 hexadecimal digits, which reveal nothing without the
// key.
std::string challenge_tag(std::span<const float> inputs, const CheckKey& key, const crypto::Salt& salt);

// Gray levels of `pixels`, or nullopt if one of them is not float32(low + unit * level) of an integer level
// from 0 to 255.
std::optional<std::vector<std::uint8_t>> grey_levels(const Fingerprint& fingerprint,
                                                     std::span<const float> pixels);

// The answers in `folder`, a challenge to which responses were added: rows in the order of all_inputs().
// Errors: those of oracle::read_responses(); `mismatch` if the challenge is of another fingerprint or key.
Result<oracle::Answers> answers_of_responses(const Fingerprint& fingerprint, const CheckKey& key,
                                             const std::filesystem::path& folder);

}  // namespace modelseal::blackbox
