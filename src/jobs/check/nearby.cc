#include "jobs/check/nearby.h"

#include <system_error>

#include <fmt/format.h>

#include "oms/verify.h"
#include "util/text.h"

namespace modelseal::jobs {

namespace fs = std::filesystem;

namespace {

bool is_file(const fs::path& path) {
    std::error_code failed;
    return fs::is_regular_file(path, failed);
}

// The path with a name at its end.
fs::path named(const fs::path& given) {
    std::error_code failed;
    auto model = given.lexically_normal();
    if (!model.has_filename()) model = model.parent_path();  // "folder/"
    if (model.empty() || model == "." || model.filename() == "..") {
        model = fs::canonical(given, failed);  // its name is where it leads
    }
    return model;
}

}  // namespace

fs::path usual_signature_of(const fs::path& given) {
    std::error_code failed;
    const auto model = named(given);
    if (fs::is_directory(model, failed) && is_file(model / "model.sig")) return model / "model.sig";
    return model.parent_path() / (model.filename().string() + ".sig");
}

std::optional<fs::path> signature_next_to(const fs::path& given) {
    if (auto usual = usual_signature_of(given); is_file(usual)) return usual;
    const auto model = named(given);
    const auto shared = model.parent_path() / "model.sig";
    if (shared == model || !is_file(shared)) return std::nullopt;
    const auto claim = oms::claim_of(shared);
    return claim && claim->subject == model.filename().string() ? std::optional(shared) : std::nullopt;
}

std::string no_signature_next_to(const fs::path& given) {
    const std::string none = "no signature found next to it";
    const auto shared = named(given).parent_path() / "model.sig";
    const auto claim = is_file(shared) ? oms::claim_of(shared) : std::nullopt;
    return claim ? fmt::format("{}; the {} there is of another model, '{}'", none, shared.filename().string(),
                               util::printable(claim->subject))
                 : none;
}

Result<void> refuse_signature_of_others(const fs::path& signature, const fs::path& model,
                                        const PublicKey& signer) {
    if (!is_file(signature)) return {};
    const auto claim = oms::claim_of(signature);
    if (!claim) return {};
    const auto refuse = [&](const std::string& what) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: is a signature {}, and is not replaced",
                                 util::printable(signature.string()), what),
                     "give another path for the signature, or move this one first", Remedy::choose_signature};
    };
    if (claim->subject != named(model).filename().string())
        return refuse(fmt::format("of another model, '{}'", util::printable(claim->subject)));
    if (!claim->key_id.empty() && claim->key_id != to_hex(signer.id()))
        return refuse(fmt::format("by another key, {}", util::printable(claim->key_id)));
    return {};
}

}  // namespace modelseal::jobs
