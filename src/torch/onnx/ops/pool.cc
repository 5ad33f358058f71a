// Pools: largest, average and norm of windows.
#include <algorithm>
#include <limits>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {

namespace {

std::pair<at::Tensor, at::Tensor> largest(const at::Tensor& x, const Window& window, const Ints& pads) {
    std::tuple<at::Tensor, at::Tensor> found;
    if (window.rank() == 1) {
        found = at::max_pool1d_with_indices(x, window.kernel, window.strides, pads, window.dilations);
    } else if (window.rank() == 2) {
        found = at::max_pool2d_with_indices(x, window.kernel, window.strides, pads, window.dilations);
    } else if (window.rank() == 3) {
        found = at::max_pool3d_with_indices(x, window.kernel, window.strides, pads, window.dilations);
    } else {
        unsupported("a pool over more than 3 dimensions");
    }
    return {std::get<0>(found), std::get<1>(found)};
}

// From indices in each (padded) plane to indices in the complete tensor.
at::Tensor whole_indices(const at::Tensor& indices, const at::Tensor& x, const Window& window,
                         const Ints& plane, bool column_major) {
    auto left = indices;
    auto flat = at::zeros_like(indices);
    std::int64_t area = 1;
    for (std::size_t i = 0; i < window.rank(); ++i) area *= x.size(static_cast<std::int64_t>(i) + 2);
    std::int64_t scale = column_major ? area : 1;
    for (auto i = window.rank(); i-- > 0;) {
        const auto size = x.size(static_cast<std::int64_t>(i) + 2);
        const auto place = at::remainder(left, plane[i]) - window.begin[i];
        left = at::div(left, plane[i], "floor");
        if (column_major) scale /= size;
        flat = flat + place * scale;
        if (!column_major) scale *= size;
    }
    Ints shape(static_cast<std::size_t>(x.dim()), 1);
    shape[0] = x.size(0);
    shape[1] = x.size(1);
    return flat + (at::arange(x.size(0) * x.size(1), indices.options()) * area).reshape(shape);
}

void max_pool(Call& call) {
    const auto given = call.in(0);
    const auto window = window_of(call, given.sizes());
    const bool real = is_real(call.type(0));
    const auto x = real ? given : given.to(at::kDouble);
    const bool ceil = call.integer("ceil_mode", 0) != 0;
    const auto counts = places(window, x.sizes(), ceil);
    bool simple = window.symmetric() && counts == places(window, x.sizes(), false);
    for (std::size_t i = 0; i < window.rank(); ++i) simple = simple && window.begin[i] <= window.kernel[i] / 2;
    Ints plane;
    at::Tensor values, indices;
    if (simple) {
        std::tie(values, indices) = largest(x, window, window.begin);
        plane = x.sizes().slice(2).vec();
    } else {
        const auto wide = padded(x, window, -std::numeric_limits<double>::infinity(), &counts);
        std::tie(values, indices) = largest(wide, window, Ints(window.rank(), 0));
        plane = wide.sizes().slice(2).vec();
    }
    call.give_like(real ? values : values.to(given.scalar_type()));
    if (!call.wants(1)) return;
    auto origin = window;
    if (simple) origin.begin = Ints(window.rank(), 0);
    call.give(whole_indices(indices, x, origin, plane, call.integer("storage_order", 0) != 0));
}

// The sum of each window, as a convolution with ones.
at::Tensor sums(const at::Tensor& x, const Window& window) {
    auto shape = x.sizes().vec();
    Ints kernel = {1, 1};
    kernel.insert(kernel.end(), window.kernel.begin(), window.kernel.end());
    auto flat = shape;
    flat[0] = shape[0] * shape[1];
    flat[1] = 1;
    const Ints none(window.rank(), 0);
    auto result = at::convolution(x.reshape(flat), at::ones(kernel, x.options()), c10::nullopt, window.strides,
                                  none, window.dilations, false, none, 1);
    auto out = result.sizes().vec();
    out[0] = shape[0];
    out[1] = shape[1];
    return result.reshape(out);
}

at::Tensor average_at_once(const at::Tensor& x, const Window& window, bool with_pads) {
    if (window.rank() == 1) {
        return at::avg_pool1d(x, window.kernel, window.strides, window.begin, false, with_pads);
    }
    if (window.rank() == 2) {
        return at::avg_pool2d(x, window.kernel, window.strides, window.begin, false, with_pads);
    }
    return at::avg_pool3d(x, window.kernel, window.strides, window.begin, false, with_pads);
}

void average_pool(Call& call) {
    const auto x = call.in(0);
    const auto window = window_of(call, x.sizes());
    require(window.rank() <= 3, "a pool over 1 to 3 dimensions is supported");
    const bool with_pads = call.integer("count_include_pad", 0) != 0;
    const bool ceil = call.integer("ceil_mode", 0) != 0;
    const auto counts = places(window, x.sizes(), ceil);
    bool simple = window.symmetric() && counts == places(window, x.sizes(), false);
    for (std::size_t i = 0; i < window.rank(); ++i) {
        simple = simple && window.dilations[i] == 1 && window.begin[i] <= window.kernel[i] / 2;
    }
    if (simple) return call.give_like(average_at_once(x, window, with_pads));
    // Counts the input, with its padding if that counts, but nothing that only the ceiling adds.
    auto counted = at::ones_like(x.narrow(0, 0, 1).narrow(1, 0, 1));
    auto rest = window;
    if (with_pads) {
        counted = at::constant_pad_nd(counted, Ints(2 * window.rank(), 0));
        Ints pads;
        for (auto i = window.rank(); i-- > 0;) {
            pads.push_back(window.begin[i]);
            pads.push_back(window.end[i]);
        }
        counted = at::constant_pad_nd(counted, pads, 1);
        rest.begin = rest.end = Ints(window.rank(), 0);
    }
    call.give_like(sums(padded(x, window, 0, &counts), window) /
                   sums(padded(counted, rest, 0, &counts), window));
}

void lp_pool(Call& call) {
    const auto x = call.in(0);
    const auto window = window_of(call, x.sizes());
    require(window.rank() <= 3, "a pool over 1 to 3 dimensions is supported");
    const auto p = call.opset() < 2 ? call.real("p", 2) : static_cast<double>(call.integer("p", 2));
    const auto counts = places(window, x.sizes(), call.integer("ceil_mode", 0) != 0);
    call.give_like(at::pow(sums(at::pow(padded(x, window, 0, &counts).abs(), p), window), 1 / p));
}

Ints spatial(const at::Tensor& x) {
    Ints axes;
    for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
    require(!axes.empty(), "the input has no spatial dimensions");
    return axes;
}

void global_average(Call& call) {
    const auto x = call.in(0);
    call.give_like(at::mean(x, spatial(x), true));
}

void global_max(Call& call) {
    const auto x = call.in(0);
    call.give_like(at::amax(x, spatial(x), true));
}

void global_lp(Call& call) {
    const auto x = call.in(0);
    const auto p = static_cast<double>(call.integer("p", 2));
    call.give_like(at::pow(at::sum(at::pow(x.abs(), p), spatial(x), true), 1 / p));
}

// Puts each value where MaxPool found it.
void max_unpool(Call& call) {
    const auto x = call.in(0);
    const auto window = window_of(call, x.sizes());
    Ints natural = {x.size(0), x.size(1)};
    for (std::size_t i = 0; i < window.rank(); ++i) {
        natural.push_back((x.size(static_cast<std::int64_t>(i) + 2) - 1) * window.strides[i] +
                          window.kernel[i] - window.begin[i] - window.end[i]);
    }
    const auto shape = call.has(2) ? call.list(2) : natural;
    require(shape.size() == natural.size(), "output_shape has a wrong rank");
    call.check_size(shape);
    call.check_size(natural);
    std::int64_t elements = 1;
    for (const auto extent : natural) elements *= extent;
    const auto indices = call.in(1).reshape({-1});
    const auto list = call.list(1);
    require(std::ranges::all_of(list, [&](auto i) { return i >= 0 && i < elements; }),
            "an index is outside the output");
    auto result = at::zeros({elements}, x.options()).scatter(0, indices, x.reshape({-1})).reshape(natural);
    Ints more;
    for (auto i = shape.size(); i-- > 0;) {
        more.push_back(0);
        more.push_back(shape[i] - natural[i]);
    }
    call.give_like(at::constant_pad_nd(result, more, 0));
}

constexpr Operator kPoolOperators[] = {
    {"", "MaxPool", max_pool},         {"", "AveragePool", average_pool},
    {"", "LpPool", lp_pool},           {"", "GlobalAveragePool", global_average},
    {"", "GlobalMaxPool", global_max}, {"", "GlobalLpPool", global_lp},
    {"", "MaxUnpool", max_unpool},
};

}  // namespace

std::span<const Operator> pool_operators() {
    return kPoolOperators;
}

}  // namespace modelseal::libtorch::onnx
