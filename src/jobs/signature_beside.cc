#include "jobs/signature_beside.h"

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
    const bool of_this = shared != model && there(shared) && oms::claimed_subject(shared) == name.string();
    return of_this ? std::optional(shared) : std::nullopt;
}

}  // namespace modelseal::jobs
