// How tensors are cut into blocks, and which blocks have a cell under a check secret. Both follow from the list
// of tensors (names, types, shapes), the check secret and the density alone, never from values: a checker
// comes to the same blocks and cells as the sealer, whatever became of the weights meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "mark/coding/cell.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

inline constexpr std::uint64_t kMaxBlockElements = 8192;
inline constexpr std::uint64_t kMinBlockElements = 1024;
inline constexpr std::uint64_t kMinHostElements = 384;  // below that no cell can hold kMinCellBytes

// SHA-256 over name, element type and shape.
crypto::Digest identity(const Tensor& tensor);

class BlockMap {
  public:
    // `tensors` sorted by name; must outlive the map. `block_elements` 0: what follows from the tensors;
    // another power of two in [kMinBlockElements, kMaxBlockElements] to look for a seal made when the list was
    // another.
    explicit BlockMap(std::span<const Tensor> tensors, std::uint64_t block_elements = 0);

    std::span<const Tensor> tensors() const { return tensors_; }
    std::uint64_t block_elements() const { return block_elements_; }
    std::uint64_t blocks(std::size_t tensor) const { return first_block_[tensor + 1] - first_block_[tensor]; }
    // The tensor's first block among those of all tensors.
    std::uint64_t first_block(std::size_t tensor) const { return first_block_[tensor]; }
    std::uint64_t total_blocks() const { return first_block_.back(); }
    std::uint64_t total_elements() const { return total_elements_; }
    std::uint64_t elements_in(std::size_t tensor, std::uint64_t block) const;

    // May this tensor have cells when classes up to `carrier_class` carry?
    bool is_host(std::size_t tensor, unsigned carrier_class) const;

  private:
    std::span<const Tensor> tensors_;
    std::uint64_t block_elements_ = kMinBlockElements;
    std::uint64_t total_elements_ = 0;
    std::vector<std::uint64_t> first_block_;  // one more than tensors
};

TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const Tensor& tensor);
TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const crypto::Digest& identity);

// How many of `blocks` blocks of a host have a cell at this rate step (cell.h); at least 1.
std::uint64_t cells_at_rate(std::uint64_t blocks, unsigned step);

// The first `count` of `blocks` block indices in keyed order; a longer list begins with a shorter one, so a
// denser seal has the cells of a sparser one and more.
std::vector<std::uint64_t> cell_blocks(const TensorKeys& keys, std::uint64_t blocks, std::uint64_t count);

struct CellPosition {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;  // in its tensor
};

// The cells of a model at one density, and the keys to them.
class CellMap {
  public:
    CellMap(const BlockMap& block_map, std::span<const std::byte, 32> secret, const CellDensity& density);

    // In canonical order: the first cell of every host, by tensor, then the second of each, and so on. An index
    // into this list is the cell's number. Cells without room are among them.
    std::span<const CellPosition> positions() const { return positions_; }
    // Number of the cell in this block, if it has one.
    std::optional<std::size_t> find(std::size_t tensor, std::uint64_t block) const;
    // Precondition: the tensor has a cell. The keys live as long as the map.
    const TensorKeys& keys(std::size_t tensor) const { return keys_[host_of_[tensor]]; }

  private:
    static constexpr std::uint32_t kNoHost = ~std::uint32_t{0};
    std::vector<CellPosition> positions_;
    std::vector<TensorKeys> keys_;  // of hosts
    // Of hosts: block -> number of its cell, ascending.
    std::vector<std::vector<std::pair<std::uint64_t, std::size_t>>> by_block_;
    std::vector<std::uint32_t> host_of_;  // tensor -> host, or kNoHost
};

}  // namespace modelseal::mark
