#include "jobs/difference.h"

#include <cmath>
#include <limits>
#include <random>
#include <span>

#include <gtest/gtest.h>

#include "tests/support/models/tensor_file.h"

namespace modelseal {
namespace {

using Range = TensorFinding::Range;

template <class T>
jobs::Difference compared(DType dtype, const std::vector<T>& a, const std::vector<T>& b,
                          std::uint64_t elements) {
    jobs::Difference sum;
    jobs::BlockComparer(dtype, dtype)
        .add(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)), 0, elements, sum);
    return sum;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs(const std::vector<Range>& ranges) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
    for (const auto& range : ranges) out.emplace_back(range.first, range.count);
    return out;
}

TEST(Difference, MatchesItsDefinition) {
    const auto sum = compared<float>(DType::f32, {3, 4, 0, 1}, {3, 2, 0, 1.5f}, 4);
    EXPECT_EQ(sum.differing, 2u);
    EXPECT_EQ(sum.finite, 4u);
    EXPECT_EQ(sum.max_abs, 2);
    EXPECT_EQ(sum.sum_abs, 2.5);
    EXPECT_EQ(sum.sum_squares, 4.25);
    EXPECT_EQ(sum.sum_squares_a, 26);
    EXPECT_EQ(sum.max_ulp, 1u << 23);
    EXPECT_EQ(pairs(sum.ranges), (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 1}, {3, 1}}));
}

TEST(Difference, EveryBitCountsAndNotANumberSpoilsNoSum) {
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    auto sum = compared<float>(DType::f32, {nan, 0.0f, 1}, {nan, -0.0f, nan}, 3);
    EXPECT_EQ(sum.differing, 2u);
    EXPECT_EQ(sum.non_finite, 1u);
    EXPECT_EQ(sum.finite, 1u);
    EXPECT_EQ(sum.max_abs, 0);
    EXPECT_EQ(sum.max_ulp, 0u);
}

TEST(Difference, LargeIntegersAreSubtractedExactly) {
    const std::int64_t big = std::int64_t{1} << 60;
    EXPECT_EQ(compared<std::int64_t>(DType::i64, {big + 1}, {big}, 1).max_abs, 1);
    EXPECT_EQ(compared<std::int64_t>(DType::i64, {-1}, {1}, 1).max_abs, 2);
    EXPECT_EQ(compared<std::uint64_t>(DType::u64, {~std::uint64_t{0}}, {~std::uint64_t{0} - 3}, 1).max_abs, 3);
    EXPECT_EQ(compared<std::int64_t>(DType::i64, {big + 1}, {big}, 1).max_ulp, 0u);
}

TEST(Difference, PackedAndBlockElementsAreCountedInElements) {
    const auto packed = compared<std::uint8_t>(DType::i4, {0x21, 0x43}, {0x21, 0x53}, 4);
    EXPECT_EQ(packed.differing, 1u);
    EXPECT_EQ(packed.ranges.front().first, 3u);
    EXPECT_EQ(packed.max_abs, 1);
    std::vector<std::uint8_t> a(36), b(36);
    b[20] = 1;
    const auto blocks = compared(DType::q4_0, a, b, 64);
    EXPECT_EQ(blocks.differing, 32u);
    EXPECT_EQ(pairs(blocks.ranges), (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{32, 32}}));
    EXPECT_EQ(blocks.finite, 0u);
}

TEST(Difference, TypesThatDifferAreComparedByValue) {
    const std::vector<float> a = {1, 2, 3};
    const std::vector<std::int32_t> b = {1, 2, 5};
    jobs::Difference sum;
    jobs::BlockComparer(DType::f32, DType::i32)
        .add(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)), 0, 3, sum);
    EXPECT_EQ(sum.differing, 1u);
    EXPECT_EQ(sum.max_abs, 2);
    EXPECT_EQ(sum.max_ulp, 0u);
}

TEST(Difference, ComplexNumbersDifferByTheirDistance) {
    const auto sum = compared<float>(DType::c64, {0, 0, 1, 1}, {3, 4, 1, 1}, 2);
    EXPECT_EQ(sum.differing, 1u);
    EXPECT_EQ(sum.max_abs, 5);
}

// However a tensor is cut into blocks and chunks, its ranges and counts are the same.
TEST(Difference, DoesNotDependOnHowTheElementsAreCut) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        const std::size_t size = 1 + random() % 200;
        std::vector<std::uint8_t> a(size), b(size);
        for (auto& value : b) value = random() % 3 == 0 ? 1 : 0;
        const auto whole = compared(DType::u8, a, b, size);
        jobs::Difference parts;
        for (std::size_t first = 0; first < size;) {
            const auto count = std::min<std::size_t>(1 + random() % 40, size - first);
            jobs::Difference part;
            jobs::BlockComparer(DType::u8, DType::u8)
                .add(std::as_bytes(std::span(a).subspan(first, count)),
                     std::as_bytes(std::span(b).subspan(first, count)), first, count, part);
            parts.append(part);
            first += count;
        }
        ASSERT_EQ(parts.differing, whole.differing);
        ASSERT_EQ(parts.ranges_total, whole.ranges_total);
        ASSERT_EQ(pairs(parts.ranges), pairs(whole.ranges));
        ASSERT_EQ(parts.sum_abs, whole.sum_abs);
    }
}

TEST(Difference, KeepsTheFirstRangesAndCountsTheRest) {
    std::vector<std::uint8_t> a(1000), b(1000);
    for (std::size_t i = 0; i < 1000; i += 2) b[i] = 1;
    const auto sum = compared(DType::u8, a, b, 1000);
    EXPECT_EQ(sum.ranges.size(), jobs::Difference::kRanges);
    EXPECT_EQ(sum.ranges_total, 500u);
}

}  // namespace
}  // namespace modelseal
