#include "mark/sealing/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/sealing/budget.h"
#include "mark/sealing/noise.h"
#include "mark/weight_scan.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

// Content bytes that the largest cell offers to payload, if it holds one record. Most types offer a cell of
// 1,024 values; the estimates below only rule out densities that cannot do.
constexpr std::uint64_t kUsefulBytes = kCellValues / 8 - kTagBytes - kHeadBytes - kRecordHeadBytes;

// What the cells of one density hold, if they hold everything.
struct Fitted {
    CellLayout layout;
    SignedPart part;  // all but the digests
    std::size_t common_values = 0;
};

// How one cell can carry: on a grid of noise, so many bytes. No bytes: not at all.
struct CellRoom {
    Grid grid = Grid::own;
    std::uint32_t capacity = 0;
};

// Whether a plan makes use of values that lie on a coarser grid than their type's. A step there is a thousand times
// that of a float, so many cells elsewhere cost a model less than few of these.
enum class Grids { own, any };

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
            for (const auto grids : {Grids::own, Grids::any}) {
                for (density.rate_step = 0; density.rate_step <= kRateSteps; ++density.rate_step) {
                    MODELSEAL_TRY_ASSIGN(auto plan, at_density(part, spread, grids, 0));
                    if (plan) return in_larger_tensors(std::move(*plan), part, spread, grids);
                }
            }
        }
        return std::optional<SealPlan>();
    }

    // The plan of the part's own density, if it fits: with as few of its cells as hold everything, but with
    // `slots` of them if there are so many.
    Result<std::optional<SealPlan>> at_density(const SignedPart& part, CellLayout::Spread spread, Grids allowed,
                                               std::size_t slots) {
        if (!may_fit(part)) return std::optional<SealPlan>();
        CellMap cells(block_map_, secret_, part.density);
        MODELSEAL_TRY_ASSIGN(const auto rooms, survey(cells));
        const auto grids = grids_of_tensors(cells, rooms);
        const auto order = dearest_last(cells, rooms, grids, allowed);
        auto fitted = fit(part, cells, rooms, grids, order, spread);
        if (!fitted) return std::optional<SealPlan>();
        const auto least = needed(part);
        std::uint64_t bytes = 0;
        std::size_t count = 0;
        while (count < order.size() && (bytes < least || count < slots))
            bytes += rooms[order[count++]].capacity;
        for (; count < order.size(); count += 1 + count / 16) {
            auto fewer = fit(part, cells, rooms, grids, std::span(order).first(count), spread);
            if (!fewer) continue;
            fitted = std::move(fewer);
            break;
        }
        cells.set_use(fitted->part.use);
        return std::optional(SealPlan{nullptr, std::move(cells), std::move(fitted->layout),
                                      std::move(fitted->part), fitted->common_values});
    }

    // How many bytes of payload it comes to, twice, at the least: a lower bound, since record heads and the
    // tails of pieces come on top. It only serves to skip densities for which no block needs to be read.
    std::uint64_t needed(const SignedPart& part) const {
        auto bytes = encode_signed(part, 0).size() + sizeof(SignatureBytes);
        return 2 * (bytes + check_bytes(Version::two) * block_map_.total_blocks());
    }

    // What all cells that a model can have hold, in the class of types that offers most, and what they would have to.
    struct Shortfall {
        std::size_t cells = 0;      // that hold anything
        std::uint64_t offered = 0;  // bytes of payload
        std::uint64_t needed = 0;   // with what is lost at the ends of cells
    };
    // Nothing short of a layout tells how much is lost, so cells that are the larger by a few percent are tried in turn.
    // Precondition: there is no plan for this part.
    Result<Shortfall> shortfall(const SignedPart& part) {
        const CellMap cells(block_map_, secret_, {kClasses - 1, kRateSteps});
        MODELSEAL_TRY_ASSIGN(const auto rooms, survey(cells));
        const auto grids = grids_of_tensors(cells, rooms);
        const auto order = dearest_last(cells, rooms, grids, Grids::any);
        Shortfall out{.cells = order.size(), .offered = payload(rooms, order)};
        constexpr std::uint64_t kMostPercent = 2000;
        for (std::uint64_t percent = 104; percent <= kMostPercent; percent += percent / 25) {
            auto larger = rooms;
            for (auto& room : larger) room.capacity = static_cast<std::uint32_t>(room.capacity * percent / 100);
            auto denser = part;
            denser.density = {kClasses - 1, kRateSteps};
            out.needed = payload(larger, order);
            if (fit(denser, cells, larger, grids, order, CellLayout::Spread::any)) return out;
        }
        out.needed = std::max(out.needed, needed(part));
        return out;
    }

  private:
    static std::uint64_t payload(std::span<const CellRoom> rooms, std::span<const std::size_t> order) {
        constexpr std::uint64_t kOverhead = kTagBytes + kHeadBytes + kRecordHeadBytes;
        std::uint64_t bytes = 0;
        for (const auto cell : order)
            bytes += rooms[cell].capacity - std::min<std::uint64_t>(kOverhead, rooms[cell].capacity);
        return bytes;
    }

    // A denser plan of which the cells of halves lie in larger tensors, where they are a smaller share, if the model is
    // small enough for all of its blocks to be looked at.
    Result<std::optional<SealPlan>> in_larger_tensors(SealPlan plan, SignedPart part, CellLayout::Spread spread,
                                                      Grids grids) {
        constexpr std::uint64_t kMostBlocks = 4096;
        auto least = share_of_halves(plan);
        if (block_map_.total_blocks() > kMostBlocks || least == 0) return std::optional(std::move(plan));
        while (part.density.rate_step < kRateSteps) {
            ++part.density.rate_step;
            MODELSEAL_TRY_ASSIGN(auto denser, at_density(part, spread, grids, 0));
            const auto share = denser ? share_of_halves(*denser) : least;
            if (share >= least) continue;
            plan = std::move(*denser);
            least = share;
        }
        return std::optional(std::move(plan));
    }

    // What the cells of halves change of their tensors, in all, for comparing plans.
    double share_of_halves(const SealPlan& plan) const {
        double share = 0;
        for (const auto& slot : plan.layout.slots()) {
            if (kind_of(block_map_, plan, slot) == CarrierKind::bits)
                share += 8.0 * slot.capacity / static_cast<double>(insensitivity(slot.tensor, slot.block));
        }
        return share;
    }

    // How little a cell of halves changes of its tensor: the less, the larger that is, and the smaller the values. In a
    // long block they are the smallest 7 in 100, in a shorter one or a window 22, so that the squares of steps are ten times
    // as large.
    std::uint64_t insensitivity(std::size_t tensor, std::uint64_t block) const {
        const auto elements = block_map_.tensors()[tensor].elements;
        return block_map_.elements_in(tensor, block) > kWindowedBlock ? 10 * elements : elements;
    }

    bool may_fit(const SignedPart& part) const {
        std::uint64_t offered = 0;
        for (std::size_t tensor = 0; tensor < block_map_.tensors().size(); ++tensor) {
            if (!block_map_.is_host(tensor, part.density.carrier_class)) continue;
            offered += cells_at_rate(block_map_.blocks(tensor), part.density.rate_step) * kUsefulBytes;
        }
        return offered >= needed(part);
    }

    // A denser plan has the cells of a sparser one and more (cell_blocks), so what was read for an earlier try
    // is not read again.
    Result<std::vector<CellRoom>> survey(const CellMap& cells) {
        const auto positions = cells.positions();
        std::vector<CellRoom> rooms(positions.size());
        std::vector<std::size_t> unseen;
        for (std::size_t i = 0; i < positions.size(); ++i) {
            const auto known = seen_.find({positions[i].tensor, positions[i].block});
            known == seen_.end() ? unseen.push_back(i) : void(rooms[i] = known->second);
        }
        const auto look = [&](std::size_t index, unsigned) -> Result<void> {
            const auto [tensor, block] = positions[unseen[index]];
            std::vector<std::byte> buffer;
            MODELSEAL_TRY(read_block(model_, block_map_, tensor, block, buffer));
            const auto grid = noise_grid(model_.tensors[tensor], block * block_map_.block_elements(), buffer);
            if (!grid) return {};
            const Cell cell(cells.keys(tensor), {Version::two, model_.tensors[tensor].dtype, *grid}, block,
                            buffer);
            rooms[unseen[index]] = {*grid, static_cast<std::uint32_t>(cell.capacity())};
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(unseen.size(), jobs_, look));
        for (const auto i : unseen) seen_[{positions[i].tensor, positions[i].block}] = rooms[i];
        return rooms;
    }

    // A tensor carries on one grid: the one on which its cells hold most.
    std::vector<Grid> grids_of_tensors(const CellMap& cells, std::span<const CellRoom> rooms) const {
        std::vector<std::array<std::uint64_t, 4>> bytes(block_map_.tensors().size());
        for (std::size_t i = 0; i < rooms.size(); ++i)
            bytes[cells.positions()[i].tensor][static_cast<std::size_t>(rooms[i].grid)] += rooms[i].capacity;
        std::vector<Grid> grids;
        for (const auto& of_grid : bytes)
            grids.push_back(static_cast<Grid>(std::ranges::max_element(of_grid) - of_grid.begin()));
        return grids;
    }

    // The cells that can carry, those first that cost least for what they hold: floats in their own last places
    // before values on a coarser grid, large ones before small ones. Halves first in large tensors: a step of one is
    // large enough to be seen in what a layer computes if it is one of few.
    std::vector<std::size_t> dearest_last(const CellMap& cells, std::span<const CellRoom> rooms,
                                          std::span<const Grid> grids, Grids allowed) const {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < rooms.size(); ++i) {
            const bool fits = rooms[i].capacity != 0 && rooms[i].grid == grids[cells.positions()[i].tensor];
            if (fits && (allowed == Grids::any || rooms[i].grid == Grid::own)) order.push_back(i);
        }
        const auto cost = [&](std::size_t cell) {
            const auto dtype = block_map_.tensors()[cells.positions()[cell].tensor].dtype;
            return std::tuple(carrier_class(dtype), rooms[cell].grid != Grid::own);
        };
        const auto worth = [&](std::size_t cell) {
            const auto [tensor, block] = cells.positions()[cell];
            const auto kind =
                carrier_kind({Version::two, block_map_.tensors()[tensor].dtype, rooms[cell].grid});
            return kind == CarrierKind::bits ? insensitivity(tensor, block) : rooms[cell].capacity;
        };
        std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
            return cost(a) != cost(b) ? cost(a) < cost(b) : worth(a) > worth(b);
        });
        return order;
    }

    // The layout with these cells, if everything fits into them.
    std::optional<Fitted> fit(SignedPart part, const CellMap& cells, std::span<const CellRoom> rooms,
                              std::span<const Grid> grids, std::span<const std::size_t> carrying,
                              CellLayout::Spread spread) const {
        std::vector<std::uint32_t> capacities(rooms.size());
        for (const auto cell : carrying) capacities[cell] = rooms[cell].capacity;
        if (carrying.size() != rooms.size()) {
            part.use.carrying.assign(rooms.size(), false);
            for (const auto cell : carrying) part.use.carrying[cell] = true;
        }
        const auto carries_elsewhere = [&](std::size_t cell) { return rooms[cell].grid != Grid::own; };
        if (std::ranges::any_of(carrying, carries_elsewhere)) part.use.grids.assign(grids.begin(), grids.end());
        choose_tables(part, cells, capacities);
        const auto values = common_values(part);
        const Manifest empty{part, {}, std::vector<CheckValue>(values)};
        auto layout =
            CellLayout::draw(block_map_, cells, capacities, part.in_common_table, encode(empty).size(), spread);
        if (!layout) return std::nullopt;
        return Fitted{std::move(*layout), std::move(part), values};
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
    std::map<std::pair<std::uint32_t, std::uint64_t>, CellRoom> seen_;
};

