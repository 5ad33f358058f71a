#include "mark/weight_scan.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "io/threads.h"
#include "mark/layout.h"

namespace modelseal::mark {
namespace {

constexpr std::uint64_t kNodeBlocks = 16;
constexpr std::byte kNodeDomain{0x10};

struct Worker {
    crypto::Sha256 hash;
    std::vector<std::byte> buffer;
};

// Nodes of all tensors, numbered through, so that threads can share them evenly.
class Nodes {
  public:
    explicit Nodes(const BlockMap& block_map) {
        first_.push_back(0);
        for (std::size_t i = 0; i < block_map.tensors().size(); ++i) {
            first_.push_back(first_.back() + (block_map.blocks(i) + kNodeBlocks - 1) / kNodeBlocks);
        }
    }
    std::uint64_t total() const { return first_.back(); }
    std::uint64_t first(std::size_t tensor) const { return first_[tensor]; }
    std::size_t tensor_of(std::uint64_t node) const {
        return static_cast<std::size_t>(std::ranges::upper_bound(first_, node) - first_.begin()) - 1;
    }

  private:
    std::vector<std::uint64_t> first_;
};

// All nodes in the order of the files: another order reads slower, and finds less in the page cache
// of what another pass over the files reads at the same time.
std::vector<std::uint64_t> reading_order(const model::Model& model, const BlockMap& block_map,
                                         const Nodes& nodes) {
    struct NodeStart {
        std::uint32_t file;
        std::uint64_t offset;
        std::uint64_t node;
    };
    std::vector<NodeStart> starts;
    starts.reserve(nodes.total());
    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        const auto first = nodes.first(tensor), count = nodes.first(tensor + 1) - first;
        if (count == 0) continue;
        const auto& segment = model.tensors[tensor].segments.front();
        std::uint64_t bytes = 0;
        storage_bytes(model.tensors[tensor].dtype, kNodeBlocks * block_map.block_elements(), bytes);
        for (std::uint64_t i = 0; i < count; ++i) {
            starts.push_back({segment.file, segment.offset + i * bytes, first + i});
        }
    }
    std::ranges::sort(starts, {}, [](const NodeStart& each) {
        return std::tuple(each.file, each.offset, each.node);
    });
    std::vector<std::uint64_t> order(starts.size());
    std::ranges::transform(starts, order.begin(), &NodeStart::node);
    return order;
}

CellReading read_cell(const Cell& cell) {
    CellReading reading{.capacity = static_cast<std::uint32_t>(cell.capacity())};
    if (cell.capacity() == 0) return reading;
    if (auto content = cell.read()) {
        reading.valid = true;
        reading.attempt = static_cast<std::uint8_t>(content->attempt);
        reading.bytes = std::move(content->bytes);
    } else {
        reading.bytes = cell.unverified();
    }
    return reading;
}

// In version 2 without its name, which is part of the frame in every format: so weights are known again under
// other names.
crypto::Digest tensor_digest(const BlockMap& block_map, Version version, std::size_t index,
                             std::span<const crypto::Digest> nodes) {
    const auto& tensor = block_map.tensors()[index];
    crypto::Sha256 hash;
    if (version == Version::one) {
        hash.update_text("modelseal/1 tensor").update(identity(tensor));
    } else {
        hash.update_text("modelseal/2 tensor");
        hash_kind(hash, tensor);
    }
    hash.update_number(tensor.elements);
    hash.update_number(block_map.block_elements()).update_number(block_map.blocks(index));
    for (const auto& node : nodes) hash.update(node);
    return hash.finish();
}

}  // namespace

Result<void> read_block(const model::Model& model, const BlockMap& block_map, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer) {
    const auto count = block_map.elements_in(tensor, block);
    std::uint64_t bytes = 0;
    storage_bytes(model.tensors[tensor].dtype, count, bytes);
    buffer.resize(bytes);
    return read_elements(model, model.tensors[tensor], block * block_map.block_elements(), count, buffer);
}

