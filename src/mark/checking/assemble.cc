#include "mark/checking/assemble.h"

#include <algorithm>

#include "io/threads.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

constexpr std::size_t kFirstBatch = 64;  // cells: of most models these have the manifest

// Nothing if it is valid on no grid, or its content is not well-formed.
Result<std::optional<ValidCell>> read_on_grids(const model::Model& model, const BlockMap& block_map,
                                               const CellMap& cells, std::size_t number) {
    const auto [tensor, block] = cells.positions()[number];
    const auto dtype = model.tensors[tensor].dtype;
    std::vector<std::byte> buffer;
    MODELSEAL_TRY(read_block(model, block_map, tensor, block, buffer));
    for (const auto grid : grids_of(cells.version(), dtype)) {
        auto content = Cell(cells.keys(tensor), {cells.version(), dtype, grid}, block, buffer).read();
        if (!content) continue;
        ValidCell valid{.cell = number, .grid = grid, .bytes = std::move(content->bytes), .content = {}};
        auto parsed = parse_content(valid.bytes, cells.version());
        if (!parsed) continue;
        valid.content = std::move(*parsed);
        return std::optional(std::move(valid));
    }
    return std::optional<ValidCell>();
}

// Whether it pays to solve for the manifest: a few pieces are read twice.
bool enough(std::span<const ValidCell> valid) {
    std::size_t pieces = 0, needed = 0;
    for (const auto& cell : valid) {
        pieces += cell.content.pieces.size();
        if (needed == 0 && cell.content.head.manifest_bytes > 0 && cell.content.head.piece_bytes > 0)
            needed = Erasure(cell.content.head.manifest_bytes, cell.content.head.piece_bytes).data_pieces();
    }
    return needed != 0 && pieces >= needed;
}

std::optional<Manifest> assemble(std::span<const ValidCell> cells) {
    ManifestPieces pieces;
    for (const auto& each : cells) pieces.add(each.content);
    return pieces.assemble();
}

}  // namespace

void ManifestPieces::add(const CellContent& content) {
    auto& pieces = by_head_[content.head];
    pieces.insert(pieces.end(), content.pieces.begin(), content.pieces.end());
}

std::optional<Manifest> ManifestPieces::assemble() const {
    const auto most =
        std::ranges::max_element(by_head_, {}, [](const auto& entry) { return entry.second.size(); });
    if (most == by_head_.end()) return std::nullopt;
    const auto bytes = Erasure(most->first.manifest_bytes, most->first.piece_bytes).restore(most->second);
    return bytes ? decode(*bytes) : std::nullopt;
}

Result<FoundCells> read_cells_until(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                    std::span<const std::size_t> order, std::size_t least, unsigned jobs,
                                    const std::function<bool(const Manifest&)>& accepts) {
    FoundCells found;
    for (std::size_t done = 0; done < order.size();) {
        const auto batch = std::min(order.size() - done, std::max({kFirstBatch, least, done}));
        std::vector<std::optional<ValidCell>> readings(batch);
        MODELSEAL_TRY(io::parallel_for(batch, jobs, [&](std::size_t i, unsigned) -> Result<void> {
            MODELSEAL_TRY_ASSIGN(readings[i], read_on_grids(model, block_map, cells, order[done + i]));
            return {};
        }));
        for (auto& reading : readings) {
            if (reading) found.valid.push_back(std::move(*reading));
        }
        done += batch;
        if (done < order.size() && !enough(found.valid)) continue;
        found.manifest = assemble(found.valid);
        found.accepted = found.manifest && accepts(*found.manifest);
        if (found.accepted) break;
    }
    return found;
}

bool is_by_vendor(const Manifest& manifest, const CheckKey& key, const Located& where) {
    const auto& part = manifest.signed_part;
    return part.vendor == vendor_hash(key.vendor) && part.version == where.version &&
           part.density == where.density && verify(key.vendor, manifest);
}

}  // namespace modelseal::mark
