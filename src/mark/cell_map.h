// Which blocks of a model have cells at a given density, and the keys to them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "mark/geometry.h"

namespace modelseal::mark {

struct Site {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;  // in its tensor
};

class CellMap {
  public:
    // `geometry` must outlive the map.
    CellMap(const Geometry& geometry, std::span<const std::byte, 32> secret, unsigned carrier_class,
            unsigned rate_step);

    // In canonical order (chart.h); cells without room are among them.
    std::span<const Site> sites() const { return sites_; }
    // Index into sites() of the cell in this block, if it has one.
    std::optional<std::size_t> find(std::size_t tensor, std::uint64_t block) const;
    // Precondition: the tensor has a site.
    const TensorKeys& keys(std::size_t tensor) const { return keys_[slot_[tensor]]; }

  private:
    std::vector<Site> sites_;
    std::vector<TensorKeys> keys_;  // of hosts
    // Of hosts: block -> site, ascending.
    std::vector<std::vector<std::pair<std::uint64_t, std::size_t>>> by_block_;
    std::vector<std::uint32_t> slot_;  // tensor -> host, or kNoHost
    static constexpr std::uint32_t kNoHost = ~std::uint32_t{0};
};

}  // namespace modelseal::mark
