// How two runs of elements differ: what is counted while they are read block by block, and how the parts are
// put together. The result is the same however the elements were cut into blocks, up to the rounding of sums,
// which are added in element order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <modelseal/report.h>
#include <modelseal/tensor.h>

namespace modelseal {

struct Difference {
    static constexpr std::size_t kRanges = 16;  // that are kept

    std::uint64_t elements = 0, differing = 0, non_finite = 0, finite = 0;
    double max_abs = 0, sum_abs = 0, sum_squares = 0, sum_squares_a = 0;
    std::uint64_t max_ulp = 0;
    std::vector<TensorFinding::Range> ranges;
    std::uint64_t ranges_total = 0;

    // Element `index`, greater than all before, differs; so do the `count` - 1 behind it.
    void add_range(std::uint64_t index, std::uint64_t count);
    // What was counted in the elements behind those of *this.
    void append(const Difference& next);

  private:
    std::uint64_t last_end_ = 0;  // behind the last differing element; 0: none
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

}  // namespace modelseal
