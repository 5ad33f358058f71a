#include "fingerprint/challenge_manifest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "formats/json.h"
#include "formats/reader.h"
#include "io/file.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::fingerprint {
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
        return malformed("not the manifest of a challenge, schema modelseal-challenge/1");
    }
    const auto count = document.find("count"), salt = document.find("salt"), tag = document.find("tag");
    ChallengeManifest manifest;
    const bool whole = count != document.end() && count->is_number_unsigned() && salt != document.end() &&
                       salt->is_string() && tag != document.end() && tag->is_string() &&
                       read_salt(salt->get_ref<const std::string&>(), manifest.salt);
    if (!whole) return malformed("a manifest without count, salt and tag");
    manifest.count = count->get<std::size_t>();
    manifest.tag = tag->get<std::string>();
    return manifest;
}

}  // namespace modelseal::fingerprint
