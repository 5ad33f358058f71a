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
    return a.is_cpu() && a.numel() > 0 && b.numel() > 0 && !a.requires_grad() && !b.requires_grad();
}

// What oneDNN leaves to its caller to check; at::convolution refuses the rest by name.
bool fits(const at::Tensor& input, const at::Tensor& w, const Window& window, std::int64_t groups) {
    const auto reaches = [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        return window.strides[at] > 0 && window.dilations[at] > 0 &&
               (w.size(2 + i) - 1) * window.dilations[at] < input.size(2 + i);
    };
    return input.dim() == 4 && w.dim() == 4 && groups > 0 && input.size(1) == w.size(1) * groups &&
           w.size(0) % groups == 0 && reaches(0) && reaches(1);
}

// The sum of part(first, count) over all of `terms`, `at_once` or fewer in each; in float64 if there are several.
template <class Part>
at::Tensor summed(std::int64_t terms, std::int64_t at_once, Part part) {
    if (at_once >= terms) return part(0, terms);
    auto sum = part(0, at_once).to(at::kDouble);
    for (auto first = at_once; first < terms; first += at_once)
        sum.add_(part(first, std::min(at_once, terms - first)));
    return sum;
}

}  // namespace

at::Tensor exact_convolution(const at::Tensor& x, const at::Tensor& w, double largest, const Window& window,
                             std::int64_t groups) {
    const UsualArithmetic usual;
    const auto input = padded(x, window, 0);
    const Ints none(window.rank(), 0);
    if (at::hasMKLDNN() && is_plain(x, w) && fits(input, w, window, groups)) {
        const auto channels = w.size(1);  // of a group
        const auto at_once = exact_terms(w, largest, w.size(2) * w.size(3));
        if (at_once >= channels || (at_once > 0 && groups == 1)) {
            return summed(channels, at_once, [&](std::int64_t first, std::int64_t count) {
                const auto some = groups == 1 ? input.narrow(1, first, count) : input;
                return at::mkldnn_convolution(some.contiguous(), w.narrow(1, first, count).contiguous(),
                                              c10::nullopt, none, window.strides, window.dilations, groups);
            });
        }
    }
    return at::convolution(input.to(at::kDouble), w.to(at::kDouble), c10::nullopt, window.strides, none,
                           window.dilations, false, none, groups);
}

at::Tensor exact_matmul(const at::Tensor& a, const at::Tensor& b, double largest) {
    const UsualArithmetic usual;
    const auto terms = a.size(-1);
    if (a.dim() >= 2 && b.dim() >= 2 && terms == b.size(-2) && is_plain(a, b)) {
        if (const auto at_once = exact_terms(b, largest, 1); at_once > 0) {
            return summed(terms, at_once, [&](std::int64_t first, std::int64_t count) {
                return at::matmul(a.narrow(-1, first, count), b.narrow(-2, first, count));
            });
        }
    }
    return at::matmul(a.to(at::kDouble), b.to(at::kDouble));
}

}  // namespace modelseal::libtorch::onnx
