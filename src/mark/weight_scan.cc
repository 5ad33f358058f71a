#include "mark/weight_scan.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "io/threads.h"
#include "mark/layout.h"
#include "mark/nodes.h"

namespace modelseal::mark {
namespace {

constexpr std::byte kNodeDomain{0x10};
// To start a thread takes as long as to hash a few hundred KiB.
constexpr std::uint64_t kWorthAThread = 1u << 20;

CellReading reading_of(const Cell& cell, const Cell::Content& content) {
    return {static_cast<std::uint32_t>(cell.capacity()), true, static_cast<std::uint8_t>(content.attempt),
            content.bytes};
}

void read_cell(const Cell& cell, std::size_t number, CellReadings& readings) {
    if (cell.capacity() == 0) return;
    if (const auto content = cell.read()) {
        readings.set(number, reading_of(cell, *content));
    } else {
        const auto bytes = cell.unverified();
        readings.set(number, {.capacity = static_cast<std::uint32_t>(cell.capacity()), .bytes = bytes});
    }
}

// For what may be read of each cell that may carry, on whatever grid.
CellReadings room_for(const BlockMap& block_map, const CellMap& cells) {
    std::vector<std::uint32_t> room(cells.positions().size());
    for (std::size_t i = 0; i < room.size(); ++i) {
        if (!cells.carries(i)) continue;
        const auto [tensor, block] = cells.positions()[i];
        const auto dtype = block_map.tensors()[tensor].dtype;
        const auto elements = block_map.elements_in(tensor, block);
        for (const auto grid : grids_of(cells.version(), dtype))
            room[i] = std::max(room[i], full_capacity({cells.version(), dtype, grid}, elements));
    }
    return CellReadings(room);
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

std::uint64_t bytes_of_weights(const model::Model& model) {
    std::uint64_t total = 0;
    for (const auto& tensor : model.tensors) {
        std::uint64_t bytes = 0;
        storage_bytes(tensor.dtype, tensor.elements, bytes);
        total += bytes;
    }
    return total;
}

Result<void> read_block(const model::Model& model, const BlockMap& block_map, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer) {
    const auto count = block_map.elements_in(tensor, block);
    std::uint64_t bytes = 0;
    storage_bytes(model.tensors[tensor].dtype, count, bytes);
    buffer.resize(bytes);
    return read_elements(model, model.tensors[tensor], block * block_map.block_elements(), count, buffer);
}

namespace {

struct Reader {
    crypto::Sha256 hash;
    std::vector<std::byte> block;
};
// The digest of a block with a cell, whose reading is set.
using ScanCell = std::function<crypto::Digest(crypto::Sha256& hash, std::size_t number, std::size_t tensor,
                                              std::uint64_t block, std::span<const std::byte> bytes,
                                              CellReadings& readings)>;

// One pass over all blocks. Each thread reads nodes into a batch, gives blocks without a cell to the hasher, and scans the
// cells itself, meanwhile if the hasher is another processor. `scan_cell` is called by several threads at once.
class WeightScanner {
  public:
    WeightScanner(const model::Model& model, const BlockMap& block_map, const CellMap& cells, const Pass& pass,
                  Progress& progress, const ScanCell& scan_cell)
        : model_(model),
          block_map_(block_map),
          cells_(cells),
          pass_(pass),
          hasher_(pass.hasher != nullptr ? *pass.hasher : hash::processor()),
          progress_(progress),
          scan_cell_(scan_cell),
          nodes_(block_map),
          order_(reading_order(model, block_map, nodes_)),
          total_(bytes_of_weights(model)),
          jobs_(static_cast<unsigned>(std::clamp<std::uint64_t>(
              total_ / kWorthAThread, 1, pass.jobs == 0 ? io::default_jobs() : pass.jobs))),
          known_(model.tensors.size()),
          node_digests_(nodes_.total()),
          threads_(jobs_) {
        for (const auto& tensor : model.tensors) maps_.emplace_back(tensor);
        result_.version = cells.version();
        result_.checks.resize(block_map.total_blocks());
        result_.readings = room_for(block_map, cells);
        if (pass.digests_of_cells) result_.cell_blocks.resize(cells.positions().size());
        divide();
    }

    Result<WeightScan> run() {
        for (std::size_t tensor = 0; pass_.known != nullptr && tensor < known_.size(); ++tensor) {
            MODELSEAL_TRY_ASSIGN(known_[tensor], (*pass_.known)(tensor, block_bytes(tensor)));
        }
        MODELSEAL_TRY(io::parallel_for(groups_.size() - 1, jobs_, [&](std::size_t group, unsigned thread) {
            return scan_group(group, threads_[thread]);
        }));
        for (auto& thread : threads_) {
            for (auto& work : thread.works) {
                if (work.started) MODELSEAL_TRY(complete(work, thread.hash));
            }
        }
        for (std::size_t tensor = 0; tensor < model_.tensors.size(); ++tensor) {
            const auto first = nodes_.first(tensor);
            result_.tensors.push_back(
                tensor_digest(block_map_, cells_.version(), tensor,
                              std::span(node_digests_).subspan(first, nodes_.first(tensor + 1) - first)));
        }
        return std::move(result_);
    }

  private:
    // Nodes that were read into one batch, and what is known of their blocks.
    struct Work {
        std::unique_ptr<hash::Batch> batch;
        bool started = false;
        std::vector<std::uint64_t> nodes;
        std::vector<crypto::Digest> digests;  // of all their blocks; those without a cell are filled in last
        std::vector<hash::Block> plain;       // blocks without a cell
        std::vector<std::size_t> plain_at;    // their indices in `digests`
        struct WithCell {
            std::size_t number, tensor;
            std::uint64_t block;
            hash::Block where;
            std::size_t at;  // in `digests`
        };
        std::vector<WithCell> with_cell;
    };
    struct Thread {
        crypto::Sha256 hash;
        std::vector<Work> works;
        std::size_t next = 0;  // in turn
    };

    std::uint64_t block_bytes(std::size_t tensor) const {
        std::uint64_t bytes = 0;
        storage_bytes(model_.tensors[tensor].dtype, block_map_.block_elements(), bytes);
        return bytes;
    }

    // Nodes begin at multiples of what cards like best.
    static std::uint64_t aligned(std::uint64_t bytes) { return (bytes + 15) / 16 * 16; }

    // Groups of nodes that fill a batch; smaller ones where there would be too few for all threads.
    void divide() {
        const auto most = std::min<std::uint64_t>(hasher_.batch_bytes(), total_ / (4 * jobs_));
        std::uint64_t bytes = 0, blocks = 0;
        for (std::size_t i = 0; i < order_.size(); ++i) {
            const auto node = nodes_.node(order_[i]);
            if (groups_.empty() || bytes + aligned(node.bytes) > most) {
                groups_.push_back(i);
                bytes = blocks = 0;
            }
            bytes += aligned(node.bytes);
            blocks += node.blocks;
            buffer_bytes_ = std::max(buffer_bytes_, bytes);
            most_blocks_ = std::max(most_blocks_, blocks);
        }
        groups_.push_back(order_.size());
    }

    Result<void> scan_group(std::size_t group, Thread& thread) {
        if (thread.works.empty()) thread.works.resize(hasher_.batches());
        auto& work = thread.works[thread.next];
        thread.next = (thread.next + 1) % thread.works.size();
        if (work.started) MODELSEAL_TRY(complete(work, thread.hash));
        if (!work.batch) {
            MODELSEAL_TRY_ASSIGN(work.batch, hasher_.make_batch(buffer_bytes_, most_blocks_));
        }
        MODELSEAL_TRY(
            read(std::span(order_).subspan(groups_[group], groups_[group + 1] - groups_[group]), work));
        work.batch->start(kPlainBlock, work.plain);
        work.started = true;
        for (const auto& each : work.with_cell) {
            const auto bytes = work.batch->buffer().subspan(each.where.offset, each.where.bytes);
            work.digests[each.at] =
                scan_cell_(thread.hash, each.number, each.tensor, each.block, bytes, result_.readings);
            if (pass_.digests_of_cells) result_.cell_blocks[each.number] = work.digests[each.at];
        }
        return thread.works.size() > 1 ? Result<void>() : complete(work, thread.hash);
    }

    Result<void> read(std::span<const std::uint64_t> nodes, Work& work) {
        work.nodes.assign(nodes.begin(), nodes.end());
        work.plain.clear();
        work.plain_at.clear();
        work.with_cell.clear();
        work.digests.clear();
        std::size_t offset = 0, at = 0;
        for (const auto number : nodes) {
            const auto node = nodes_.node(number);
            const auto& tensor = model_.tensors[node.tensor];
            const auto begin = node.first_block * block_map_.block_elements();
            const auto elements = std::min(node.blocks * block_map_.block_elements(), tensor.elements - begin);
            const auto* known = known_[node.tensor] ? &*known_[node.tensor] : nullptr;
            const auto bytes = work.batch->buffer().subspan(offset, node.bytes);
            if (known == nullptr) {
                MODELSEAL_TRY(maps_[node.tensor].read(model_, begin, elements, bytes));
                if (pass_.witness != nullptr) MODELSEAL_TRY((*pass_.witness)(tensor, begin, elements, bytes));
            }
            work.digests.resize(at + node.blocks);
            const auto length = block_bytes(node.tensor);
            for (std::uint64_t i = 0; i < node.blocks; ++i, ++at) {
                const auto block = node.first_block + i;
                const hash::Block where{offset + i * length, std::min(length, node.bytes - i * length)};
                if (const auto cell = cells_.find(node.tensor, block)) {
                    work.with_cell.push_back({*cell, node.tensor, block, where, at});
                    if (known == nullptr) continue;
                    MODELSEAL_TRY(maps_[node.tensor].read(model_, block * block_map_.block_elements(),
                                                          block_map_.elements_in(node.tensor, block),
                                                          bytes.subspan(i * length, where.bytes)));
                } else if (known != nullptr) {
                    work.digests[at] = (*known)[block];
                } else {
                    work.plain.push_back(where);
                    work.plain_at.push_back(at);
                }
            }
            offset += aligned(node.bytes);
        }
        return {};
    }

    // Waits for the digests, and enters what follows from them.
    Result<void> complete(Work& work, crypto::Sha256& hash) {
        work.started = false;
        MODELSEAL_TRY_ASSIGN(const auto plain, work.batch->finish());
        for (std::size_t i = 0; i < plain.size(); ++i) work.digests[work.plain_at[i]] = plain[i];
        std::span<const crypto::Digest> left(work.digests);
        for (const auto number : work.nodes) {
            const auto node = nodes_.node(number);
            const auto first = block_map_.first_block(node.tensor) + node.first_block;
            hash.update(std::span(&kNodeDomain, 1));
            for (std::uint64_t i = 0; i < node.blocks; ++i) {
                result_.checks[first + i] = check_value(left[i], cells_.version());
                hash.update(left[i]);
            }
            node_digests_[number] = hash.finish();
            left = left.subspan(node.blocks);
            progress_.advance(node.bytes);
        }
        return {};
    }

    const model::Model& model_;
    const BlockMap& block_map_;
    const CellMap& cells_;
    const Pass& pass_;
    const hash::BlockHasher& hasher_;
    Progress& progress_;
    const ScanCell& scan_cell_;
    const Nodes nodes_;
    const std::vector<std::uint64_t> order_;
    const std::uint64_t total_;  // bytes of weights
    const unsigned jobs_;
    std::vector<model::ElementMap> maps_;
    std::vector<std::size_t> groups_;                   // where each begins in `order_`, and the end
    std::uint64_t buffer_bytes_ = 0, most_blocks_ = 0;  // of a group
    std::vector<std::optional<std::vector<crypto::Digest>>> known_;  // of all blocks of a tensor
    WeightScan result_;
    std::vector<crypto::Digest> node_digests_;
    std::vector<Thread> threads_;
};

// As the cell map says that cells are used. `cells` must outlive it.
ScanCell as_used(const model::Model& model, const CellMap& cells) {
    return [&](crypto::Sha256& hash, std::size_t number, std::size_t tensor, std::uint64_t block,
               std::span<const std::byte> bytes, CellReadings& readings) {
        if (!cells.carries(number)) return plain_digest(hash, bytes);
        const Carriers carriers{cells.version(), model.tensors[tensor].dtype, cells.grid(tensor)};
        const Cell cell(cells.keys(tensor), carriers, block, bytes);
        read_cell(cell, number, readings);
        return cell.digest(hash);
    };
}

}  // namespace

Result<WeightScan> scan_weights(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                const Pass& pass, Progress& progress) {
    const auto scan_cell = as_used(model, cells);
    return WeightScanner(model, block_map, cells, pass, progress, scan_cell).run();
}

Result<std::optional<WeightScan>> scan_cells(const model::Model& copy, const BlockMap& block_map,
                                             const CellMap& cells, const WeightScan& scanned, unsigned jobs) {
    const auto scan_cell = as_used(copy, cells);
    auto result = scanned;
    result.readings = room_for(block_map, cells);
    std::atomic<bool> same = true;
    std::vector<Reader> readers(jobs == 0 ? io::default_jobs() : jobs);
    const auto look = [&](std::size_t number, unsigned thread) -> Result<void> {
        auto& [hash, block] = readers[thread];
        const auto& [tensor, index] = cells.positions()[number];
        MODELSEAL_TRY(read_block(copy, block_map, tensor, index, block));
        const auto digest = scan_cell(hash, number, tensor, index, block, result.readings);
        if (digest != scanned.cell_blocks[number]) same = false;
        return {};
    };
    MODELSEAL_TRY(io::parallel_for(cells.positions().size(), static_cast<unsigned>(readers.size()), look));
    return same ? std::optional(std::move(result)) : std::nullopt;
}

Result<std::optional<WeightScan>> scan_as_found(const model::Model& model, const BlockMap& block_map,
                                                CellMap& cells, const Pass& pass) {
    struct Found {
        bool valid = false;
        Grid grid = Grid::own;
    };
    std::vector<Found> found(cells.positions().size());
    const auto scan_cell = [&](crypto::Sha256& hash, std::size_t number, std::size_t tensor,
                               std::uint64_t block, std::span<const std::byte> bytes, CellReadings& readings) {
        const auto dtype = model.tensors[tensor].dtype;
        for (const auto grid : grids_of(cells.version(), dtype)) {
            const Cell cell(cells.keys(tensor), {cells.version(), dtype, grid}, block, bytes);
            const auto content = cell.read();
            if (!content || !parse_content(content->bytes, cells.version())) continue;
            found[number] = {true, grid};
            readings.set(number, reading_of(cell, *content));
            return cell.digest(hash);
        }
        return plain_digest(hash, bytes);
    };
    MODELSEAL_TRY_ASSIGN(auto result,
                         WeightScanner(model, block_map, cells, pass, no_progress(), scan_cell).run());
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