constexpr const char* kWhatCarriesNothing =
    "zeros, flags, indices, and values on a grid (+-1, integers, tables, multiples of a step) carry nothing; a "
    "detached signature can cover such a file";

Result<SealPlan> too_small(const model::Model& model, Planner& planner, const SignedPart& part) {
    MODELSEAL_TRY_ASSIGN(const auto room, planner.shortfall(part));
    const auto path = util::printable(model.path.string());
    if (room.offered == 0)
        return Error{ErrorKind::unsupported, fmt::format("{}: no weights in it can carry a seal", path),
                     kWhatCarriesNothing};
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: too small to carry a seal: its weights have room for {} bytes in {}, the seal takes "
                    "about {}",
                    path, room.offered, util::counted(room.cells, "cell"), room.needed),
        kWhatCarriesNothing};
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

}  // namespace

Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SealRequest& request, Audience audience, unsigned jobs) {
    SignedPart part{.stamp = request.stamp, .vendor = request.vendor, .parent = request.parent};
    part.tensors = static_cast<std::uint32_t>(model.tensors.size());
    part.file_checks.assign(model.files.size(), 0);
    if (model.folder) part.rule = model::FolderRule::everything;
    part.in_common_table.assign(model.tensors.size(), false);
    const auto natural = BlockMap(model.tensors).block_elements();
    // A cell is void if its block offers too few values. Longer blocks gather more of the few that a pruned
    // model has left, at the price of placing changes less finely, so they are the last resort. But fewer blocks have
    // fewer check values to be kept, which counts where steps are large. What is to be traced needs cells first.
    std::optional<SealPlan> best;
    std::uint64_t least = 0;
    const auto traceable = [&](const SealPlan& plan) {
        const bool wanted = audience == Audience::customer && !has_few_codes(*plan.block_map, plan);
        return wanted ? std::min(traceable_cells(*plan.block_map, plan), cells_to_trace(*plan.block_map, plan))
                      : 0;
    };
    for (const auto length : lengths_to_try(natural, audience)) {
        auto cut = std::make_unique<const BlockMap>(model.tensors, length);
        Planner planner(model, *cut, secret, jobs);
        MODELSEAL_TRY_ASSIGN(auto plan, best_plan(model, *cut, planner, part, audience));
        if (!plan) continue;
        plan->block_map = std::move(cut);
        const auto changed = values_changed(*plan->block_map, *plan);
        const bool better = !best || traceable(*plan) > traceable(*best) ||
                            (traceable(*plan) == traceable(*best) && changed < least);
        if (better) {
            best = std::move(plan);
            least = changed;
        }
        if (!has_large_steps(*best->block_map, *best)) break;
    }
    if (best) {
        best->most = most_at_all(*best->block_map, *best, audience);
        if (least > best->most) return too_dear(model, least, best->most);
        return std::move(*best);
    }
    const BlockMap block_map(model.tensors);
    Planner planner(model, block_map, secret, jobs);
    return too_small(model, planner, part);
}

}  // namespace modelseal::mark
