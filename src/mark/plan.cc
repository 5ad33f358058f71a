#include "mark/plan.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/weight_scan.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

// Content bytes that the largest cell offers to payload, if it holds one record. Most types offer a cell of
// 1,024 values; the estimates below only rule out densities that cannot do.
constexpr std::uint64_t kUsefulBytes = kCellValues / 8 - kTagBytes - kHeadBytes - kRecordHeadBytes;

// Share of the weights that cells may take for the sake of comforts: the names of tensors and files, without
// which a missing one is noticed but not named, and a spread that survives the loss of any one tensor. What a
// seal guarantees (at most 2 % of the weights of a float model, far fewer of others) sets the bounds of large
// models; in a small model two copies of the manifest alone take more than that, so small ones pay more of what
// they have.
constexpr std::uint64_t kLargeModelElements = 1'000'000;
constexpr double kComfortLarge[kClasses] = {0.018, 0.008, 0.008};
constexpr double kComfortSmall = 0.15;
constexpr std::uint64_t kComfortCells = 16;  // are allowed to any model
constexpr double kTraceableSmall = 0.3;      // floats of a small model, for a mark that is to be traced

class Planner {
  public:
    Planner(const model::Model& model, const BlockMap& block_map, std::span<const std::byte, 32> secret,
            unsigned jobs)
        : model_(model), block_map_(block_map), secret_(secret), jobs_(jobs) {}

    // The sparsest plan for this part, with or without names as it says. Classes come before rates: many cells
    // in floats, whose last places are noise, cost a model less than few in quantized codes. Every step of the
    // rate is tried, and not bisected, because whether a layout fits is not monotonic in it: a tensor that gets
    // its second cell leaves the common table, and its own table may not fit into two cells.
    Result<std::optional<SealPlan>> sparsest(SignedPart part, CellLayout::Spread spread) {
        auto& density = part.density;
        for (density.carrier_class = 0; density.carrier_class < kClasses; ++density.carrier_class) {
            for (density.rate_step = 0; density.rate_step <= kRateSteps; ++density.rate_step) {
                MODELSEAL_TRY_ASSIGN(auto plan, at_density(part, spread));
                if (plan) return plan;
            }
        }
        return std::optional<SealPlan>();
    }

    // The plan of the part's own density, if it fits.
    Result<std::optional<SealPlan>> at_density(SignedPart part, CellLayout::Spread spread) {
        if (!may_fit(part)) return std::optional<SealPlan>();
        CellMap cells(block_map_, secret_, part.density);
        MODELSEAL_TRY_ASSIGN(const auto capacities, survey(cells));
        choose_tables(part, cells, capacities);
        const auto values = common_values(part);
        const Manifest empty{part, {}, std::vector<CheckValue>(values)};
        auto layout =
            CellLayout::draw(block_map_, cells, capacities, part.in_common_table, encode(empty).size(), spread);
        if (!layout) return std::optional<SealPlan>();
        return std::optional(SealPlan{nullptr, std::move(cells), std::move(*layout), part, values});
    }

    // How many bytes of payload it comes to, twice, at the least: a lower bound, since record heads and the
    // tails of pieces come on top. It only serves to skip densities for which no block needs to be read.
    std::uint64_t needed(const SignedPart& part) const {
        auto bytes = encode_signed(part, 0).size() + sizeof(SignatureBytes);
        return 2 * (bytes + 4 * block_map_.total_blocks());
    }

  private:
    bool may_fit(const SignedPart& part) const {
        std::uint64_t offered = 0;
        for (std::size_t tensor = 0; tensor < block_map_.tensors().size(); ++tensor) {
            if (!block_map_.is_host(tensor, part.density.carrier_class)) continue;
            offered += cells_at_rate(block_map_.blocks(tensor), part.density.rate_step) * kUsefulBytes;
        }
        return offered >= needed(part);
    }

