#include "mark/checking/find_manifest.h"

#include <algorithm>

namespace modelseal::mark {
namespace {

// Cells of the tensors to be read completely first, the others in their order.
std::vector<std::size_t> order_of(const CellMap& cells, const std::vector<bool>& completely) {
    std::vector<std::size_t> order(cells.positions().size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t number) { return completely[cells.positions()[number].tensor]; });
    return order;
}

}  // namespace

Result<std::optional<FoundManifest>> find_manifest(const model::Model& model, const CheckKey& key,
                                                   const std::vector<bool>& completely, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(auto seal, find_seal(model, key.secret.bytes()));
    if (!seal) return std::optional<FoundManifest>();
    CellMap cells(*seal->block_map, key.secret.bytes(), seal->where.density, seal->where.version);
    FoundManifest found{
        .block_map = std::move(seal->block_map), .where = seal->where, .cells = std::move(cells), .read = {}};
    const auto order = order_of(found.cells, completely);
    const auto needed = static_cast<std::size_t>(std::ranges::count_if(
        found.cells.positions(), [&](const CellPosition& cell) { return completely[cell.tensor]; }));
    const auto by_vendor = [&](const Manifest& manifest) { return is_by_vendor(manifest, key, found.where); };
    MODELSEAL_TRY_ASSIGN(
        found.read, read_cells_until(model, *found.block_map, found.cells, order, needed, jobs, by_vendor));
    return std::optional(std::move(found));
}

}  // namespace modelseal::mark
