#include "mark/sealing/budget.h"

#include <algorithm>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::mark {

CarrierKind kind_of(const BlockMap& block_map, const SealPlan& plan, const CellSlot& slot) {
    return carrier_kind({Version::two, block_map.tensors()[slot.tensor].dtype, plan.cells.grid(slot.tensor)});
}

bool has_large_steps(const BlockMap& block_map, const SealPlan& plan) {
    return std::ranges::any_of(plan.layout.slots(), [&](const CellSlot& slot) {
        return kind_of(block_map, plan, slot) != CarrierKind::lattice;
    });
}

std::uint64_t values_changed(const BlockMap& block_map, const SealPlan& plan) {
    std::uint64_t values = 0;
    for (const auto& slot : plan.layout.slots()) {
        switch (kind_of(block_map, plan, slot)) {
            // A cell has as many bits as values, and the inverse wavelet spreads what was written over all.
            case CarrierKind::lattice:
                values += std::uint64_t{8} * slot.capacity;
                break;
            // A value changes only where its lowest bit differs, every other time.
            case CarrierKind::bits:
                values += std::uint64_t{8} * slot.capacity * 9 / 16;
                break;
            default:
                values += kLowestBitCellValues * 9 / 16;
        }
    }
    return values;
}

std::uint64_t values_in_cell(unsigned carrier_class) {
    return carrier_class == kFloats ? kCellValues : kLowestBitCellValues * 9 / 16;
}

// What a seal guarantees of large models is the share: a fiftieth. In a small model two copies of the manifest alone
// take more than that; and a customer's seal has cells to lose.
std::uint64_t most_changed(std::uint64_t elements, unsigned carrier_class, Audience audience) {
    constexpr std::uint64_t kFewValues = 16'384;
    const auto cell = values_in_cell(carrier_class);
    auto floor = carrier_class == kFloats ? kFewValues : kFewValues * 9 / 16;
    if (audience == Audience::customer)
        floor = std::max(floor, std::min<std::uint64_t>(kTraceableCells * cell, elements * 3 / 10));
    return std::max(elements / 50, floor);
}

std::uint64_t most_for_comfort(const BlockMap& block_map, const SealPlan& plan, Audience audience) {
    const auto elements = block_map.total_elements();
    return has_large_steps(block_map, plan)
               ? elements / 64
               : most_changed(elements, plan.signed_part.density.carrier_class, audience);
}

std::uint64_t most_for_traces(const BlockMap& block_map, const SealPlan& plan) {
    const auto carrier_class = plan.signed_part.density.carrier_class;
    const auto elements = block_map.total_elements();
    return carrier_class == kQuantized ? elements / 64
                                       : most_changed(elements, carrier_class, Audience::customer);
}

Error too_dear(const model::Model& model, std::uint64_t changed, std::uint64_t most) {
    std::uint64_t elements = 0;
    for (const auto& tensor : model.tensors) elements += tensor.elements;
    return {ErrorKind::unsupported,
            fmt::format("{}: a seal would change {} of its {} weights, more than the {} that it may",
                        util::printable(model.path.string()), changed, elements, most),
            "it has many small tensors for its size; a detached signature can cover such a file"};
}

}  // namespace modelseal::mark
