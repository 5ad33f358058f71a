#include "jobs/check_signature.h"

#include <new>

#include "oms/verify.h"

namespace modelseal::jobs {

namespace fs = std::filesystem;

std::optional<fs::path> signature_next_to(const fs::path& given) {
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

Result<SignatureFinding> check_signature(const fs::path& model, const VerifyOptions& options,
                                         const oms::SharedFiles* shared) {
    try {
        return oms::verify(model, options, shared);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, model.string() + ": not enough memory to verify its signature", {}};
    }
}

}  // namespace modelseal::jobs
