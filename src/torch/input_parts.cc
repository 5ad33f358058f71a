#include "torch/input_parts.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "util/checked.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::uint64_t kMostNumbers = 1u << 26;

Error usage(std::string_view network, const std::string& what) {
    return {ErrorKind::usage, fmt::format("{}: {}", network, what), {}};
}

// Empty if it has too many, or an extent is below 1.
std::optional<std::uint64_t> numbers_of(const InputPart& part) {
    std::uint64_t numbers = 1;
    for (const auto extent : part.shape) {
        if (extent < 1 || !util::checked_mul(numbers, static_cast<std::uint64_t>(extent), numbers) ||
            numbers > kMostNumbers)
            return std::nullopt;
    }
    return numbers;
}

}  // namespace

Result<oracle::InputShape> row_of_parts(std::string_view network, const std::vector<std::string>& names,
                                        const std::vector<InputPart>& parts) {
    oracle::InputShape row{.name = {}, .shape = {}, .range = std::array{0.0f, 1.0f}};
    std::uint64_t numbers = 0;
    for (const auto& name : names) {
        const auto is_it = [&](const InputPart& part) { return part.name == name; };
        const auto found = std::ranges::find_if(parts, is_it);
        if (found == parts.end() || std::ranges::count_if(parts, is_it) > 1 || parts.size() != names.size()) {
            return usage(network,
                         fmt::format("its inputs are {}; each has to be given once", fmt::join(names, ", ")));
        }
        const auto some = numbers_of(*found);
        if (!some)
            return usage(network, fmt::format("the shape of the input '{}' is not one", util::printable(name)));
        if (!found->fixed && !(found->range[0] < found->range[1]))
            return usage(network, fmt::format("the range of the input '{}' is empty", util::printable(name)));
        if (!found->fixed) numbers += *some;
        row.parts.push_back(*found);
    }
    if (numbers == 0 || numbers > kMostNumbers)
        return usage(network, "its inputs that are not fixed have no elements, or too many");
    row.shape = {static_cast<std::int64_t>(numbers)};
    return row;
}

std::vector<at::Tensor> parts_of(const at::Tensor& row, const oracle::InputShape& shape) {
    std::vector<at::Tensor> parts;
    std::int64_t at = 0;
    for (const auto& part : shape.parts) {
        if (part.fixed) {
            parts.push_back(at::full(part.shape, *part.fixed, row.options()));
            continue;
        }
        std::int64_t numbers = 1;
        for (const auto extent : part.shape) numbers *= extent;
        const auto some = row.select(0, 0).narrow(0, at, numbers).reshape(part.shape);
        parts.push_back(some * (part.range[1] - part.range[0]) + part.range[0]);
        at += numbers;
    }
    return parts;
}

}  // namespace modelseal::libtorch
