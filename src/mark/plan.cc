#include "mark/plan.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/scan.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

// Content bytes that a dense cell offers to payload, its heads taken off.
constexpr std::uint64_t kUsefulBytes = kCellValues / 8 - kTagBytes - 13;

// Share of the weights that cells may take for the sake of comforts: the names of tensors and files, without
// which a missing one is noticed but not named, and a spread that survives the loss of any one tensor. Small
// models pay more of what they have.
constexpr std::uint64_t kLargeModelElements = 1'000'000;
constexpr double kComfortLarge[kClasses] = {0.018, 0.008, 0.008};
constexpr double kComfortSmall = 0.15;
constexpr std::uint64_t kComfortCells = 16;  // are allowed to any model
constexpr double kTraceableSmall = 0.3;      // floats of a small model, for a mark that is to be traced

class Planner {
  public:
    Planner(const model::Model& model, const Geometry& geometry, std::span<const std::byte, 32> secret,
            unsigned jobs)
        : model_(model), geometry_(geometry), secret_(secret), jobs_(jobs) {}

    // The sparsest plan for this part, with or without names as it says.
    Result<std::optional<SealPlan>> sparsest(SignedPart part, Chart::Spread spread) {
        for (part.carrier_class = 0; part.carrier_class < kClasses; ++part.carrier_class) {
            for (part.rate_step = 0; part.rate_step <= kRateSteps; ++part.rate_step) {
                MODELSEAL_TRY_ASSIGN(auto plan, as_dense_as_it_says(part, spread));
                if (plan) return plan;
            }
        }
        return std::optional<SealPlan>();
    }

    // The plan of the part's rate and class, if it fits.
    Result<std::optional<SealPlan>> as_dense_as_it_says(SignedPart part, Chart::Spread spread) {
        if (!may_fit(part)) return std::optional<SealPlan>();
        CellMap cells(geometry_, secret_, part.carrier_class, part.rate_step);
        MODELSEAL_TRY_ASSIGN(const auto capacities, survey(cells));
        choose_tables(part, cells, capacities);
        const auto values = common_values(part);
        const Manifest empty{part, {}, std::vector<CheckValue>(values)};
        auto arrangement =
            arrange(geometry_, cells, capacities, part.in_common_table, encode(empty).size(), spread);
        if (!arrangement) return std::optional<SealPlan>();
        return std::optional(SealPlan{nullptr, std::move(cells), std::move(*arrangement), part, values});
    }

    // How many bytes of payload it comes to, twice, at the least.
    std::uint64_t needed(const SignedPart& part) const {
        auto bytes = encode_signed(part, 0).size() + sizeof(SignatureBytes);
        return 2 * (bytes + 4 * geometry_.total_blocks());
    }

  private:
    bool may_fit(const SignedPart& part) const {
        std::uint64_t offered = 0;
        for (std::size_t tensor = 0; tensor < geometry_.tensors().size(); ++tensor) {
            if (!geometry_.is_host(tensor, part.carrier_class)) continue;
            offered += cells_at_rate(geometry_.blocks(tensor), part.rate_step) * kUsefulBytes;
        }
        return offered >= needed(part);
    }

    // Capacities of all sites. What was looked at for a sparser plan is not read again.
    Result<std::vector<std::uint32_t>> survey(const CellMap& cells) {
        const auto sites = cells.sites();
        std::vector<std::uint32_t> capacities(sites.size());
        std::vector<std::size_t> unseen;
        for (std::size_t i = 0; i < sites.size(); ++i) {
            const auto known = seen_.find({sites[i].tensor, sites[i].block});
            known == seen_.end() ? unseen.push_back(i) : void(capacities[i] = known->second);
        }
        const auto look = [&](std::size_t index, unsigned) -> Result<void> {
            const auto [tensor, block] = sites[unseen[index]];
            std::vector<std::byte> buffer;
            MODELSEAL_TRY(read_block(model_, geometry_, tensor, block, buffer));
            const Cell cell(cells.keys(tensor), model_.tensors[tensor].dtype, block, buffer);
            capacities[unseen[index]] = static_cast<std::uint32_t>(cell.capacity());
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(unseen.size(), jobs_, look));
        for (const auto i : unseen) seen_[{sites[i].tensor, sites[i].block}] = capacities[i];
        return capacities;
    }

