// Which cells of a model, cut into blocks in one way, hold a seal: how many of them, in which types, on which grids.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "mark/sealing/noise.h"
#include "mark/sealing/plan.h"

namespace modelseal::mark {

// What the cells of one density hold, if they hold everything.
struct Fitted {
    CellLayout layout;
    SignedPart part;  // all but the digests
    std::size_t common_values = 0;
};

// How one cell can carry: on a grid of noise, so many bytes. No bytes: not at all.
struct CellRoom {
    Grid grid = Grid::own;
    std::uint32_t capacity = 0;
};

// Whether a plan makes use of values that lie on a coarser grid than their type's. A step there is a thousand times
// that of a float, so many cells elsewhere cost a model less than few of these.
enum class Grids { own, any };

// `model` and `block_map` must outlive it. Its plans have no block map yet. What was read of the model is kept for later tries.
class Planner {
  public:
    Planner(const model::Model& model, const BlockMap& block_map, std::span<const std::byte, 32> secret,
            Cover cover, unsigned jobs)
        : model_(model), block_map_(block_map), secret_(secret), cover_(cover), jobs_(jobs) {}

    // The sparsest plan for this part, with or without names as it says. Classes come before rates: many cells
    // in floats, whose last places are noise, cost a model less than few in quantized codes. Every step of the
    // rate is tried, and not bisected, because whether a layout fits is not monotonic in it: a tensor that gets
    // its second cell leaves the common table, and its own table may not fit into two cells.
    Result<std::optional<SealPlan>> sparsest(SignedPart part, CellLayout::Spread spread);

    // The plan of the part's own density, if it fits: with as few of its cells as hold everything, but with
    // `slots` of them if there are so many.
    Result<std::optional<SealPlan>> at_density(const SignedPart& part, CellLayout::Spread spread, Grids allowed,
                                               std::size_t slots);

    // What all cells that a model can have hold, in the class of types that offers most, and what they would have to.
    struct Shortfall {
        std::size_t cells = 0;      // that hold anything
        std::uint64_t offered = 0;  // bytes of payload
        std::uint64_t needed = 0;   // with what is lost at the ends of cells
    };
    // Nothing short of a layout tells how much is lost, so cells that are the larger by a few percent are tried in turn.
    // Precondition: sparsest() found nothing for this part.
    Result<Shortfall> shortfall(const SignedPart& part);

  private:
    // How many bytes of payload it comes to, twice, at the least: a lower bound, since record heads and the
    // tails of pieces come on top. It only serves to skip densities for which no block needs to be read.
    std::uint64_t needed(const SignedPart& part) const;
    static std::uint64_t payload(std::span<const CellRoom> rooms, std::span<const std::size_t> order);

    // A denser plan of which the cells of halves lie in larger tensors, where they are a smaller share, if the model is
    // small enough for all of its blocks to be looked at.
    Result<std::optional<SealPlan>> in_larger_tensors(SealPlan plan, SignedPart part, CellLayout::Spread spread,
                                                      Grids grids);

    // What the cells of halves change of their tensors, in all, for comparing plans.
    double share_of_halves(const SealPlan& plan) const;

    // How little a cell of halves changes of its tensor: the less, the larger that is, and the smaller the values. In a
    // long block they are the smallest 7 in 100, in a shorter one or a window 22, so that the squares of steps are ten times
    // as large.
    std::uint64_t insensitivity(std::size_t tensor, std::uint64_t block) const;

    bool may_fit(const SignedPart& part) const;

    // A denser plan has the cells of a sparser one and more (cell_blocks), so what was read for an earlier try
    // is not read again.
    Result<std::vector<CellRoom>> survey(const CellMap& cells);

    // A tensor carries on one grid: the one on which its cells hold most.
    std::vector<Grid> grids_of_tensors(const CellMap& cells, std::span<const CellRoom> rooms) const;

    // The cells that can carry, those first that cost least for what they hold: floats in their own last places
    // before values on a coarser grid, large ones before small ones. Halves first in large tensors: a step of one is
    // large enough to be seen in what a layer computes if it is one of few.
    std::vector<std::size_t> dearest_last(const CellMap& cells, std::span<const CellRoom> rooms,
                                          std::span<const Grid> grids, Grids allowed) const;

    // The layout with these cells, if everything fits into them.
    std::optional<Fitted> fit(SignedPart part, const CellMap& cells, std::span<const CellRoom> rooms,
                              std::span<const Grid> grids, std::span<const std::size_t> carrying,
                              CellLayout::Spread spread) const;

    // A table of its own keeps what is known of a tensor out of the manifest, whose length every cell pays for.
    // But a tensor needs two cells for two copies, and one of few blocks would lose both with itself.
    void choose_tables(SignedPart& part, const CellMap& cells, std::span<const std::uint32_t> capacities) const;

    std::size_t common_values(const SignedPart& part) const;

    const model::Model& model_;
    const BlockMap& block_map_;
    std::span<const std::byte, 32> secret_;
    Cover cover_;
    unsigned jobs_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, CellRoom> seen_;
};

}  // namespace modelseal::mark
