#include "mark/sealing/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "mark/sealing/budget.h"
#include "mark/sealing/planner.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

constexpr const char* kWhatCarriesNothing =
    "zeros, flags, indices, and values on a grid (+-1, integers, tables, multiples of a step) carry nothing; a "
    "detached signature can cover such a file";
constexpr const char* kWhatShows =
    "the last bits of these weights are uneven, as those of averaged or merged ones are, and would show a "
    "customer's seal; a seal for everybody may be seen";

// The error for a model without a plan.
Result<SealPlan> too_small(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SignedPart& part, Cover cover, const char* hint, unsigned jobs) {
    const BlockMap block_map(model.tensors);
    MODELSEAL_TRY_ASSIGN(const auto room, Planner(model, block_map, secret, cover, jobs).shortfall(part));
    const auto path = util::printable(model.path.string());
    if (room.offered == 0)
        return Error{ErrorKind::unsupported, fmt::format("{}: no weights in it can carry a seal", path), hint};
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: too small to carry a seal: its weights have room for {} bytes in {}, the seal takes "
                    "about {}",
                    path, room.offered, util::counted(room.cells, "cell"), room.needed),
        hint};
}

// As many slots as a trace needs, as far as they are affordable (cells_to_trace).
Result<SealPlan> denser(Planner& planner, const BlockMap& block_map, SealPlan plan, CellLayout::Spread spread) {
    auto part = plan.signed_part;
    const auto grids = part.use.grids.empty() ? Grids::own : Grids::any;
    part.use = {};
    const auto most = most_for_traces(block_map, plan);
    const auto slots = cells_to_trace(block_map, plan);
    for (; plan.layout.slots().size() < slots && part.density.rate_step <= kRateSteps;
         ++part.density.rate_step) {
        MODELSEAL_TRY_ASSIGN(auto next, planner.at_density(part, spread, grids, slots));
        if (!next || next->layout.slots().size() <= plan.layout.slots().size()) continue;
        if (values_changed(block_map, *next) > most) break;
        plan = std::move(*next);
    }
    return plan;
}

// The part with names of tensors and of files, with fewer of them, and with none. The names of files are given
// up first.
std::vector<SignedPart> by_comfort(const model::Model& model, const SignedPart& part) {
    auto with_tensors = part;
    with_tensors.directory = encode_directory(model.tensors);
    if (model.files.size() == 1) return {with_tensors, part};
    std::vector<std::string> paths;
    for (const auto& file : model.files) paths.push_back(file.path);
    auto with_files = part;
    with_files.file_list = encode_file_list(paths);
    auto with_both = with_tensors;
    with_both.file_list = with_files.file_list;
    return {with_both, with_tensors, with_files, part};
}

// The best plan that this cut into blocks allows: comforts where they are affordable, else none. The spread is
// worth more than names: where one tensor is lost, the signed part must still say that this was a seal of the
// vendor.
Result<std::optional<SealPlan>> best_plan(const model::Model& model, const BlockMap& block_map,
                                          Planner& planner, const SignedPart& part, Audience audience) {
    const auto traceable = [&](SealPlan plan, CellLayout::Spread spread) -> Result<SealPlan> {
        if (audience == Audience::everybody) return plan;
        return denser(planner, block_map, std::move(plan), spread);
    };
    for (const auto spread : {CellLayout::Spread::beyond_any_tensor, CellLayout::Spread::any}) {
        for (const auto& comfort : by_comfort(model, part)) {
            MODELSEAL_TRY_ASSIGN(auto plan, planner.sparsest(comfort, spread));
            if (!plan || values_changed(block_map, *plan) > most_for_comfort(block_map, *plan, audience))
                continue;
            MODELSEAL_TRY_ASSIGN(auto dense, traceable(std::move(*plan), spread));
            return std::optional(std::move(dense));
        }
    }
    MODELSEAL_TRY_ASSIGN(auto barest, planner.sparsest(part, CellLayout::Spread::any));
    if (!barest) return barest;
    MODELSEAL_TRY_ASSIGN(auto dense, traceable(std::move(*barest), CellLayout::Spread::any));
    return std::optional(std::move(dense));
}

// From the natural one on; shorter blocks only where cells in them are surely traced.
std::vector<std::uint64_t> lengths_to_try(std::uint64_t natural, Audience audience) {
    std::vector<std::uint64_t> lengths;
    for (auto length = natural; length <= kMaxBlockElements; length *= 2) lengths.push_back(length);
    if (audience == Audience::customer && natural > kWindowedBlock) lengths.push_back(kWindowedBlock);
    return lengths;
}

// The plan that changes least, or can be traced best, of all lengths of blocks; nothing if there is none.
Result<std::optional<SealPlan>> plan_of_any_length(const model::Model& model,
                                                   std::span<const std::byte, 32> secret,
                                                   const SignedPart& part, Audience audience, Cover cover,
                                                   unsigned jobs) {
    const auto natural = BlockMap(model.tensors).block_elements();
    // A cell is void if its block offers too few values. Longer blocks gather more of the few that a pruned
    // model has left, at the price of placing changes less finely, so they are the last resort. But fewer blocks have
    // fewer check values to be kept, which counts where steps are large. What is to be traced needs cells first.
    std::optional<SealPlan> best;
    const auto traceable = [&](const SealPlan& plan) {
        const bool wanted = audience == Audience::customer && !has_few_codes(*plan.block_map, plan);
        return wanted ? std::min(traceable_cells(*plan.block_map, plan), cells_to_trace(*plan.block_map, plan))
                      : 0;
    };
    for (const auto length : lengths_to_try(natural, audience)) {
        auto cut = std::make_unique<const BlockMap>(model.tensors, length);
        Planner planner(model, *cut, secret, cover, jobs);
        MODELSEAL_TRY_ASSIGN(auto plan, best_plan(model, *cut, planner, part, audience));
        if (!plan) continue;
        plan->block_map = std::move(cut);
        const auto changed = values_changed(*plan->block_map, *plan);
        const bool better =
            !best || traceable(*plan) > traceable(*best) ||
            (traceable(*plan) == traceable(*best) && changed < values_changed(*best->block_map, *best));
        if (better) best = std::move(plan);
        if (!has_large_steps(*best->block_map, *best)) break;
    }
    return best;
}

}  // namespace

Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SealRequest& request, Audience audience, unsigned jobs) {
    SignedPart part{.stamp = request.stamp, .vendor = request.vendor, .parent = request.parent};
    part.tensors = static_cast<std::uint32_t>(model.tensors.size());
    part.file_checks.assign(model.files.size(), 0);
    if (model.folder) part.rule = model::FolderRule::everything;
    part.in_common_table.assign(model.tensors.size(), false);
    const auto under = [&](Cover cover) {
        return plan_of_any_length(model, secret, part, audience, cover, jobs);
    };
    MODELSEAL_TRY_ASSIGN(auto plan, under(Cover::hidden));
    if (!plan) {
        MODELSEAL_TRY_ASSIGN(auto visible, under(Cover::harmless));
        if (audience == Audience::customer) {
            const auto* hint = visible ? kWhatShows : kWhatCarriesNothing;
            return too_small(model, secret, part, Cover::hidden, hint, jobs);
        }
        if (!visible) return too_small(model, secret, part, Cover::harmless, kWhatCarriesNothing, jobs);
        plan = std::move(visible);
    }
    plan->most = most_at_all(*plan->block_map, *plan, audience);
    const auto changed = values_changed(*plan->block_map, *plan);
    if (changed > plan->most) return too_dear(model, changed, plan->most);
    return std::move(*plan);
}

}  // namespace modelseal::mark