    void choose_tables(SignedPart& part, const CellMap& cells,
                       std::span<const std::uint32_t> capacities) const {
        std::vector<std::uint64_t> filled(geometry_.tensors().size());
        for (std::size_t i = 0; i < capacities.size(); ++i)
            filled[cells.sites()[i].tensor] += capacities[i] != 0;
        part.in_common_table.assign(filled.size(), true);
        for (std::size_t tensor = 0; tensor < filled.size(); ++tensor) {
            if (geometry_.blocks(tensor) >= kOwnTableBlocks && filled[tensor] >= 2)
                part.in_common_table[tensor] = false;
        }
    }

    std::size_t common_values(const SignedPart& part) const {
        std::size_t values = 0;
        for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
            if (part.in_common_table[tensor]) values += geometry_.blocks(tensor);
        }
        return values;
    }

    const model::Model& model_;
    const Geometry& geometry_;
    std::span<const std::byte, 32> secret_;
    unsigned jobs_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> seen_;
};

// Values that the cells of a plan may touch.
std::uint64_t values_taken(const SealPlan& plan) {
    std::uint64_t bits = 0;
    for (const auto& place : plan.arrangement.places) bits += std::uint64_t{8} * place.capacity;
    return plan.part.carrier_class == kFloats
               ? bits
               : bits / 2;  // a wavelet spreads a bit, a lowest bit stays as often
}

double share_allowed(std::uint64_t elements, unsigned carrier_class, bool traceable) {
    if (elements >= kLargeModelElements) return kComfortLarge[carrier_class];
    return traceable && carrier_class == kFloats ? kTraceableSmall : kComfortSmall;
}

bool affordable(const Geometry& geometry, const SealPlan& plan, bool traceable = false) {
    const auto elements = geometry.total_elements();
    const auto share = share_allowed(elements, plan.part.carrier_class, traceable);
    const auto allowed = static_cast<std::uint64_t>(share * static_cast<double>(elements));
    return values_taken(plan) <= std::max<std::uint64_t>(allowed, kComfortCells * kCellValues);
}

// Values that may carry, counted one by one: told to whoever has too few of them.
Result<std::uint64_t> count_carriers(const model::Model& model, const Geometry& geometry, unsigned jobs) {
    std::atomic<std::uint64_t> sum = 0;
    std::vector<std::pair<std::size_t, std::uint64_t>> blocks;
    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        if (carrier_type(model.tensors[tensor].dtype).kind == CarrierKind::none) continue;
        for (std::uint64_t block = 0; block < geometry.blocks(tensor); ++block)
            blocks.emplace_back(tensor, block);
    }
    const auto count = [&](std::size_t i, unsigned) -> Result<void> {
        const auto [tensor, block] = blocks[i];
        const auto dtype = model.tensors[tensor].dtype;
        std::vector<std::byte> buffer;
        std::vector<std::uint32_t> found;
        MODELSEAL_TRY(read_block(model, geometry, tensor, block, buffer));
        carrier_type(dtype).kind == CarrierKind::lattice ? lattice_elements(dtype, buffer, found)
                                                         : bit_carriers(dtype, buffer, found);
        sum += found.size();
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(blocks.size(), jobs, count));
    return sum.load();
}

