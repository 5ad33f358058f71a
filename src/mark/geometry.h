// How tensors are cut into blocks, and which blocks may have cells. Follows from the list of tensors (names,
// types, shapes) and the check secret alone, never from values: whoever checks comes to the same cut.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/hash.h"
#include "mark/cell.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

inline constexpr std::uint64_t kMaxBlockElements = 8192;
inline constexpr std::uint64_t kMinBlockElements = 1024;
inline constexpr std::uint64_t kMinHostElements = 384;  // below that no cell can hold kMinCellBytes

// SHA-256 over name, element type and shape.
crypto::Digest identity(const Tensor& tensor);

class Geometry {
  public:
    // `tensors` sorted by name; must outlive the geometry. `block_elements` 0: what follows from the tensors;
    // another power of two in [kMinBlockElements, kMaxBlockElements] to look for a seal made when the list was
    // another.
    explicit Geometry(std::span<const Tensor> tensors, std::uint64_t block_elements = 0);

    std::span<const Tensor> tensors() const { return tensors_; }
    std::uint64_t block_elements() const { return block_elements_; }
    std::uint64_t blocks(std::size_t tensor) const { return first_block_[tensor + 1] - first_block_[tensor]; }
    std::uint64_t first_block(std::size_t tensor) const {
        return first_block_[tensor];
    }  // among those of all tensors
    std::uint64_t total_blocks() const { return first_block_.back(); }
    std::uint64_t total_elements() const { return total_elements_; }
    std::uint64_t elements_in(std::size_t tensor, std::uint64_t block) const;

    // May this tensor carry when classes up to `carrier_class` do?
    bool is_host(std::size_t tensor, unsigned carrier_class) const;

  private:
    std::span<const Tensor> tensors_;
    std::uint64_t block_elements_ = kMinBlockElements;
    std::uint64_t total_elements_ = 0;
    std::vector<std::uint64_t> first_block_;  // one more than tensors
};

TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const Tensor& tensor);
TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const crypto::Digest& identity);

// Density of cells, a step of the ladder 2^(-(kRateSteps - step) / 8): step kRateSteps puts a cell into every
// block.
inline constexpr unsigned kRateSteps = 40;
std::uint64_t cells_at_rate(std::uint64_t blocks, unsigned step);  // at least 1

// The first `count` of `blocks` block indices in keyed order; a longer list begins with a shorter one.
std::vector<std::uint64_t> cell_blocks(const TensorKeys& keys, std::uint64_t blocks, std::uint64_t count);

}  // namespace modelseal::mark
