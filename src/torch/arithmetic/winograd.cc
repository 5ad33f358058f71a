#include "torch/arithmetic/winograd.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

namespace modelseal::libtorch {
namespace {

constexpr std::int64_t kTaps = 3;
constexpr std::int64_t kTilesAtOnce = 1 << 22;  // elements of the tiles of a thread: 16 MiB, a few times
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

// matrix * T * matrix^T for every tile T. Tiles are next to each other in memory, element by element: n x n x tiles.
at::Tensor both_sides(const at::Tensor& matrix, const at::Tensor& tiles) {
    const auto m = matrix.size(0), n = matrix.size(1), count = tiles.size(2);
    const auto rows = at::mm(matrix, tiles.reshape({n, n * count})).reshape({m, n, count});
    return at::bmm(matrix.expand({m, m, n}), rows);
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
    const auto outputs = weight.size(0), channels = weight.size(1);
    const auto height = x.size(2) + 2 * padding[0] - kTaps + 1, width = x.size(3) + 2 * padding[1] - kTaps + 1;
    const auto high = (height + m - 1) / m, wide = (width + m - 1) / m;  // in tiles
    // Channels last: what is copied into tiles and back then lies side by side.
    const auto padded = at::constant_pad_nd(
        x.permute({0, 2, 3, 1}),
        {0, 0, padding[1], wide * m - width + padding[1], padding[0], high * m - height + padding[0]});
    const auto taps = weight.permute({2, 3, 1, 0}).reshape({kTaps, kTaps, channels * outputs});
    const auto kernels = both_sides(kernel, taps).reshape({n * n, channels, outputs});
    auto out = at::empty({x.size(0), height, width, outputs}, x.options());
    const auto convolve = [&](std::int64_t begin, std::int64_t images) {
        const auto places = images * high * wide;
        const auto cut = padded.narrow(0, begin, images).unfold(1, n, m).unfold(2, n, m);
        const auto tiles =
            both_sides(input, cut.permute({4, 5, 0, 1, 2, 3}).reshape({n, n, places * channels}));
        const auto products = at::bmm(tiles.reshape({n * n, places, channels}), kernels);
        const auto done = both_sides(output, products.reshape({n, n, places * outputs}));
        out.narrow(0, begin, images)
            .copy_(done.reshape({m, m, images, high, wide, outputs})
                       .permute({2, 3, 0, 4, 1, 5})
                       .reshape({images, high * m, wide * m, outputs})
                       .narrow(1, 0, height)
                       .narrow(2, 0, width));
    };
    const auto of_an_image = n * n * high * wide * std::max(channels, outputs);
    const auto step = std::max<std::int64_t>(1, kTilesAtOnce / of_an_image);
    // Products of LibTorch have one thread each here.
    at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        const at::NoGradGuard no_gradients;
        for (auto image = begin; image < end; image += step) convolve(image, std::min(step, end - image));
    });
    if (bias.defined()) out += bias;
    out = out.permute({0, 3, 1, 2});
    return one_dimension ? out.squeeze(2) : out.contiguous();
}

}  // namespace modelseal::libtorch
