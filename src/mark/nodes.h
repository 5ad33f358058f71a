// Nodes of the tree of digests: up to 16 blocks of a tensor that lie one after another. They are numbered over all
// tensors, so that threads can share them evenly.
#pragma once

#include <cstdint>
#include <vector>

#include "mark/block_map.h"
#include "model/model.h"

namespace modelseal::mark {

inline constexpr std::uint64_t kNodeBlocks = 16;

class Nodes {
  public:
    // `block_map` must outlive the nodes.
    explicit Nodes(const BlockMap& block_map);

    struct Node {
        std::size_t tensor = 0;
        std::uint64_t first_block = 0, blocks = 0;  // in the tensor
        std::uint64_t bytes = 0;                    // dense
    };
    Node node(std::uint64_t number) const;

    std::uint64_t total() const { return first_.back(); }
    // The number of the tensor's first node; of the tensor after the last one, how many there are.
    std::uint64_t first(std::size_t tensor) const { return first_[tensor]; }

  private:
    const BlockMap& block_map_;
    std::vector<std::uint64_t> first_;
};

// All nodes in the order of the files: another order reads slower, and finds less in the page cache of what another
// pass over the files reads at the same time.
std::vector<std::uint64_t> reading_order(const model::Model& model, const BlockMap& block_map,
                                         const Nodes& nodes);

}  // namespace modelseal::mark