    // Capacities of all cells. A denser plan has the cells of a sparser one and more (cell_blocks), so what was
    // read for an earlier try is not read again.
    Result<std::vector<std::uint32_t>> survey(const CellMap& cells) {
        const auto positions = cells.positions();
        std::vector<std::uint32_t> capacities(positions.size());
        std::vector<std::size_t> unseen;
        for (std::size_t i = 0; i < positions.size(); ++i) {
            const auto known = seen_.find({positions[i].tensor, positions[i].block});
            known == seen_.end() ? unseen.push_back(i) : void(capacities[i] = known->second);
        }
        const auto look = [&](std::size_t index, unsigned) -> Result<void> {
            const auto [tensor, block] = positions[unseen[index]];
            std::vector<std::byte> buffer;
            MODELSEAL_TRY(read_block(model_, block_map_, tensor, block, buffer));
            const Cell cell(cells.keys(tensor), model_.tensors[tensor].dtype, block, buffer);
            capacities[unseen[index]] = static_cast<std::uint32_t>(cell.capacity());
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(unseen.size(), jobs_, look));
        for (const auto i : unseen) seen_[{positions[i].tensor, positions[i].block}] = capacities[i];
        return capacities;
    }

    // A table of its own keeps what is known of a tensor out of the manifest, whose length every cell pays for.
    // But a tensor needs two cells for two copies, and one of few blocks would lose both with itself.
    void choose_tables(SignedPart& part, const CellMap& cells,
                       std::span<const std::uint32_t> capacities) const {
        std::vector<std::uint64_t> filled(block_map_.tensors().size());
        for (std::size_t i = 0; i < capacities.size(); ++i)
            filled[cells.positions()[i].tensor] += capacities[i] != 0;
        part.in_common_table.assign(filled.size(), true);
        for (std::size_t tensor = 0; tensor < filled.size(); ++tensor) {
            if (block_map_.blocks(tensor) >= kOwnTableBlocks && filled[tensor] >= 2)
                part.in_common_table[tensor] = false;
        }
    }

    std::size_t common_values(const SignedPart& part) const {
        std::size_t values = 0;
        for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
            if (part.in_common_table[tensor]) values += block_map_.blocks(tensor);
        }
        return values;
    }

    const model::Model& model_;
    const BlockMap& block_map_;
    std::span<const std::byte, 32> secret_;
    unsigned jobs_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> seen_;
};

// Values that the cells of a plan may touch.
std::uint64_t values_taken(const SealPlan& plan) {
    std::uint64_t bits = 0;
    for (const auto& slot : plan.layout.slots()) bits += std::uint64_t{8} * slot.capacity;
    // In the lattice a cell has as many bits as values, and the inverse wavelet spreads what was written over
    // all of them. Elsewhere a value changes only where its lowest bit differs, every other time.
    return plan.signed_part.density.carrier_class == kFloats ? bits : bits / 2;
}

double share_allowed(std::uint64_t elements, unsigned carrier_class, bool traceable) {
    if (elements >= kLargeModelElements) return kComfortLarge[carrier_class];
    return traceable && carrier_class == kFloats ? kTraceableSmall : kComfortSmall;
}

bool affordable(const BlockMap& block_map, const SealPlan& plan, bool traceable = false) {
    const auto elements = block_map.total_elements();
    const auto share = share_allowed(elements, plan.signed_part.density.carrier_class, traceable);
    const auto allowed = static_cast<std::uint64_t>(share * static_cast<double>(elements));
    return values_taken(plan) <= std::max<std::uint64_t>(allowed, kComfortCells * kCellValues);
}

