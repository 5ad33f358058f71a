// How tensors are cut into blocks, and which blocks have a cell under a check secret. Both follow from the list
// of tensors (types and shapes; in version 1 of the seal also names), the check secret and the density alone,
// never from values: a checker comes to the same blocks and cells as the sealer, whatever became of the weights
// meanwhile. Which of the cells carry, and on which grid, is the sealer's choice and stands in the manifest.
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

// Element type and shape: what tensors have in common that may be taken for each other.
using TensorKind = std::pair<DType, std::vector<std::uint64_t>>;
void hash_kind(crypto::Sha256& hash, const Tensor& tensor);

// SHA-256 over name, element type and shape.
crypto::Digest identity(const Tensor& tensor);
// What the keys of a tensor depend on in version 2: element type, shape, how many tensors of this type and shape come
// before it, and how it is cut. So a tensor that was renamed keeps its cells, and a cell holds in one cut alone, also
// where a tensor is shorter than any block.
crypto::Digest place(const Tensor& tensor, std::uint64_t ordinal, std::uint64_t block_elements);

class BlockMap {
  public:
    // `tensors` sorted by name; must outlive the map. `block_elements` 0: what follows from the tensors;
    // another power of two in [kMinBlockElements, kMaxBlockElements] to look for a seal made when the list was
    // another.
    // `ordinals`: those that the tensors had when they were sealed, if they are known to differ from those they have.
    explicit BlockMap(std::span<const Tensor> tensors, std::uint64_t block_elements = 0,
                      std::vector<std::uint64_t> ordinals = {});

    // The keys to the cells of a tensor.
    TensorKeys keys(std::size_t tensor, std::span<const std::byte, 32> secret, Version version) const;
    // How many tensors of this type and shape come before it.
    std::uint64_t ordinal(std::size_t tensor) const { return ordinals_[tensor]; }
    std::span<const std::uint64_t> ordinals() const { return ordinals_; }

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
    std::vector<std::uint64_t> ordinals_;
};

// `salt`: the tensor's identity in version 1, its place in version 2.
TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const crypto::Digest& salt, Version version);

// How many of `blocks` blocks of a host have a cell at this rate step (cell.h); at least 1.
std::uint64_t cells_at_rate(std::uint64_t blocks, unsigned step);

// The first `count` of `blocks` block indices in keyed order; a longer list begins with a shorter one, so a
// denser seal has the cells of a sparser one and more.
std::vector<std::uint64_t> cell_blocks(const TensorKeys& keys, std::uint64_t blocks, std::uint64_t count);

struct CellPosition {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;  // in its tensor
};

// Which cells carry, and how.
struct CellUse {
    std::vector<bool> carrying;  // one a cell; empty: all that have room
    std::vector<Grid> grids;     // one a tensor; empty: each carries on its own
    friend bool operator==(const CellUse&, const CellUse&) = default;
};

// The cells of a model at one density, and the keys to them.
class CellMap {
  public:
    CellMap(const BlockMap& block_map, std::span<const std::byte, 32> secret, const CellDensity& density,
            Version version = Version::two);

    Version version() const { return version_; }
    // Precondition: `use` has an entry for each cell and tensor, or none.
    void set_use(CellUse use) { use_ = std::move(use); }
    const CellUse& use() const { return use_; }
    bool carries(std::size_t cell) const { return use_.carrying.empty() || use_.carrying[cell]; }
    Grid grid(std::size_t tensor) const { return use_.grids.empty() ? Grid::own : use_.grids[tensor]; }

    // In canonical order: the first cell of every host, by tensor, then the second of each, and so on. An index
    // into this list is the cell's number. Cells without room are among them.
    std::span<const CellPosition> positions() const { return positions_; }
    // Number of the cell in this block, if it has one.
    std::optional<std::size_t> find(std::size_t tensor, std::uint64_t block) const;
    // Precondition: the tensor has a cell. The keys live as long as the map.
    const TensorKeys& keys(std::size_t tensor) const { return keys_[host_of_[tensor]]; }

  private:
    static constexpr std::uint32_t kNoHost = ~std::uint32_t{0};
    Version version_;
    CellUse use_;
    std::vector<CellPosition> positions_;
    std::vector<TensorKeys> keys_;                    // of hosts
    std::vector<std::vector<std::size_t>> by_block_;  // of hosts: numbers of their cells, by their blocks
    std::vector<std::uint32_t> host_of_;              // tensor -> host, or kNoHost
};

}  // namespace modelseal::mark
