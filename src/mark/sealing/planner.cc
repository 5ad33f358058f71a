#include "mark/sealing/planner.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "io/threads.h"
#include "mark/sealing/budget.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

// Content bytes that the largest cell offers to payload, if it holds one record. Most types offer a cell of
// 1,024 values; the estimates below only rule out densities that cannot do.
constexpr std::uint64_t kUsefulBytes = kCellValues / 8 - kTagBytes - kHeadBytes - kRecordHeadBytes;

}  // namespace

Result<std::optional<SealPlan>> Planner::sparsest(SignedPart part, CellLayout::Spread spread) {
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

Result<std::optional<SealPlan>> Planner::at_density(const SignedPart& part, CellLayout::Spread spread,
                                                    Grids allowed, std::size_t slots) {
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
    while (count < order.size() && (bytes < least || count < slots)) bytes += rooms[order[count++]].capacity;
    for (; count < order.size(); count += 1 + count / 16) {
        auto fewer = fit(part, cells, rooms, grids, std::span(order).first(count), spread);
        if (!fewer) continue;
        fitted = std::move(fewer);
        break;
    }
    cells.set_use(fitted->part.use);
    return std::optional(SealPlan{nullptr, std::move(cells), std::move(fitted->layout), std::move(fitted->part),
                                  fitted->common_values});
}

std::uint64_t Planner::needed(const SignedPart& part) const {
    auto bytes = encode_signed(part, 0).size() + sizeof(SignatureBytes);
    return 2 * (bytes + check_bytes(Version::two) * block_map_.total_blocks());
}

Result<Planner::Shortfall> Planner::shortfall(const SignedPart& part) {
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

std::uint64_t Planner::payload(std::span<const CellRoom> rooms, std::span<const std::size_t> order) {
    constexpr std::uint64_t kOverhead = kTagBytes + kHeadBytes + kRecordHeadBytes;
    std::uint64_t bytes = 0;
    for (const auto cell : order)
        bytes += rooms[cell].capacity - std::min<std::uint64_t>(kOverhead, rooms[cell].capacity);
    return bytes;
}

Result<std::optional<SealPlan>> Planner::in_larger_tensors(SealPlan plan, SignedPart part,
                                                           CellLayout::Spread spread, Grids grids) {
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

double Planner::share_of_halves(const SealPlan& plan) const {
    double share = 0;
    for (const auto& slot : plan.layout.slots()) {
        if (kind_of(block_map_, plan, slot) == CarrierKind::bits)
            share += 8.0 * slot.capacity / static_cast<double>(insensitivity(slot.tensor, slot.block));
    }
    return share;
}

std::uint64_t Planner::insensitivity(std::size_t tensor, std::uint64_t block) const {
    const auto elements = block_map_.tensors()[tensor].elements;
    return block_map_.elements_in(tensor, block) > kWindowedBlock ? 10 * elements : elements;
}

bool Planner::may_fit(const SignedPart& part) const {
    std::uint64_t offered = 0;
    for (std::size_t tensor = 0; tensor < block_map_.tensors().size(); ++tensor) {
        if (!block_map_.is_host(tensor, part.density.carrier_class)) continue;
        offered += cells_at_rate(block_map_.blocks(tensor), part.density.rate_step) * kUsefulBytes;
    }
    return offered >= needed(part);
}

Result<std::vector<CellRoom>> Planner::survey(const CellMap& cells) {
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
        const auto grid =
            noise_grid(model_.tensors[tensor], block * block_map_.block_elements(), buffer, cover_);
        if (!grid) return {};
        const Cell cell(cells.keys(tensor), {Version::two, model_.tensors[tensor].dtype, *grid}, block, buffer);
        rooms[unseen[index]] = {*grid, static_cast<std::uint32_t>(cell.capacity())};
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(unseen.size(), jobs_, look));
    for (const auto i : unseen) seen_[{positions[i].tensor, positions[i].block}] = rooms[i];
    return rooms;
}

std::vector<Grid> Planner::grids_of_tensors(const CellMap& cells, std::span<const CellRoom> rooms) const {
    std::vector<std::array<std::uint64_t, 4>> bytes(block_map_.tensors().size());
    for (std::size_t i = 0; i < rooms.size(); ++i)
        bytes[cells.positions()[i].tensor][static_cast<std::size_t>(rooms[i].grid)] += rooms[i].capacity;
    std::vector<Grid> grids;
    for (const auto& of_grid : bytes)
        grids.push_back(static_cast<Grid>(std::ranges::max_element(of_grid) - of_grid.begin()));
    return grids;
}

std::vector<std::size_t> Planner::dearest_last(const CellMap& cells, std::span<const CellRoom> rooms,
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
        const auto kind = carrier_kind({Version::two, block_map_.tensors()[tensor].dtype, rooms[cell].grid});
        return kind == CarrierKind::bits ? insensitivity(tensor, block) : rooms[cell].capacity;
    };
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return cost(a) != cost(b) ? cost(a) < cost(b) : worth(a) > worth(b);
    });
    return order;
}

std::optional<Fitted> Planner::fit(SignedPart part, const CellMap& cells, std::span<const CellRoom> rooms,
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

void Planner::choose_tables(SignedPart& part, const CellMap& cells,
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

std::size_t Planner::common_values(const SignedPart& part) const {
    std::size_t values = 0;
    for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
        if (part.in_common_table[tensor]) values += block_map_.blocks(tensor);
    }
    return values;
}

}  // namespace modelseal::mark