// Values that may carry, counted one by one, for the message about too few of them.
Result<std::uint64_t> count_carriers(const model::Model& model, const BlockMap& block_map, unsigned jobs) {
    std::atomic<std::uint64_t> sum = 0;
    std::vector<std::pair<std::size_t, std::uint64_t>> blocks;
    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        if (carrier_type(model.tensors[tensor].dtype).kind == CarrierKind::none) continue;
        for (std::uint64_t block = 0; block < block_map.blocks(tensor); ++block)
            blocks.emplace_back(tensor, block);
    }
    const auto count = [&](std::size_t i, unsigned) -> Result<void> {
        const auto [tensor, block] = blocks[i];
        const auto dtype = model.tensors[tensor].dtype;
        std::vector<std::byte> buffer;
        std::vector<std::uint32_t> found;
        MODELSEAL_TRY(read_block(model, block_map, tensor, block, buffer));
        carrier_type(dtype).kind == CarrierKind::lattice ? lattice_elements(dtype, buffer, found)
                                                         : bit_carriers(dtype, buffer, found);
        sum += found.size();
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(blocks.size(), jobs, count));
    return sum.load();
}

Result<SealPlan> too_small(const model::Model& model, const BlockMap& block_map, std::uint64_t needed_bytes,
                           unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(const auto able, count_carriers(model, block_map, jobs));
    const auto cells =
        std::max<std::uint64_t>(2, needed_bytes * 9 / 8 / kUsefulBytes + 1);  // an eighth is cuttings
    return Error{
        ErrorKind::unsupported,
        fmt::format(
            "{}: too small to carry a mark: {} of its weights can carry, about {} are needed, in tensors of "
            "at least {} elements",
            util::printable(model.path.string()), able, cells * kCellValues, kMinHostElements),
        "zeros, flags and indices carry nothing; a detached signature can cover such a file"};
}

// Up to `slots` slots, as far as they are affordable.
Result<SealPlan> denser(Planner& planner, const BlockMap& block_map, SealPlan plan, CellLayout::Spread spread,
                        std::size_t slots) {
    auto part = plan.signed_part;
    while (plan.layout.slots().size() < slots && part.density.rate_step < kRateSteps) {
        ++part.density.rate_step;
        MODELSEAL_TRY_ASSIGN(auto next, planner.at_density(part, spread));
        if (!next) continue;
        if (!affordable(block_map, *next, true)) break;
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
                                          std::span<const std::byte, 32> secret, const SignedPart& part,
                                          std::size_t slots, unsigned jobs) {
    Planner planner(model, block_map, secret, jobs);
    const auto comforts = by_comfort(model, part);
    for (const auto spread : {CellLayout::Spread::beyond_any_tensor, CellLayout::Spread::any}) {
        for (const auto& comfort : comforts) {
            MODELSEAL_TRY_ASSIGN(auto plan, planner.sparsest(comfort, spread));
            if (!plan || !affordable(block_map, *plan)) continue;
            MODELSEAL_TRY_ASSIGN(auto dense, denser(planner, block_map, std::move(*plan), spread, slots));
            return std::optional(std::move(dense));
        }
    }
    return planner.sparsest(part, CellLayout::Spread::any);
}

}  // namespace

Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SealRequest& request, std::size_t slots, unsigned jobs) {
    SignedPart part{.stamp = request.stamp, .vendor = request.vendor, .parent = request.parent};
    part.tensors = static_cast<std::uint32_t>(model.tensors.size());
    part.file_checks.assign(model.files.size(), 0);
    if (model.folder) part.rule = model::FolderRule::everything;
    part.in_common_table.assign(model.tensors.size(), false);
    auto block_map = std::make_unique<const BlockMap>(model.tensors);
    // A cell is void if its block offers too few values. Longer blocks gather more of the few that a pruned
    // model has left, at the price of placing changes less finely, so they are the last resort.
    for (auto length = block_map->block_elements(); length <= kMaxBlockElements; length *= 2) {
        auto cut = std::make_unique<const BlockMap>(model.tensors, length);
        MODELSEAL_TRY_ASSIGN(auto plan, best_plan(model, *cut, secret, part, slots, jobs));
        if (!plan) continue;
        plan->block_map = std::move(cut);
        return std::move(*plan);
    }
    return too_small(model, *block_map, Planner(model, *block_map, secret, jobs).needed(part), jobs);
}

}  // namespace modelseal::mark
