#include "mark/nodes.h"

#include <algorithm>
#include <tuple>

namespace modelseal::mark {

Nodes::Nodes(const BlockMap& block_map) : block_map_(block_map) {
    first_.reserve(block_map.tensors().size() + 1);
    first_.push_back(0);
    for (std::size_t i = 0; i < block_map.tensors().size(); ++i) {
        first_.push_back(first_.back() + (block_map.blocks(i) + kNodeBlocks - 1) / kNodeBlocks);
    }
}

Nodes::Node Nodes::node(std::uint64_t number) const {
    const auto tensor = static_cast<std::size_t>(std::ranges::upper_bound(first_, number) - first_.begin()) - 1;
    const auto& described = block_map_.tensors()[tensor];
    Node node{.tensor = tensor, .first_block = (number - first_[tensor]) * kNodeBlocks};
    node.blocks = std::min(kNodeBlocks, block_map_.blocks(tensor) - node.first_block);
    const auto begin = node.first_block * block_map_.block_elements();
    const auto end =
        std::min((node.first_block + node.blocks) * block_map_.block_elements(), described.elements);
    storage_bytes(described.dtype, end - begin, node.bytes);
    return node;
}

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
    std::ranges::sort(starts, {},
                      [](const NodeStart& each) { return std::tuple(each.file, each.offset, each.node); });
    std::vector<std::uint64_t> order(starts.size());
    std::ranges::transform(starts, order.begin(), &NodeStart::node);
    return order;
}

}  // namespace modelseal::mark
