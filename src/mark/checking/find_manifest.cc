#include "mark/checking/find_manifest.h"

#include <algorithm>

#include "io/threads.h"

namespace modelseal::mark {
namespace {

constexpr std::size_t kFirstBatch = 64;  // cells: of most models these have the manifest

bool by_vendor(const Manifest& manifest, const CheckKey& key, const Located& where) {
    const auto& part = manifest.signed_part;
    return part.vendor == vendor_hash(key.vendor) && part.version == where.version &&
           part.density == where.density && verify(key.vendor, manifest);
}

// Cells of the tensors to be read completely first, the others in their order.
std::vector<std::size_t> order_of(const CellMap& cells, const std::vector<bool>& completely) {
    std::vector<std::size_t> order(cells.positions().size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t number) { return completely[cells.positions()[number].tensor]; });
    return order;
}

// Whether it pays to solve for the manifest: a few pieces are read twice.
bool enough(const std::vector<ValidCell>& valid) {
    std::size_t pieces = 0, needed = 0;
    for (const auto& cell : valid) {
        pieces += cell.content.pieces.size();
        if (needed == 0 && cell.content.head.manifest_bytes > 0 && cell.content.head.piece_bytes > 0)
            needed = Erasure(cell.content.head.manifest_bytes, cell.content.head.piece_bytes).data_pieces();
    }
    return needed != 0 && pieces >= needed;
}

}  // namespace

Result<std::optional<FoundManifest>> find_manifest(const model::Model& model, const CheckKey& key,
                                                   const std::vector<bool>& completely, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(auto seal, find_seal(model, key.secret.bytes()));
    if (!seal) return std::optional<FoundManifest>();
    CellMap cells(*seal->block_map, key.secret.bytes(), seal->where.density, seal->where.version);
    FoundManifest found{.block_map = std::move(seal->block_map),
                        .where = seal->where,
                        .cells = std::move(cells),
                        .manifest = {},
                        .valid = {}};
    const auto order = order_of(found.cells, completely);
    const auto needed = static_cast<std::size_t>(std::ranges::count_if(
        found.cells.positions(), [&](const CellPosition& cell) { return completely[cell.tensor]; }));
    // Twice as many each time, so that solving costs no more than it would at the end.
    for (std::size_t done = 0; done < order.size();) {
        const auto batch = std::min(order.size() - done, std::max({kFirstBatch, needed, done}));
        std::vector<std::optional<ValidCell>> readings(batch);
        MODELSEAL_TRY(io::parallel_for(batch, jobs, [&](std::size_t i, unsigned) -> Result<void> {
            MODELSEAL_TRY_ASSIGN(readings[i],
                                 read_cell_at(model, *found.block_map, found.cells, order[done + i]));
            return {};
        }));
        for (auto& reading : readings) {
            if (reading) found.valid.push_back(std::move(*reading));
        }
        done += batch;
        if (done < order.size() && !enough(found.valid)) continue;
        found.manifest = assemble(found.valid);
        // Of a manifest that a holder of the check key wrote there may be some cells, and the vendor's in the others.
        found.is_signed = found.manifest && by_vendor(*found.manifest, key, found.where);
        if (found.is_signed) break;
    }
    return std::optional(std::move(found));
}

}  // namespace modelseal::mark