namespace {

// Digest and reading of a block with a cell.
struct CellScan {
    crypto::Digest digest;
    CellReading reading;
};
using ScanCell = std::function<CellScan(crypto::Sha256& hash, std::size_t number, std::size_t tensor,
                                        std::uint64_t block, std::span<const std::byte> bytes)>;

// One pass over all blocks; `scan_cell` is asked for those that have a cell, by several threads at once.
Result<WeightScan> scan(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                        const Pass& pass, Progress& progress, const ScanCell& scan_cell) {
    const auto jobs = pass.jobs == 0 ? io::default_jobs() : pass.jobs;
    const Nodes nodes(block_map);
    const auto order = reading_order(model, block_map, nodes);
    std::vector<model::ElementMap> maps;
    maps.reserve(model.tensors.size());
    for (const auto& tensor : model.tensors) maps.emplace_back(tensor);

    WeightScan result;
    result.version = cells.version();
    result.checks.resize(block_map.total_blocks());
    result.readings.resize(cells.positions().size());
    std::vector<crypto::Digest> node_digests(nodes.total());
    std::vector<Worker> workers(jobs);

    const auto scan_node = [&](std::size_t round, unsigned index) -> Result<void> {
        auto& worker = workers[index];
        const auto node = order[round];
        const auto tensor = nodes.tensor_of(node);
        const auto dtype = model.tensors[tensor].dtype;
        const auto first = (node - nodes.first(tensor)) * kNodeBlocks;
        const auto last = std::min(first + kNodeBlocks, block_map.blocks(tensor));
        const auto begin = first * block_map.block_elements();
        const auto elements =
            std::min(last * block_map.block_elements(), model.tensors[tensor].elements) - begin;
        std::uint64_t bytes = 0, block_bytes = 0;
        storage_bytes(dtype, elements, bytes);
        storage_bytes(dtype, block_map.block_elements(), block_bytes);
        worker.buffer.resize(bytes);
        MODELSEAL_TRY(maps[tensor].read(model, begin, elements, worker.buffer));

        std::array<crypto::Digest, kNodeBlocks> digests;
        for (auto block = first; block < last; ++block) {
            const auto offset = (block - first) * block_bytes;
            const auto view = std::span<const std::byte>(worker.buffer)
                                  .subspan(offset, std::min(block_bytes, bytes - offset));
            auto& digest = digests[block - first];
            if (const auto number = cells.find(tensor, block)) {
                auto cell = scan_cell(worker.hash, *number, tensor, block, view);
                digest = cell.digest;
                result.readings[*number] = std::move(cell.reading);
            } else {
                digest = plain_digest(worker.hash, view);
            }
            result.checks[block_map.first_block(tensor) + block] = check_value(digest, cells.version());
        }
        worker.hash.update(std::span(&kNodeDomain, 1));
        for (auto block = first; block < last; ++block) worker.hash.update(digests[block - first]);
        node_digests[node] = worker.hash.finish();
        progress.advance(bytes);
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(order.size(), jobs, scan_node));

    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        const auto first = nodes.first(tensor);
        result.tensors.push_back(
            tensor_digest(block_map, cells.version(), tensor,
                          std::span(node_digests).subspan(first, nodes.first(tensor + 1) - first)));
    }
    return result;
}

}  // namespace

Result<WeightScan> scan_weights(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                const Pass& pass, Progress& progress) {
    return scan(model, block_map, cells, pass, progress,
                [&](crypto::Sha256& hash, std::size_t number, std::size_t tensor, std::uint64_t block,
                    std::span<const std::byte> bytes) -> CellScan {
                    if (!cells.carries(number)) return {plain_digest(hash, bytes), {}};
                    const Carriers carriers{cells.version(), model.tensors[tensor].dtype, cells.grid(tensor)};
                    const Cell cell(cells.keys(tensor), carriers, block, bytes);
                    return {cell.digest(hash), read_cell(cell)};
                });
}

Result<std::optional<WeightScan>> scan_as_found(const model::Model& model, const BlockMap& block_map,
                                                CellMap& cells, const Pass& pass) {
    struct Found {
        bool valid = false;
        Grid grid = Grid::own;
    };
    std::vector<Found> found(cells.positions().size());
    const auto scan_cell = [&](crypto::Sha256& hash, std::size_t number, std::size_t tensor,
                               std::uint64_t block, std::span<const std::byte> bytes) -> CellScan {
        const auto dtype = model.tensors[tensor].dtype;
        for (const auto grid : grids_of(cells.version(), dtype)) {
            const Cell cell(cells.keys(tensor), {cells.version(), dtype, grid}, block, bytes);
            auto content = cell.read();
            if (!content || !parse_content(content->bytes, cells.version())) continue;
            found[number] = {true, grid};
            return {cell.digest(hash),
                    {.capacity = static_cast<std::uint32_t>(cell.capacity()),
                     .valid = true,
                     .attempt = static_cast<std::uint8_t>(content->attempt),
                     .bytes = std::move(content->bytes)}};
        }
        return {plain_digest(hash, bytes), {}};
    };
    MODELSEAL_TRY_ASSIGN(auto result, scan(model, block_map, cells, pass, no_progress(), scan_cell));
    CellUse use{.carrying = {}, .grids = std::vector<Grid>(model.tensors.size(), Grid::own)};
    std::vector<bool> any(model.tensors.size());
    for (std::size_t number = 0; number < found.size(); ++number) {
        const auto tensor = cells.positions()[number].tensor;
        use.carrying.push_back(found[number].valid);
        if (!found[number].valid) continue;
        if (any[tensor] && use.grids[tensor] != found[number].grid) return std::optional<WeightScan>();
        use.grids[tensor] = found[number].grid;
        any[tensor] = true;
    }
    cells.set_use(std::move(use));
    return std::optional(std::move(result));
}

crypto::Digest weights_root(const WeightScan& scan) {
    crypto::Sha256 hash;
    hash.update_text(scan.version == Version::one ? "modelseal/1 weights" : "modelseal/2 weights");
    hash.update_number(scan.tensors.size());
    for (const auto& tensor : scan.tensors) hash.update(tensor);
    for (std::size_t cell = 0; cell < scan.readings.size(); ++cell) {
        if (scan.readings[cell].attempt != 0)
            hash.update_number(cell).update_number(scan.readings[cell].attempt);
    }
    return hash.finish();
}

}  // namespace modelseal::mark
