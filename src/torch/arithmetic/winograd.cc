#include "torch/arithmetic/winograd.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace modelseal::libtorch {
namespace {

constexpr std::int64_t kTaps = 3;
// Those of the paper, and of the engines that use it. The last one is infinity.
constexpr double kPoints[] = {0, 1, -1, 2, -2, 0.5, -0.5};

using Polynomial = std::vector<double>;  // coefficients from degree 0 on

Polynomial times_root(const Polynomial& p, double root) {
    Polynomial product(p.size() + 1);
    for (std::size_t i = 0; i < p.size(); ++i) {
        product[i + 1] += p[i];
        product[i] -= root * p[i];
    }
    return product;
}

// y = output (kernel g kernel^T * input d input^T) output^T for a tile d of n x n, n = m + 2. From the transposed interpolation
// of a product of polynomials at n - 1 points and infinity (Toom, Cook).
struct Matrices {
    at::Tensor output, kernel, input;  // m x n, n x 3, n x n
};

Matrices matrices_of(std::int64_t m, const at::TensorOptions& options) {
    const auto n = m + kTaps - 1, points = n - 1;
    const auto wide = at::TensorOptions(at::kDouble);
    auto output = at::zeros({m, n}, wide), kernel = at::zeros({n, kTaps}, wide),
         input = at::zeros({n, n}, wide);
    auto out = output.accessor<double, 2>(), taps = kernel.accessor<double, 2>(),
         in = input.accessor<double, 2>();
    Polynomial all = {1};
    for (std::int64_t i = 0; i < points; ++i) {
        const double point = kPoints[i];
        Polynomial others = {1};
        double scale = 1;
        for (std::int64_t j = 0; j < points; ++j) {
            if (j == i) continue;
            others = times_root(others, kPoints[j]);
            scale *= point - kPoints[j];
        }
        for (std::int64_t k = 0; k < points; ++k) in[i][k] = others[static_cast<std::size_t>(k)];
        double power = 1;
        for (std::int64_t k = 0; k < std::max(m, kTaps); ++k, power *= point) {
            if (k < m) out[k][i] = power;
            if (k < kTaps) taps[i][k] = power / scale;
        }
        all = times_root(all, point);
    }
    for (std::int64_t k = 0; k < n; ++k) in[points][k] = all[static_cast<std::size_t>(k)];
    out[m - 1][points] = 1;
    taps[points][kTaps - 1] = 1;
    return {output.to(options), kernel.to(options), input.to(options)};
}

at::Tensor both_sides(const at::Tensor& matrix, const at::Tensor& tiles) {
    return at::matmul(at::matmul(matrix, tiles), matrix.t());
}

}  // namespace

bool fits_winograd(const Convolution& convolution) {
    const auto ones = [](const std::vector<std::int64_t>& list) {
        return list == std::vector<std::int64_t>{1, 1};
    };
    return convolution.weight.size(2) == kTaps && convolution.weight.size(3) == kTaps &&
           ones(convolution.stride) && ones(convolution.dilation) && convolution.groups == 1;
}

at::Tensor winograd_convolution(const Convolution& convolution, int m) {
    const auto& [x, weight, bias, stride, padding, dilation, groups, one_dimension] = convolution;
    const auto [output, kernel, input] = matrices_of(m, x.options());
    const auto n = std::int64_t{m} + kTaps - 1;
    const auto height = x.size(2) + 2 * padding[0] - kTaps + 1, width = x.size(3) + 2 * padding[1] - kTaps + 1;
    const auto high = (height + m - 1) / m, wide = (width + m - 1) / m;  // in tiles
    const auto padded = at::constant_pad_nd(
        x, {padding[1], wide * m - width + padding[1], padding[0], high * m - height + padding[0]});
    // images x channels x high x wide x n x n
    const auto tiles = both_sides(input, padded.unfold(2, n, m).unfold(3, n, m).contiguous());
    const auto kernels = both_sides(kernel, weight);  // outputs x channels x n x n
    const auto places = x.size(0) * high * wide;
    const auto products =
        at::bmm(kernels.permute({2, 3, 0, 1}).reshape({n * n, weight.size(0), weight.size(1)}),
                tiles.permute({4, 5, 1, 0, 2, 3}).reshape({n * n, weight.size(1), places}));
    // n x n x outputs x images x high x wide
    const auto sums =
        products.reshape({n, n, weight.size(0), x.size(0), high, wide}).permute({3, 2, 4, 5, 0, 1});
    const auto done = both_sides(output, sums.contiguous());  // images x outputs x high x wide x m x m
    auto out = done.permute({0, 1, 2, 4, 3, 5})
                   .reshape({x.size(0), weight.size(0), high * m, wide * m})
                   .narrow(2, 0, height)
                   .narrow(3, 0, width);
    if (bias.defined()) out = out + bias.reshape({-1, 1, 1});
    return one_dimension ? out.squeeze(2) : out.contiguous();
}

}  // namespace modelseal::libtorch
