#include "mark/sealing/budget.h"

#include <algorithm>

#include <fmt/format.h>

#include "mark/coding/quantized_codes.h"
#include "util/text.h"

namespace modelseal::mark {

namespace {
constexpr std::uint64_t kTraceableCells = 64;
}  // namespace

CarrierKind kind_of(const BlockMap& block_map, const SealPlan& plan, const CellSlot& slot) {
    return carrier_kind({Version::two, block_map.tensors()[slot.tensor].dtype, plan.cells.grid(slot.tensor)});
}

bool has_large_steps(const BlockMap& block_map, const SealPlan& plan) {
    return std::ranges::any_of(plan.layout.slots(), [&](const CellSlot& slot) {
        return kind_of(block_map, plan, slot) != CarrierKind::lattice;
    });
}

bool has_few_codes(const BlockMap& block_map, const SealPlan& plan) {
    return std::ranges::any_of(plan.layout.slots(), [&](const CellSlot& slot) {
        const auto* type = code_type(block_map.tensors()[slot.tensor].dtype);
        return type != nullptr && type->pairs <= 8;
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
                values += values_in_cell(kQuantized, block_map.block_elements());
        }
    }
    return values;
}

std::uint64_t values_in_cell(unsigned carrier_class, std::uint64_t block_elements) {
    if (carrier_class == kFloats) return kCellValues;
    return (block_elements == kWindowedBlock ? kWindowedCellValues : kLowestBitCellValues) * 9 / 16;
}

// In lowest bits of a small model one in every 4,096 elements, since what is left of it has a complete block of so many;
// where more runs are left, each may have fewer. Floats have other blocks.
std::uint64_t cells_to_trace(const BlockMap& block_map, const SealPlan& plan) {
    const auto elements = block_map.total_elements();
    const auto cell = values_in_cell(plan.signed_part.density.carrier_class, block_map.block_elements());
    const auto affordable = std::min(kTraceableCells, most_for_traces(block_map, plan) / cell);
    if (!has_large_steps(block_map, plan)) return affordable;
    return std::min({affordable, elements / kWindowedBlock, 18 + elements / 10'240});
}

std::uint64_t traceable_cells(const BlockMap& block_map, const SealPlan& plan) {
    const bool windowed = block_map.block_elements() <= kWindowedBlock;
    std::uint64_t eighths = 0;
    for (const auto& slot : plan.layout.slots())
        eighths += windowed || kind_of(block_map, plan, slot) == CarrierKind::lattice ? 8 : 1;
    return eighths / 8;
}

// What a seal guarantees of large models is the share: a fiftieth. In a small model two copies of the manifest alone
// take more than that; and a customer's seal has cells to lose.
std::uint64_t most_changed(std::uint64_t elements, unsigned carrier_class, Audience audience) {
    constexpr std::uint64_t kFewValues = 16'384;
    const auto cell = values_in_cell(carrier_class, kWindowedBlock);
    auto floor = carrier_class == kFloats ? kFewValues : kFewValues * 9 / 16;
    if (audience == Audience::customer)
        floor = std::max(floor, std::min<std::uint64_t>(kTraceableCells * cell, elements * 3 / 10));
    return std::max(elements / 50, floor);
}

std::uint64_t most_at_all(const BlockMap& block_map, const SealPlan& plan, Audience audience) {
    const auto most =
        most_changed(block_map.total_elements(), plan.signed_part.density.carrier_class, audience);
    return has_large_steps(block_map, plan) ? most : std::max(most, kTraceableCells * kCellValues);
}

std::uint64_t most_for_comfort(const BlockMap& block_map, const SealPlan& plan, Audience audience) {
    const auto elements = block_map.total_elements();
    return has_large_steps(block_map, plan)
               ? elements / 64
               : most_changed(elements, plan.signed_part.density.carrier_class, audience);
}

std::uint64_t most_for_traces(const BlockMap& block_map, const SealPlan& plan) {
    const auto elements = block_map.total_elements();
    return has_few_codes(block_map, plan)
               ? elements / 64
               : most_changed(elements, plan.signed_part.density.carrier_class, Audience::customer);
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
