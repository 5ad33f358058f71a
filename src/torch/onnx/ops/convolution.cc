// Convolutions.
#include <algorithm>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {

namespace {

void check_positive(const Ints& numbers, std::size_t count, const char* what, std::int64_t least) {
    require(numbers.size() == count, what);
    for (const auto number : numbers) require(number >= least && number < (std::int64_t{1} << 31), what);
}

void same_padding(Window& window, at::IntArrayRef input, bool upper) {
    const auto rank = window.rank();
    for (std::size_t i = 0; i < rank; ++i) {
        const auto size = input[input.size() - rank + i];
        const auto out = (size + window.strides[i] - 1) / window.strides[i];
        const auto all = std::max<std::int64_t>(0, (out - 1) * window.strides[i] + window.reach(i) - size);
        const auto less = all / 2;
        window.begin[i] = upper ? less : all - less;
        window.end[i] = all - window.begin[i];
    }
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias,
                    const Window& window, std::int64_t groups) {
    const Ints none(window.rank(), 0);
    if (window.symmetric()) {
        return at::convolution(x, weight, bias, window.strides, window.begin, window.dilations, false, none,
                               groups);
    }
    return at::convolution(padded(x, window, 0), weight, bias, window.strides, none, window.dilations, false,
                           none, groups);
}

void conv(Call& call) {
    const auto x = call.in(0);
    const auto weight = call.in(1);
    require(x.dim() >= 3 && x.dim() <= 5, "a convolution over 1 to 3 dimensions is supported");
    require(weight.dim() == x.dim(), "input and weight have different ranks");
    const auto window = window_of(call, x.sizes(), weight.sizes().slice(2).vec());
    c10::optional<at::Tensor> bias;
    if (call.has(2)) bias = call.in(2);
    call.give_like(convolve(x, weight, bias, window, call.integer("group", 1)));
}

// The padding that gives an output of the requested shape.
void pads_for_shape(const Call& call, Window& window, const Ints& full, const Ints& shape) {
    const auto mode = call.text("auto_pad", "NOTSET");
    for (std::size_t i = 0; i < window.rank(); ++i) {
        // Missing output is zero-padded at the end.
        const auto all = std::max<std::int64_t>(full[i] - shape[i], 0);
        window.begin[i] = mode == "SAME_UPPER" ? all / 2 : all - all / 2;
        window.end[i] = full[i] - shape[i] - window.begin[i];
    }
}

void conv_transpose(Call& call) {
    const auto x = call.in(0);
    const auto weight = call.in(1);
    require(x.dim() >= 3 && x.dim() <= 5, "a convolution over 1 to 3 dimensions is supported");
    require(weight.dim() == x.dim(), "input and weight have different ranks");
    auto window = window_of(call, x.sizes(), weight.sizes().slice(2).vec());
    const auto rank = window.rank();
    const auto more = call.integers("output_padding", Ints(rank, 0));
    check_positive(more, rank, "output_padding", 0);
    Ints full(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        full[i] =
            (x.size(static_cast<std::int64_t>(i) + 2) - 1) * window.strides[i] + window.reach(i) + more[i];
    }
    auto shape = call.integers("output_shape");
    const auto mode = call.text("auto_pad", "NOTSET");
    if (shape.empty() && mode.starts_with("SAME")) {
        for (std::size_t i = 0; i < rank; ++i) {
            shape.push_back(x.size(static_cast<std::int64_t>(i) + 2) * window.strides[i]);
        }
    }
    if (shape.size() > rank) shape.erase(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(rank));
    if (!shape.empty()) {
        check_positive(shape, rank, "output_shape", 1);
        pads_for_shape(call, window, full, shape);
    }
    call.check_size(full);
    c10::optional<at::Tensor> bias;
    if (call.has(2)) bias = call.in(2);
    const Ints none(rank, 0);
    const auto groups = call.integer("group", 1);
    if (window.symmetric() && std::ranges::all_of(window.begin, [](auto pad) { return pad >= 0; }) &&
        shape.empty()) {
        return call.give_like(at::convolution(x, weight, bias, window.strides, window.begin, window.dilations,
                                              true, more, groups));
    }
    auto result =
        at::convolution(x, weight, c10::nullopt, window.strides, none, window.dilations, true, none, groups);
    Ints cut;  // constant_pad_nd cuts where padding is negative; from the last dimension
    for (auto i = rank; i-- > 0;) {
        cut.push_back(-window.begin[i]);
        cut.push_back(more[i] - window.end[i]);
    }
    result = at::constant_pad_nd(result, cut, 0);
    if (bias) {
        Ints ones(rank + 1, 1);
        ones[0] = bias->numel();
        result = result + bias->reshape(ones);
    }
    call.give_like(result);
}

// Sums overlapping blocks into an image; at::col2im knows two dimensions, so others go one by one.
void col2im(Call& call) {
    const auto columns = call.in(0);
    const auto image = call.list(1);
    const auto block = call.list(2);
    const auto rank = image.size();
    require(columns.dim() == 3 && block.size() == rank && rank > 0, "shapes of blocks and image");
    Window window = {
        block, call.integers("strides", Ints(rank, 1)), call.integers("dilations", Ints(rank, 1)), {}, {}};
    const auto pads = call.integers("pads", Ints(2 * rank, 0));
    check_positive(window.kernel, rank, "block_shape", 1);
    check_positive(window.strides, rank, "strides", 1);
    check_positive(window.dilations, rank, "dilations", 1);
    check_positive(pads, 2 * rank, "pads", 0);
    window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
    window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
    const auto counts = places(window, image, false);
    // The flat index of each column's element in the padded image.
    Ints room(rank);
    for (std::size_t i = 0; i < rank; ++i) room[i] = image[i] + window.begin[i] + window.end[i];
    call.check_size(room);
    auto index = at::zeros({1, 1}, at::TensorOptions(at::kLong));
    std::int64_t elements = 1, cells = 1, windows = 1;
    for (std::size_t i = 0; i < rank; ++i) {
        const auto inner = at::arange(block[i], at::TensorOptions(at::kLong)) * window.dilations[i];
        const auto outer = at::arange(counts[i], at::TensorOptions(at::kLong)) * window.strides[i];
        const auto own = inner.unsqueeze(1) + outer.unsqueeze(0);  // block x counts
        index = (index.unsqueeze(1).unsqueeze(3) * room[i] + own.unsqueeze(0).unsqueeze(2))
                    .reshape({cells * block[i], windows * counts[i]});
        cells *= block[i];
        windows *= counts[i];
        elements *= room[i];
    }
    require(columns.size(1) % cells == 0 && columns.size(2) == windows, "the columns do not match the image");
    const auto batch = columns.size(0);
    const auto channels = columns.size(1) / cells;
    const auto flat = index.reshape({-1}).to(columns.device());
    auto result = at::zeros({batch, channels, elements}, columns.options())
                      .index_add(2, flat, columns.reshape({batch, channels, -1}));
    auto shape = Ints{batch, channels};
    shape.insert(shape.end(), room.begin(), room.end());
    result = result.reshape(shape);
    for (std::size_t i = 0; i < rank; ++i) {
        result = result.narrow(static_cast<std::int64_t>(i) + 2, window.begin[i], image[i]);
    }
    call.give_like(result);
}

constexpr Operator kConvOperators[] = {
    {"", "Conv", conv},
    {"", "ConvTranspose", conv_transpose},
    {"", "Col2Im", col2im},
};

}  // namespace

