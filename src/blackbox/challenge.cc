#include "blackbox/challenge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blackbox/method.h"
#include "crypto/hash.h"
#include "crypto/keystream.h"
#include "formats/json.h"
#include "formats/reader.h"
#include "io/file.h"
#include "oracle/protocols/responses.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::blackbox {
namespace {

constexpr const char* kSchema = "modelseal-challenge/1";
constexpr std::uint64_t kMostBytes = 1u << 20;

bool read_salt(const std::string& text, crypto::Salt& salt) {
    const auto bytes = util::from_hex(text);
    if (!bytes || bytes->size() != salt.size()) return false;
    std::ranges::copy(*bytes, salt.begin());
    return true;
}

}  // namespace

std::string challenge_manifest(const Fingerprint& fingerprint, const std::string& id, const std::string& format,
                               const ChallengeManifest& manifest) {
    nlohmann::ordered_json out;
    out["schema"] = kSchema;
    out["fingerprint"] = id;
    out["count"] = manifest.count;
    out["format"] = format;
    out["shape"] = fingerprint.input.shape.shape;
    out["range"] = {fingerprint.input.low, fingerprint.input.high};
    out["mean"] = fingerprint.input.mean;
    out["std"] = fingerprint.input.std;
    out["access"] = name_of(fingerprint.access);
    out["classes"] = fingerprint.classes;
    out["salt"] = to_hex(manifest.salt);
    out["tag"] = manifest.tag;
    return out.dump(2, ' ', true) + "\n";
}

Result<ChallengeManifest> load_challenge_manifest(const std::filesystem::path& file) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, kMostBytes));
    const formats::MemorySource source(util::printable(file.string()), std::as_bytes(std::span(text)));
    MODELSEAL_TRY_ASSIGN(const auto document, formats::parse_json(source, 0, text, "manifest", 8));
    const auto malformed = [&](const char* what) { return formats::malformed_at(source, 0, what); };
    if (!document.is_object() || document.value("schema", nlohmann::json()) != kSchema) {
        return malformed("not the manifest of a challenge (schema modelseal-challenge/1)");
    }
    const auto count = document.find("count"), salt = document.find("salt"), tag = document.find("tag");
    ChallengeManifest manifest;
    const bool whole = count != document.end() && count->is_number_unsigned() && salt != document.end() &&
                       salt->is_string() && tag != document.end() && tag->is_string() &&
                       read_salt(salt->get_ref<const std::string&>(), manifest.salt);
    if (!whole) return malformed("count, salt or tag is missing in the manifest");
    manifest.count = count->get<std::size_t>();
    manifest.tag = tag->get<std::string>();
    return manifest;
}

namespace {

constexpr std::string_view kOrderLabel = "modelseal/1 challenge order";
constexpr std::string_view kTagLabel = "modelseal/1 challenge tag";
constexpr std::uint64_t kMostChallenge = std::uint64_t{1} << 28;  // elements

Secret32 derived(const CheckKey& key, const crypto::Salt& salt, std::string_view label) {
    Secret32 out;
    crypto::hkdf_sha256(key.secret.bytes(), salt, label, out.writable());
    return out;
}

}  // namespace

std::size_t count_inputs(const Fingerprint& fingerprint) {
    return method_of(fingerprint).queries(fingerprint).size();
}

Result<std::vector<float>> all_inputs(const Fingerprint& fingerprint) {
    const auto count = count_inputs(fingerprint), elements = fingerprint.input.shape.elements();
    if (count > kMostChallenge / elements) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{} of {} exceed the size of a challenge", util::counted(count, "input"),
                                 util::counted(elements, "element")),
                     "make a fingerprint with fewer queries"};
    }
    return inputs_of(fingerprint, 0, count);
}

std::vector<std::size_t> shuffled_order(std::size_t count, const CheckKey& key, const crypto::Salt& salt) {
    const auto secret = derived(key, salt, kOrderLabel);
    crypto::Keystream stream(secret.bytes(), 0);
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    stream.shuffle(std::span(order));
    return order;
}

std::string challenge_tag(std::span<const float> inputs, const CheckKey& key, const crypto::Salt& salt) {
    const auto secret = derived(key, salt, kTagLabel);
    const auto digest = crypto::Sha256().update(std::as_bytes(inputs)).finish();
    return to_hex(crypto::hmac_tag(secret.bytes(), {digest}));
}

std::optional<std::vector<std::uint8_t>> grey_levels(const Fingerprint& fingerprint,
                                                     std::span<const float> pixels) {
    std::vector<std::uint8_t> levels;
    levels.reserve(pixels.size());
    const double low = fingerprint.input.low;
    for (const float pixel : pixels) {
        const double level = std::round((double{pixel} - low) / fingerprint.unit);
        if (!(level >= 0 && level <= 255)) return std::nullopt;
        if (static_cast<float>(low + fingerprint.unit * level) != pixel) return std::nullopt;
        levels.push_back(static_cast<std::uint8_t>(level));
    }
    return levels;
}

Result<oracle::Answers> answers_of_responses(const Fingerprint& fingerprint, const CheckKey& key,
                                             const std::filesystem::path& folder) {
    MODELSEAL_TRY_ASSIGN(const auto manifest, load_challenge_manifest(folder / kChallengeManifest));
    MODELSEAL_TRY_ASSIGN(const auto inputs, all_inputs(fingerprint));
    const auto count = count_inputs(fingerprint);
    if (manifest.count != count || manifest.tag != challenge_tag(inputs, key, manifest.salt)) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: the challenge is for another fingerprint, or was made with another key",
                                 util::printable(folder.string())),
                     "give the fingerprint that the challenge was made from"};
    }
    MODELSEAL_TRY_ASSIGN(const auto given, oracle::read_responses(folder, count, fingerprint.classes));
    const auto order = shuffled_order(count, key, manifest.salt);
    auto answers = given;
    const auto classes = static_cast<std::ptrdiff_t>(given.classes);
    for (std::size_t i = 0; i < count; ++i) {
        if (!given.labels.empty()) {
            answers.labels[order[i]] = given.labels[i];
            continue;
        }
        const auto from = given.values.begin() + static_cast<std::ptrdiff_t>(i) * classes;
        std::copy(from, from + classes,
                  answers.values.begin() + static_cast<std::ptrdiff_t>(order[i]) * classes);
    }
    return answers;
}

}  // namespace modelseal::blackbox
