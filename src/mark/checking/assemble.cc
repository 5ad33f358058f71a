#include "mark/checking/assemble.h"

#include <algorithm>

#include "io/threads.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

// Of one cell, on the first grid on which it is valid.
struct GridReading {
    Grid grid = Grid::own;
    std::optional<ValidCell> cell;
};

Result<GridReading> read_on_grids(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                  std::size_t number) {
    const auto [tensor, block] = cells.positions()[number];
    const auto dtype = model.tensors[tensor].dtype;
    std::vector<std::byte> buffer;
    MODELSEAL_TRY(read_block(model, block_map, tensor, block, buffer));
    for (const auto grid : grids_of(cells.version(), dtype)) {
        auto content = Cell(cells.keys(tensor), {cells.version(), dtype, grid}, block, buffer).read();
        if (!content) continue;
        if (auto valid = valid_cell(number, std::move(content->bytes), cells.version()))
            return GridReading{grid, std::move(valid)};
    }
    return GridReading();
}

}  // namespace

std::optional<ValidCell> valid_cell(std::size_t cell, std::vector<std::byte> content, Version version) {
    ValidCell valid{.cell = cell, .bytes = std::move(content), .content = {}};
    auto parsed = parse_content(valid.bytes, version);
    if (!parsed) return std::nullopt;
    valid.content = std::move(*parsed);
    return valid;
}

void ManifestPieces::add(const CellContent& content) {
    auto& pieces = by_head_[content.head];
    pieces.insert(pieces.end(), content.pieces.begin(), content.pieces.end());
}

std::optional<Manifest> assemble(std::span<const ValidCell> cells) {
    ManifestPieces pieces;
    for (const auto& each : cells) pieces.add(each.content);
    return pieces.assemble();
}

std::optional<Manifest> ManifestPieces::assemble() const {
    const auto most =
        std::ranges::max_element(by_head_, {}, [](const auto& entry) { return entry.second.size(); });
    if (most == by_head_.end()) return std::nullopt;
    const auto bytes = Erasure(most->first.manifest_bytes, most->first.piece_bytes).restore(most->second);
    return bytes ? decode(*bytes) : std::nullopt;
}

Result<std::optional<ValidCell>> read_cell_at(const model::Model& model, const BlockMap& block_map,
                                              const CellMap& cells, std::size_t number) {
    MODELSEAL_TRY_ASSIGN(auto reading, read_on_grids(model, block_map, cells, number));
    return std::move(reading.cell);
}

Result<FoundCells> read_all_cells(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                  unsigned jobs) {
    std::vector<GridReading> readings(cells.positions().size());
    const auto read = [&](std::size_t number, unsigned) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(readings[number], read_on_grids(model, block_map, cells, number));
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(readings.size(), jobs, read));

    FoundCells found;
    found.valid.carrying.assign(readings.size(), false);
    found.valid.grids.assign(model.tensors.size(), Grid::own);
    std::vector<ValidCell> valid;
    for (std::size_t number = 0; number < readings.size(); ++number) {
        auto& reading = readings[number];
        if (!reading.cell) continue;
        found.valid.carrying[number] = true;
        found.valid.grids[cells.positions()[number].tensor] = reading.grid;
        valid.push_back(std::move(*reading.cell));
    }
    found.manifest = assemble(valid);
    return found;
}

}  // namespace modelseal::mark