Window window_of(const Call& call, at::IntArrayRef input, Ints kernel) {
    Window window;
    window.kernel = call.integers("kernel_shape", std::move(kernel));
    const auto rank = window.rank();
    require(rank >= 1 && input.size() == rank + 2, "kernel_shape does not match the input");
    window.strides = call.integers("strides", Ints(rank, 1));
    window.dilations = call.integers("dilations", Ints(rank, 1));
    check_positive(window.kernel, rank, "kernel_shape", 1);
    check_positive(window.strides, rank, "strides", 1);
    check_positive(window.dilations, rank, "dilations", 1);
    const auto pads = call.integers("pads", Ints(2 * rank, 0));
    check_positive(pads, 2 * rank, "pads", 0);
    window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
    window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
    const auto mode = call.text("auto_pad", "NOTSET");
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") same_padding(window, input, mode == "SAME_UPPER");
    if (mode == "VALID") window.begin = window.end = Ints(rank, 0);
    auto padded_sizes = input.vec();
    for (std::size_t i = 0; i < rank; ++i) padded_sizes[i + 2] += window.begin[i] + window.end[i];
    call.check_size(padded_sizes);
    return window;
}

Ints places(const Window& window, at::IntArrayRef input, bool ceil) {
    Ints counts;
    const auto rank = window.rank();
    for (std::size_t i = 0; i < rank; ++i) {
        const auto size = input[input.size() - rank + i];
        const auto room = size + window.begin[i] + window.end[i] - window.reach(i);
        require(room >= 0, "the window is larger than the padded input");
        auto count = (room + (ceil ? window.strides[i] - 1 : 0)) / window.strides[i] + 1;
        if (ceil && (count - 1) * window.strides[i] >= size + window.begin[i]) --count;
        counts.push_back(count);
    }
    return counts;
}

at::Tensor padded(const at::Tensor& x, const Window& window, double value, const Ints* to) {
    Ints pads;
    for (auto i = window.rank(); i-- > 0;) {
        auto end = window.end[i];
        if (to != nullptr) {
            const auto size = x.size(x.dim() - static_cast<std::int64_t>(window.rank() - i));
            end = ((*to)[i] - 1) * window.strides[i] + window.reach(i) - size - window.begin[i];
        }
        pads.push_back(window.begin[i]);
        pads.push_back(end);
    }
    return at::constant_pad_nd(x, pads, value);
}

std::span<const Operator> conv_operators() {
    return kConvOperators;
}

}  // namespace modelseal::libtorch::onnx
