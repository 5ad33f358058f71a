#include "mark/scan.h"

#include <algorithm>
#include <tuple>

#include "io/threads.h"

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
    explicit Nodes(const Geometry& geometry) {
        first_.push_back(0);
        for (std::size_t i = 0; i < geometry.tensors().size(); ++i) {
            first_.push_back(first_.back() + (geometry.blocks(i) + kNodeBlocks - 1) / kNodeBlocks);
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

// All nodes as the files hold them: whoever reads in another order reads slower, and cannot share.
std::vector<std::uint64_t> reading_order(const model::Model& model, const Geometry& geometry,
                                         const Nodes& nodes, unsigned files_at_once) {
    struct Place {
        std::uint32_t group;
        std::uint64_t offset;
        std::uint32_t file;
        std::uint64_t node;
    };
    std::vector<Place> places;
    places.reserve(nodes.total());
    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        const auto first = nodes.first(tensor), count = nodes.first(tensor + 1) - first;
        if (count == 0) continue;
        const auto& segment = model.tensors[tensor].segments.front();
        std::uint64_t bytes = 0;
        storage_bytes(model.tensors[tensor].dtype, kNodeBlocks * geometry.block_elements(), bytes);
        for (std::uint64_t i = 0; i < count; ++i) {
            places.push_back(
                {segment.file / files_at_once, segment.offset + i * bytes, segment.file, first + i});
        }
    }
    std::ranges::sort(places, {}, [](const Place& each) {
        return std::tuple(each.group, each.offset, each.file, each.node);
    });
    std::vector<std::uint64_t> order(places.size());
    std::ranges::transform(places, order.begin(), &Place::node);
    return order;
}

Reading read_cell(const Cell& cell) {
    Reading reading{.capacity = static_cast<std::uint32_t>(cell.capacity())};
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

crypto::Digest tensor_digest(const Geometry& geometry, std::size_t tensor,
                             std::span<const crypto::Digest> nodes) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 tensor").update(identity(geometry.tensors()[tensor]));
    hash.update_number(geometry.tensors()[tensor].elements);
    hash.update_number(geometry.block_elements()).update_number(geometry.blocks(tensor));
    for (const auto& node : nodes) hash.update(node);
    return hash.finish();
}

}  // namespace

Result<void> read_block(const model::Model& model, const Geometry& geometry, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer) {
    const auto count = geometry.elements_in(tensor, block);
    std::uint64_t bytes = 0;
    storage_bytes(model.tensors[tensor].dtype, count, bytes);
    buffer.resize(bytes);
    return read_elements(model, model.tensors[tensor], block * geometry.block_elements(), count, buffer);
}

Result<Scan> scan(const model::Model& model, const Geometry& geometry, const CellMap& cells, const Pass& pass,
                  io::Progress& progress) {
    const auto jobs = pass.jobs == 0 ? io::default_jobs() : pass.jobs;
    const Nodes nodes(geometry);
    const auto order = reading_order(model, geometry, nodes, pass.files_at_once);
    std::vector<model::ElementMap> maps;
    maps.reserve(model.tensors.size());
    for (const auto& tensor : model.tensors) maps.emplace_back(tensor);

    Scan result;
    result.checks.resize(geometry.total_blocks());
    result.readings.resize(cells.sites().size());
    std::vector<crypto::Digest> node_digests(nodes.total());
    std::vector<Worker> workers(jobs);

    const auto scan_node = [&](std::size_t round, unsigned index) -> Result<void> {
        auto& worker = workers[index];
        const auto node = order[round];
        const auto tensor = nodes.tensor_of(node);
        const auto dtype = model.tensors[tensor].dtype;
        const auto first = (node - nodes.first(tensor)) * kNodeBlocks;
        const auto last = std::min(first + kNodeBlocks, geometry.blocks(tensor));
        const auto begin = first * geometry.block_elements();
        const auto elements =
            std::min(last * geometry.block_elements(), model.tensors[tensor].elements) - begin;
        std::uint64_t bytes = 0, block_bytes = 0;
        storage_bytes(dtype, elements, bytes);
        storage_bytes(dtype, geometry.block_elements(), block_bytes);
        worker.buffer.resize(bytes);
        MODELSEAL_TRY(maps[tensor].read(model, begin, elements, worker.buffer));

        std::array<crypto::Digest, kNodeBlocks> digests;
        for (auto block = first; block < last; ++block) {
            const auto offset = (block - first) * block_bytes;
            const auto view = std::span<const std::byte>(worker.buffer)
                                  .subspan(offset, std::min(block_bytes, bytes - offset));
            auto& digest = digests[block - first];
            if (const auto site = cells.find(tensor, block)) {
                const Cell cell(cells.keys(tensor), dtype, block, view);
                digest = cell.digest(worker.hash);
                result.readings[*site] = read_cell(cell);
            } else {
                digest = plain_digest(worker.hash, view);
            }
            result.checks[geometry.first_block(tensor) + block] = check_value(digest);
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
        result.tensors.push_back(tensor_digest(
            geometry, tensor, std::span(node_digests).subspan(first, nodes.first(tensor + 1) - first)));
    }
    return result;
}

crypto::Digest weights_root(const Scan& scan) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 weights").update_number(scan.tensors.size());
    for (const auto& tensor : scan.tensors) hash.update(tensor);
    for (std::size_t site = 0; site < scan.readings.size(); ++site) {
        if (scan.readings[site].attempt != 0)
            hash.update_number(site).update_number(scan.readings[site].attempt);
    }
    return hash.finish();
}

}  // namespace modelseal::mark
