// What several operators share.
#pragma once

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

template <at::Tensor (*operation)(const at::Tensor&)>
void unary(Call& call) {
    call.give_like(operation(call.in(0)));
}

// Windows that slide over the spatial dimensions of N x C x D1 x ... x Dn: what convolutions and pools share.

struct Window {
    Ints kernel, strides, dilations;
    Ints begin, end;  // padding
    bool symmetric() const { return begin == end; }
    std::size_t rank() const { return kernel.size(); }
    std::int64_t reach(std::size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
};

// Attributes kernel_shape (or `kernel` if it is not given), strides, dilations, pads and auto_pad, checked, for
// inputs of these sizes.
Window window_of(const Call& call, at::IntArrayRef input, Ints kernel = {});

// How often the window fits; with `ceil` once more if something is left, unless that would start after the
// input.
Ints places(const Window& window, at::IntArrayRef input, bool ceil);

// Pads the last dimensions of `x`: to the window's padding or, if `to` is given, to exactly the size for that
// many positions.
at::Tensor padded(const at::Tensor& x, const Window& window, double value, const Ints* to = nullptr);

// Operators that accept text as well as numbers.

void equal_texts(Call& call);

// The texts of an input, broadcast to `shape`.
std::vector<std::string> stretched_texts(const Value& value, at::IntArrayRef shape);

}  // namespace modelseal::libtorch::onnx
