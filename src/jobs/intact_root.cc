
#include "jobs/intact_root.h"

#include <fmt/format.h>

#include "hash/cards.h"
#include "jobs/check/files.h"
#include "util/text.h"

namespace modelseal::jobs {

Result<std::optional<std::string>> intact_root(const model::Model& model, std::span<const CheckKey> keys,
                                               unsigned jobs, const std::string& device) {
    MODELSEAL_TRY_ASSIGN(const auto hasher, hash::hasher_on(device, model.bytes()));
    const SealSearch search{.keys = keys, .pass = {.jobs = jobs, .hasher = hasher.get()}};
    MODELSEAL_TRY_ASSIGN(const auto seal, check_seal(model, search));
    MODELSEAL_TRY(model.unchanged());
    // A deepisign mark has no root: it binds nothing that others could bind to.
    if (seal.outcome == SealFinding::Outcome::not_found || seal.scheme != "modelseal") {
        return std::optional<std::string>{};
    }
    if (seal.outcome == SealFinding::Outcome::intact) return std::optional(seal.root);
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: its seal is not intact: {}", util::printable(model.path.string()),
                             util::printable(seal.detail)),
                 "use the model as it was sealed"};
}

Result<std::optional<std::string>> intact_root(const std::filesystem::path& model,
                                               std::span<const CheckKey> keys, unsigned jobs,
                                               const std::string& device) {
    MODELSEAL_TRY_ASSIGN(const auto opened, model::open_model(model));
    return intact_root(opened, keys, jobs, device);
}

}  // namespace modelseal::jobs
