// Pairs the tensors of two models by their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include <modelseal/inspect.h>
#include <modelseal/report.h>
#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal::jobs {

// A tensor of each side; either may be absent.
struct TensorPair {
    const Tensor* a = nullptr;
    const Tensor* b = nullptr;
    const std::string& name() const { return a != nullptr ? a->name : b->name; }
};

// Pairs first by name, then by an alias of either, then, among the remaining ones with equal numbers of
// elements, by alike_name() if that is unique on both sides. Sorted by name. Points into the models.
std::vector<TensorPair> pair_tensors(const model::Model& a, const model::Model& b);

// The part of a name that exporters keep: all punctuation is the same, and a leading "module." of wrappers is
// removed.
std::string alike_name(std::string_view name);

// How two runs of elements differ: counted block by block while they are read, then added up. The result does
// not depend on how the elements were cut into blocks, except for the rounding of sums, which are added in
// element order.

struct Difference {
    static constexpr std::size_t kRanges = 16;  // that are kept

    std::uint64_t elements = 0, differing = 0, non_finite = 0, finite = 0;
    double max_abs = 0, sum_abs = 0, sum_squares = 0, sum_squares_a = 0;
    std::uint64_t max_ulp = 0;
    std::vector<TensorFinding::Range> ranges;
    std::uint64_t ranges_total = 0;

    // Element `index`, greater than all before, differs; so do the `count` - 1 after it.
    void add_range(std::uint64_t index, std::uint64_t count);
    // Adds the counts of the elements after those of *this.
    void append(const Difference& next);

  private:
    std::uint64_t last_end_ = 0;  // after the last differing element; 0: none
};

// Compares blocks of the same number of elements, one block of each side at a time.
class BlockComparer {
  public:
    BlockComparer(DType a, DType b) : a_(a), b_(b) {}

    // `first` is the index of the first element. Types that differ must both have values.
    void add(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t first,
             std::uint64_t count, Difference& sum);

  private:
    struct Numbers {
        bool equal, finite;
        double distance = 0, squares_a = 0;
    };
    void compare_groups(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t first,
                        std::uint64_t count, Difference& sum) const;
    void compare_values(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t first,
                        std::uint64_t count, Difference& sum);
    bool same_bits(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t index) const;
    double integer_distance(std::span<const std::byte> a, std::span<const std::byte> b,
                            std::uint64_t index) const;
    Numbers numbers(std::uint64_t index) const;

    DType a_, b_;
    std::vector<double> values_a_, values_b_;
};

// Compares the frames of two models.

// Sets `frame` and `files` of `out`. Compares byte for byte and file by file, with the files as a set: one
// that was added, removed or renamed is named. Nothing is compared if the formats differ, or if one is not a
// folder and the files differ. Whatever follows from the tensors (fields of checksums) is left out.
Result<void> compare_frames(const model::Model& a, const model::Model& b, Comparison& out);

}  // namespace modelseal::jobs
