#include "jobs/check/other_target.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include <fmt/format.h>

#include "jobs/many/targets.h"
#include "mark/block_map.h"
#include "mark/checking/evidence.h"
#include "mark/checking/locate.h"
#include "util/text.h"
#include <modelseal/progress.h>

namespace modelseal::jobs {
namespace {

using Outcome = SealFinding::Outcome;
using Cause = SealFinding::Cause;

// The root of a seal that was made of this model alone; nothing if there is none, or it was made of more files or tensors.
std::optional<std::string> own_root(const model::Model& model, const SealSearch& search) {
    const mark::BlockMap block_map(model.tensors);
    for (const auto& key : search.keys) {
        // Under most of many keys a model shows nothing, and a close look for that would take long.
        const auto shown = mark::shows_seal(model, block_map, key.secret.bytes(), mark::Sight::short_look);
        if (!shown.ok() || !*shown) continue;
        const auto evidence = mark::gather(model, key, search.pass, no_progress());
        if (!evidence.ok() || !*evidence || !(*evidence)->matches.signature) continue;
        const auto& manifest = *(*evidence)->recovered.manifest;
        const auto& part = manifest.signed_part;
        const bool alone = part.file_checks.size() == model.files.size() && (*evidence)->matches.tensor_list;
        return alone ? std::optional(to_hex(mark::root(manifest))) : std::nullopt;
    }
    return std::nullopt;
}

// Where cells of several seals are read as one, the manifest of one of them is found, or of none. So a folder has no seal of its
// own if the root that was found in it is that of one of its models; and where none was found, if one of them has any.
Result<SealFinding> explained_by_models(const model::Model& model, const SealSearch& search,
                                        SealFinding finding) {
    constexpr std::size_t kMostWithoutRoot = 16;  // if none of these has a seal, it is not that all were sealed
    const auto below = models_below(model.path, false);
    if (!below.ok() || below->size() < 2) return finding;
    const auto most = finding.root.empty() ? std::min(below->size(), kMostWithoutRoot) : below->size();
    for (const auto& each : std::span(*below).first(most)) {
        const auto alone = model::open_model(each.path, model.limits);
        const auto root = alone.ok() ? own_root(*alone, search) : std::nullopt;
        if (!root || (!finding.root.empty() && *root != finding.root)) continue;
        SealFinding out{.tensors_total = finding.tensors_total, .bytes_total = finding.bytes_total};
        out.detail = fmt::format(
            "the folder was not sealed as one model: '{}', one of {} models in it, has a seal of its own",
            util::printable(each.name), util::grouped(below->size()));
        out.hint = "check each model in the folder on its own";
        out.remedy = Remedy::check_each;
        return out;
    }
    return finding;
}

bool is_missing(const TensorFinding& tensor) {
    return tensor.outcome == TensorFinding::Outcome::missing;
}

// The seal lists tensors that are not here, in files that are not here, and what is here shows no change.
bool is_one_of_several(const SealFinding& finding) {
    const bool unchanged = std::ranges::all_of(finding.tensors, [](const TensorFinding& tensor) {
        return is_missing(tensor) || tensor.outcome == TensorFinding::Outcome::intact;
    });
    const bool files =
        finding.files_missing > 0 ||
        std::ranges::count(finding.files, FileFinding::Outcome::missing, &FileFinding::outcome) > 1;
    return finding.cause == Cause::tensor_list && unchanged && files &&
           std::ranges::any_of(finding.tensors, is_missing);
}

// All the weights of a folder, unchanged, by a file that the seal lists by its name in the folder: the only one that has any, whatever
// it is called now, or an index of shards, or a graph with external data. The seal lists perhaps others as well.
bool holds_the_weights_of_a_folder(const model::Model& model, const SealFinding& finding) {
    if (finding.cause != Cause::frame || !finding.weights_intact) return false;
    const auto name = model.path.filename().string();
    std::size_t added = 0;
    bool listed = false;
    for (const auto& file : finding.files) {
        if (file.outcome == FileFinding::Outcome::changed) return false;
        if (file.outcome == FileFinding::Outcome::added) ++added;
        // A file that was sealed by itself has no name in its seal.
        const bool may_be_it = model.files.size() == 1 ? !file.name.empty() : file.name == name;
        listed = listed || (file.outcome == FileFinding::Outcome::missing && may_be_it);
    }
    return listed && added == 1;
}

Error sealed_as_folder(const model::Model& model, std::string_view what) {
    return {ErrorKind::unsupported,
            fmt::format("{}: is one file of a model that was sealed as a folder{}",
                        util::printable(model.path.string()), what),
            "check the folder that holds all files of the model", Remedy::check_folder};
}

}  // namespace

Result<SealFinding> explained_by_target(const model::Model& model, const SealSearch& search,
                                        SealFinding finding) {
    if (finding.outcome == Outcome::intact || finding.outcome == Outcome::error) return finding;
    if (model.folder) return explained_by_models(model, search, std::move(finding));
    if (holds_the_weights_of_a_folder(model, finding))
        return sealed_as_folder(model, model.files.size() == 1 ? ", of which it has all the weights"
                                                               : ", of which it names the weights");
    if (!is_one_of_several(finding)) return finding;
    const auto missing = static_cast<std::uint64_t>(std::ranges::count_if(finding.tensors, is_missing));
    return sealed_as_folder(
        model, fmt::format("; it has {} of the {} sealed tensors", util::grouped(finding.tensors_total),
                           util::grouped(finding.tensors_total + missing)));
}

}  // namespace modelseal::jobs
