#include "torch/onnx/ops/exact_products.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "torch/arithmetic/arithmetic.h"

namespace modelseal::libtorch::onnx {
namespace {

constexpr double kMostExact = 1 << 24;  // every smaller integer is a float32

// So many terms of a sum are exact in float32, if each of the `b` comes `times` times.
std::int64_t exact_terms(const at::Tensor& b, double largest, std::int64_t times) {
    const double product = largest * b.abs().max().item<double>() * static_cast<double>(times);
    return product > 0 ? static_cast<std::int64_t>(std::min(kMostExact / product, 1e9)) : 1'000'000'000;
}

bool is_plain(const at::Tensor& a, const at::Tensor& b) {
    return a.is_cpu() && b.numel() > 0 && !a.requires_grad() && !b.requires_grad();
}

}  // namespace

at::Tensor exact_convolution(const at::Tensor& x, const at::Tensor& w, double largest, const Window& window,
                             std::int64_t groups) {
    const UsualArithmetic usual;
    const auto input = padded(x, window, 0);
    const Ints none(window.rank(), 0);
    const auto channels = w.size(1);  // of a group
    if (x.dim() == 4 && at::hasMKLDNN() && is_plain(x, w)) {
        const auto at_once = exact_terms(w, largest, w.size(2) * w.size(3));
        const auto convolved = [&](const at::Tensor& some, const at::Tensor& taps) {
            return at::mkldnn_convolution(some.contiguous(), taps.contiguous(), c10::nullopt, none,
                                          window.strides, window.dilations, groups);
        };
        if (at_once >= channels) return convolved(input, w);
        if (at_once > 0 && groups == 1) {
            at::Tensor sum;
            for (std::int64_t first = 0; first < channels; first += at_once) {
                const auto some = std::min(at_once, channels - first);
                const auto part =
                    convolved(input.narrow(1, first, some), w.narrow(1, first, some)).to(at::kDouble);
                sum = sum.defined() ? sum.add_(part) : part;
            }
            return sum;
        }
    }
    return at::convolution(input.to(at::kDouble), w.to(at::kDouble), c10::nullopt, window.strides, none,
                           window.dilations, false, none, groups);
}

at::Tensor exact_matmul(const at::Tensor& a, const at::Tensor& b, double largest) {
    const UsualArithmetic usual;
    const auto terms = a.size(-1);
    if (a.dim() >= 2 && b.dim() >= 2 && terms == b.size(-2) && is_plain(a, b)) {
        const auto at_once = exact_terms(b, largest, 1);
        if (at_once >= terms) return at::matmul(a, b);
        if (at_once > 0) {
            at::Tensor sum;
            for (std::int64_t first = 0; first < terms; first += at_once) {
                const auto some = std::min(at_once, terms - first);
                const auto part =
                    at::matmul(a.narrow(-1, first, some), b.narrow(-2, first, some)).to(at::kDouble);
                sum = sum.defined() ? sum.add_(part) : part;
            }
            return sum;
        }
    }
    return at::matmul(a.to(at::kDouble), b.to(at::kDouble));
}

}  // namespace modelseal::libtorch::onnx