Result<SealPlan> too_small(const model::Model& model, const Geometry& geometry, std::uint64_t needed_bytes,
                           unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(const auto able, count_carriers(model, geometry, jobs));
    const auto cells =
        std::max<std::uint64_t>(2, needed_bytes * 9 / 8 / kUsefulBytes + 1);  // an eighth is cuttings
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: too small to carry a mark: it has {} weights that may carry, about {} are needed, in "
                    "tensors of {} or more",
                    util::printable(model.path.string()), able, cells * kCellValues, kMinHostElements),
        "zeros, flags and indices carry nothing; a detached signature can cover such a file"};
}

}  // namespace

std::optional<Arrangement> arrange(const Geometry& geometry, const CellMap& cells,
                                   std::span<const std::uint32_t> capacities,
                                   const std::vector<bool>& in_common_table, std::size_t manifest_bytes,
                                   Chart::Spread spread) {
    Arrangement made;
    for (std::size_t i = 0; i < capacities.size(); ++i) {
        if (capacities[i] == 0) continue;
        made.places.push_back({cells.sites()[i].tensor, cells.sites()[i].block, capacities[i]});
        made.sites.push_back(i);
    }
    for (std::size_t tensor = 0; tensor < in_common_table.size(); ++tensor) {
        made.own_blocks.push_back(in_common_table[tensor] ? 0 : geometry.blocks(tensor));
    }
    auto chart = Chart::draw(made.places, made.own_blocks, manifest_bytes, spread);
    if (!chart) return std::nullopt;
    made.chart = std::move(*chart);
    return made;
}

namespace {

// Up to `places` places that hold something, as far as they are affordable.
Result<SealPlan> denser(Planner& planner, const Geometry& geometry, SealPlan plan, Chart::Spread spread,
                        std::size_t places) {
    auto part = plan.part;
    while (plan.arrangement.places.size() < places && part.rate_step < kRateSteps) {
        ++part.rate_step;
        MODELSEAL_TRY_ASSIGN(auto next, planner.as_dense_as_it_says(part, spread));
        if (!next) continue;
        if (!affordable(geometry, *next, true)) break;
        plan = std::move(*next);
    }
    return plan;
}

// The part with names of tensors and of files, with fewer of them, and with none.
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

// The best plan that this cut into blocks allows: comforts where they are affordable, else none.
Result<std::optional<SealPlan>> best_plan(const model::Model& model, const Geometry& geometry,
                                          std::span<const std::byte, 32> secret, const SignedPart& part,
                                          std::size_t places, unsigned jobs) {
    Planner planner(model, geometry, secret, jobs);
    const auto comforts = by_comfort(model, part);
    for (const auto spread : {Chart::Spread::beyond_any_tensor, Chart::Spread::any}) {
        for (const auto& wanted : comforts) {
            MODELSEAL_TRY_ASSIGN(auto plan, planner.sparsest(wanted, spread));
            if (!plan || !affordable(geometry, *plan)) continue;
            MODELSEAL_TRY_ASSIGN(auto dense, denser(planner, geometry, std::move(*plan), spread, places));
            return std::optional(std::move(dense));
        }
    }
    return planner.sparsest(part, Chart::Spread::any);
}

}  // namespace

Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SignedPart& wanted, std::size_t places, unsigned jobs) {
    auto part = wanted;
    part.tensors = static_cast<std::uint32_t>(model.tensors.size());
    part.file_checks.assign(model.files.size(), 0);
    if (model.folder) part.rule = model::FolderRule::everything;
    part.in_common_table.assign(model.tensors.size(), false);
    auto geometry = std::make_unique<const Geometry>(model.tensors);
    // Longer blocks gather more of the few values that a pruned model has left.
    for (auto length = geometry->block_elements(); length <= kMaxBlockElements; length *= 2) {
        auto cut = std::make_unique<const Geometry>(model.tensors, length);
        MODELSEAL_TRY_ASSIGN(auto plan, best_plan(model, *cut, secret, part, places, jobs));
        if (!plan) continue;
        plan->geometry = std::move(cut);
        return std::move(*plan);
    }
    return too_small(model, *geometry, Planner(model, *geometry, secret, jobs).needed(part), jobs);
}

}  // namespace modelseal::mark
