#include "mark/cell_map.h"

#include <algorithm>

namespace modelseal::mark {

CellMap::CellMap(const Geometry& geometry, std::span<const std::byte, 32> secret, unsigned carrier_class,
                 unsigned rate_step) {
    const auto tensors = geometry.tensors();
    slot_.assign(tensors.size(), kNoHost);
    std::vector<std::uint32_t> hosts;
    std::vector<std::vector<std::uint64_t>> blocks;
    std::size_t deepest = 0;
    for (std::size_t tensor = 0; tensor < tensors.size(); ++tensor) {
        if (!geometry.is_host(tensor, carrier_class)) continue;
        slot_[tensor] = static_cast<std::uint32_t>(hosts.size());
        hosts.push_back(static_cast<std::uint32_t>(tensor));
        keys_.push_back(tensor_keys(secret, tensors[tensor]));
        const auto count = geometry.blocks(tensor);
        blocks.push_back(cell_blocks(keys_.back(), count, cells_at_rate(count, rate_step)));
        deepest = std::max(deepest, blocks.back().size());
    }
    by_block_.resize(hosts.size());
    for (std::size_t depth = 0; depth < deepest; ++depth) {
        for (std::size_t host = 0; host < hosts.size(); ++host) {
            if (depth >= blocks[host].size()) continue;
            by_block_[host].emplace_back(blocks[host][depth], sites_.size());
            sites_.push_back({hosts[host], blocks[host][depth]});
        }
    }
    for (auto& of_host : by_block_) std::ranges::sort(of_host);
}

std::optional<std::size_t> CellMap::find(std::size_t tensor, std::uint64_t block) const {
    if (slot_[tensor] == kNoHost) return std::nullopt;
    const auto& of_host = by_block_[slot_[tensor]];
    const auto found =
        std::ranges::lower_bound(of_host, block, {}, &std::pair<std::uint64_t, std::size_t>::first);
    if (found == of_host.end() || found->first != block) return std::nullopt;
    return found->second;
}

}  // namespace modelseal::mark
