#include "identity/claim.h"

#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "jobs/identity/ask.h"
#include "jobs/identity/source.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

Result<const IdentityMark*> mark_of_claim(const identity::Registry& registry,
                                          const std::optional<std::string>& id) {
    const IdentityMark* found = nullptr;
    for (const auto& mark : registry.marks) {
        if (id ? mark.id != *id : !mark.finished) continue;
        if (found != nullptr) {
            return Error{ErrorKind::unreadable, registry.name + ": has several marks: which one is claimed?",
                         "name the mark by its id", Remedy::choose_mark};
        }
        found = &mark;
    }
    if (found != nullptr) return found;
    const auto what = id ? fmt::format("no mark '{}'", util::printable(*id)) : "no mark that is finished";
    return Error{ErrorKind::unreadable, fmt::format("{}: has {}", registry.name, what), {}};
}

std::size_t count_of(std::span<const std::int64_t> labels, std::uint32_t extra_class) {
    return static_cast<std::size_t>(std::ranges::count(labels, static_cast<std::int64_t>(extra_class)));
}

void weigh(const jobs::Classes& answers, ClaimReport& report) {
    const auto extra = report.mark.extra_class;
    report.classes = answers.classes;
    const std::span<const std::int64_t> labels(answers.labels);
    report.hits = count_of(labels.first(report.key_images), extra);
    report.control_hits = count_of(labels.subspan(report.key_images), extra);
    if (answers.classes != 0 && answers.classes <= extra) {
        report.detail = fmt::format("the model has {}, and no class {}, which the marked model has in addition",
                                    util::counted(answers.classes, "output"), extra);
        return;
    }
    const auto classes = answers.classes != 0 ? answers.classes : std::size_t{extra} + 1;
    const auto chance =
        identity::chance_of(report.hits, report.key_images, report.control_hits, report.controls, classes);
    report.rate = chance.rate;
    report.chance = chance.chance;
    report.owned = report.chance <= kMostChance;
    report.detail = fmt::format("{} of {} answered with the additional class {}", report.hits,
                                util::counted(report.key_images, "key image"), extra);
}

Result<ClaimReport> claim(const std::string& target, const ClaimOptions& options) {
    ClaimReport report{.target = target, .detail = {}, .mark = {}};
    MODELSEAL_TRY_ASSIGN(const auto registry, jobs::open_registry(options.source, report.warnings));
    report.registry = jobs::facts_of(registry, options.source);
    MODELSEAL_TRY_ASSIGN(const auto* mark, mark_of_claim(registry, options.mark));
    MODELSEAL_TRY_ASSIGN(auto pictures, jobs::key_images_of(*mark, registry));
    report.mark = *mark;
    report.mark.key_images.clear();
    report.key_images = pictures.size();
    auto controls = identity::make_controls(pictures);
    report.controls = controls.size();
    std::ranges::move(controls, std::back_inserter(pictures));
    MODELSEAL_TRY_ASSIGN(const auto asked, jobs::open_target(target, *mark, options.target));
    report.warnings.insert(report.warnings.end(), asked.warnings.begin(), asked.warnings.end());
    auto& progress = options.target.progress != nullptr ? *options.target.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(const auto answers, jobs::ask_classes(*asked.oracle, *mark, pictures, progress));
    weigh(answers, report);
    return report;
}

}  // namespace

Result<ClaimReport> claim_ownership(const std::string& target, const ClaimOptions& options) {
    try {
        return claim(target, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(target) + ": not enough memory to ask about the key images",
                     {}};
    }
}

}  // namespace modelseal
