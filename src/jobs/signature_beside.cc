#include "jobs/signature_beside.h"

#include <algorithm>

#include "crypto/ecdsa.h"
#include "oms/verify.h"

namespace modelseal::jobs {

namespace fs = std::filesystem;

std::optional<fs::path> signature_beside(const fs::path& given) {
    std::error_code failed;
    auto model = given.lexically_normal();
    if (!model.has_filename()) model = model.parent_path();  // "folder/"
    if (model.empty() || model == "." || model.filename() == "..") {
        model = fs::canonical(given, failed);  // its name is where it leads
    }
    const auto there = [&](const fs::path& path) { return fs::is_regular_file(path, failed); };
    if (fs::is_directory(model, failed) && there(model / "model.sig")) return model / "model.sig";
    const auto name = model.filename();
    if (auto own = model.parent_path() / (name.string() + ".sig"); there(own)) return own;
    const auto shared = model.parent_path() / "model.sig";
    if (shared == model || !there(shared)) return std::nullopt;
    const auto claim = oms::claim_of(shared);
    return claim && claim->subject == name.string() ? std::optional(shared) : std::nullopt;
}

std::vector<std::string> signers_among(const std::vector<std::string>& public_keys,
                                       std::span<const CheckKey> seal_keys, const fs::path& signature) {
    if (public_keys.empty()) return {};
    const auto claim = oms::claim_of(signature);
    std::vector<std::string> signers;
    for (const auto& file : public_keys) {
        const auto key = load_public_key(file);
        const bool seals =
            key.ok() && std::ranges::any_of(seal_keys, [&](const auto& each) { return each.vendor == *key; });
        const auto signer = crypto::load_ec_public_key(file);
        const bool asked_for = !claim || (claim->bare_key && signer.ok() &&
                                          (claim->key_hint.empty() || claim->key_hint == signer->hint()));
        if (!seals || asked_for) signers.push_back(file);
    }
    return signers;
}

}  // namespace modelseal::jobs
