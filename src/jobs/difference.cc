#include "jobs/difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/values.h"

namespace modelseal {
void Difference::add_range(std::uint64_t index, std::uint64_t count) {
    const bool joins = last_end_ == index && ranges_total > 0;
    if (!joins) ++ranges_total;
    if (joins && ranges.size() == ranges_total) {
        ranges.back().count += count;
    } else if (!joins && ranges.size() < kRanges) {
        ranges.push_back({index, count});
    }
    last_end_ = index + count;
}

void Difference::append(const Difference& next) {
    elements += next.elements;
    differing += next.differing;
    non_finite += next.non_finite;
    finite += next.finite;
    max_abs = std::max(max_abs, next.max_abs);
    max_ulp = std::max(max_ulp, next.max_ulp);
    sum_abs += next.sum_abs;
    sum_squares += next.sum_squares;
    sum_squares_a += next.sum_squares_a;
    for (const auto& range : next.ranges) add_range(range.first, range.count);
    ranges_total += next.ranges_total - next.ranges.size();
    if (next.last_end_ != 0) last_end_ = next.last_end_;
}

void BlockComparer::add(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t first,
                        std::uint64_t count, Difference& sum) {
    sum.elements += count;
    if (has_values(a_) && has_values(b_)) {
        compare_values(a, b, first, count, sum);
    } else {
        compare_groups(a, b, first, count, sum);
    }
}

void BlockComparer::compare_groups(std::span<const std::byte> a, std::span<const std::byte> b,
                                   std::uint64_t first, std::uint64_t count, Difference& sum) const {
    const auto& type = info(a_);
    for (std::uint64_t done = 0, at = 0; done < count; done += type.group_elements, at += type.group_bytes) {
        if (std::memcmp(a.data() + at, b.data() + at, type.group_bytes) == 0) continue;
        const auto elements = std::min<std::uint64_t>(type.group_elements, count - done);
        sum.differing += elements;
        sum.add_range(first + done, elements);
    }
}

// One element of each side as numbers, which differ in how many parts they have.
BlockComparer::Numbers BlockComparer::numbers(std::uint64_t index) const {
    const auto parts_a = value_parts(a_), parts_b = value_parts(b_);
    Numbers out{.equal = true, .finite = true};
    for (unsigned part = 0; part < std::max(parts_a, parts_b); ++part) {
        const auto left = part < parts_a ? values_a_[index * parts_a + part] : 0.0;
        const auto right = part < parts_b ? values_b_[index * parts_b + part] : 0.0;
        out.equal = out.equal && (left == right || (std::isnan(left) && std::isnan(right)));
        out.finite = out.finite && std::isfinite(left) && std::isfinite(right);
        out.distance = part == 0 ? std::abs(left - right) : std::hypot(out.distance, left - right);
        out.squares_a += left * left;
    }
    return out;
}

void BlockComparer::compare_values(std::span<const std::byte> a, std::span<const std::byte> b,
                                   std::uint64_t first, std::uint64_t count, Difference& sum) {
    values_a_.resize(count * value_parts(a_));
    values_b_.resize(count * value_parts(b_));
    decode_values(a_, a, values_a_);
    decode_values(b_, b, values_b_);
    const bool same_type = a_ == b_;
    const bool ulps = same_type && is_floating(a_);
    const bool integers = same_type && (a_ == DType::u64 || a_ == DType::i64);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto pair = numbers(i);
        const bool differs = same_type ? !same_bits(a, b, i) : !pair.equal;
        if (differs) {
            ++sum.differing;
            sum.add_range(first + i, 1);
            if (!pair.finite) ++sum.non_finite;
        }
        if (!pair.finite) continue;
        ++sum.finite;
        sum.sum_squares_a += pair.squares_a;
        if (!differs) continue;
        const auto distance = integers ? integer_distance(a, b, i) : pair.distance;
        sum.max_abs = std::max(sum.max_abs, distance);
        sum.sum_abs += distance;
        sum.sum_squares += distance * distance;
        if (ulps) {
            const auto steps = ulp_distance(a_, element_bits(a_, a, i), element_bits(a_, b, i));
            sum.max_ulp = std::max(sum.max_ulp, steps);
        }
    }
}

bool BlockComparer::same_bits(std::span<const std::byte> a, std::span<const std::byte> b,
                              std::uint64_t index) const {
    const auto& type = info(a_);
    if (type.group_elements > 1) return element_bits(a_, a, index) == element_bits(a_, b, index);
    const auto at = index * type.group_bytes;
    return std::memcmp(a.data() + at, b.data() + at, type.group_bytes) == 0;
}

// Differences of 64-bit integers do not survive the way through doubles.
double BlockComparer::integer_distance(std::span<const std::byte> a, std::span<const std::byte> b,
                                       std::uint64_t index) const {
    const auto left = element_bits(a_, a, index), right = element_bits(a_, b, index);
    const bool greater =
        a_ == DType::i64 ? static_cast<std::int64_t>(left) > static_cast<std::int64_t>(right) : left > right;
    return static_cast<double>(greater ? left - right : right - left);
}

}  // namespace modelseal
