// Fourier transforms, as products with the matrix of the transform, and windows.
#include <cmath>
#include <numbers>

#include "formats/onnx/schema.h"
#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

// Cosines and sines of 2 pi k n / length, rows k, columns n.
std::pair<at::Tensor, at::Tensor> waves(const Call& call, std::int64_t rows, std::int64_t columns,
                                        std::int64_t length, const at::Tensor& like) {
    call.check_size({rows, columns});
    const auto options = at::TensorOptions(at::kLong);
    const auto product = at::arange(rows, options).unsqueeze(1) * at::arange(columns, options).unsqueeze(0);
    const auto angle =
        at::remainder(product, length).to(at::kDouble) * (2 * std::numbers::pi / static_cast<double>(length));
    return {at::cos(angle).to(like.options()), at::sin(angle).to(like.options())};
}

// x: ... x n x (1 or 2), transformed along the dimension before the last, to `length` points.
at::Tensor transform(const Call& call, const at::Tensor& x, std::int64_t length, std::int64_t bins,
                     bool inverse) {
    const auto given = x.size(-2);
    const auto used = std::min(given, length);
    const auto real = x.select(-1, 0).narrow(-1, 0, used);
    const auto [cosine, sine] = waves(call, bins, used, length, x);
    auto out_real = at::matmul(real, cosine.t());
    auto out_imaginary = at::matmul(real, sine.t()) * (inverse ? 1 : -1);
    if (x.size(-1) == 2) {
        const auto imaginary = x.select(-1, 1).narrow(-1, 0, used);
        out_real = out_real + at::matmul(imaginary, sine.t()) * (inverse ? -1 : 1);
        out_imaginary = out_imaginary + at::matmul(imaginary, cosine.t());
    }
    const auto result = at::stack({out_real, out_imaginary}, -1);
    return inverse ? result / static_cast<double>(length) : result;
}

void dft(Call& call) {
    auto x = call.in(0);
    require(x.dim() >= 2 && (x.size(-1) == 1 || x.size(-1) == 2),
            "the last dimension holds real and imaginary parts");
    const auto named = call.opset() < 20 ? call.integer("axis", 1) : call.has(2) ? call.integer_in(2) : -2;
    const auto axis = axis_of(named, x.dim());
    require(axis < x.dim() - 1, "axis");
    const bool inverse = call.integer("inverse", 0) != 0, onesided = call.integer("onesided", 0) != 0;
    x = x.transpose(axis, -2);
    auto length = call.has(1) ? call.integer_in(1) : x.size(-2);
    if (inverse && onesided) {
        // Half of a symmetric spectrum in, real numbers out.
        if (!call.has(1)) length = 2 * (x.size(-2) - 1);
        require(length > 0, "dft_length");
        const auto rest = length - x.size(-2);
        if (rest > 0) {
            auto mirrored = x.narrow(-2, 1, std::min(rest, x.size(-2) - 1)).flip({-2});
            if (x.size(-1) == 2) mirrored = at::stack({mirrored.select(-1, 0), -mirrored.select(-1, 1)}, -1);
            x = at::cat({x, mirrored}, -2);
        }
        return call.give_like(transform(call, x, length, length, true).narrow(-1, 0, 1).transpose(axis, -2));
    }
    require(length > 0, "dft_length");
    call.give_like(transform(call, x, length, onesided ? length / 2 + 1 : length, inverse).transpose(axis, -2));
}

void stft(Call& call) {
    auto x = call.in(0);
    if (x.dim() == 2) x = x.unsqueeze(-1);
    require(x.dim() == 3, "the signal needs three dimensions");
    const auto step = call.integer_in(1);
    const auto length = call.has(3) ? call.integer_in(3) : call.has(2) ? call.in(2).size(0) : x.size(1);
    require(step > 0 && length > 0 && length <= x.size(1), "frame_step and frame_length");
    auto frames = x.unfold(1, length, step).transpose(2, 3);  // batch x frames x length x parts
    if (call.has(2)) frames = frames * call.in(2).unsqueeze(-1);
    const auto bins = call.integer("onesided", 1) != 0 ? length / 2 + 1 : length;
    call.give_like(transform(call, frames, length, bins, false));
}

// a - b cos + c cos of twice the angle.
void window(Call& call, double a, double b, double c) {
    const auto size = call.integer_in(0);
    require(size >= 0, "size");
    call.check_size({size});
    const auto type =
        formats::onnx::element_type(static_cast<std::uint64_t>(call.integer("output_datatype", 1)));
    if (!type || !type->dtype) unsupported("a window of no numbers");
    const auto period = static_cast<double>(call.integer("periodic", 1) != 0 ? size : size - 1);
    const auto angle = at::arange(size, at::TensorOptions(at::kDouble)) * (2 * std::numbers::pi / period);
    call.give(cast(a - b * at::cos(angle) + c * at::cos(angle * 2), DType::f64, *type->dtype), *type->dtype);
}

// Triangles that overlap, evenly spaced on the mel scale; each column of the matrix is one.
void mel_weights(Call& call) {
    const auto bands = call.integer_in(0), length = call.integer_in(1), rate = call.integer_in(2);
    require(bands > 0 && length > 0 && rate > 0 && bands < (1 << 24) && length < (1 << 24), "sizes");
    const auto bins = length / 2 + 1;
    call.check_size({bins, bands});
    const auto number = static_cast<std::uint64_t>(call.integer("output_datatype", 1));
    const auto type = formats::onnx::element_type(number);
    if (!type || !type->dtype) unsupported("a matrix of no numbers");
    const auto mel_of = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
    const auto low = mel_of(call.real_in(3)), high = mel_of(call.real_in(4));
    std::vector<std::int64_t> edges;
    for (std::int64_t i = 0; i < bands + 2; ++i) {
        const auto mel = low + static_cast<double>(i) * (high - low) / static_cast<double>(bands + 2);
        const auto hertz = 700 * (std::pow(10.0, mel / 2595) - 1);
        const auto bin = std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
        require(bin >= 0 && bin < static_cast<double>(bins), "a band is outside the spectrum");
        edges.push_back(static_cast<std::int64_t>(bin));
    }
    const auto matrix = at::zeros({bins, bands}, at::TensorOptions(at::kDouble));
    auto weight = matrix.accessor<double, 2>();
    for (std::int64_t i = 0; i < bands; ++i) {
        const auto* edge = edges.data() + i;  // left, center, right
        if (edge[0] == edge[1]) weight[edge[1]][i] = 1;
        for (auto j = edge[0]; j <= edge[1] && edge[0] < edge[1]; ++j)
            weight[j][i] = static_cast<double>(j - edge[0]) / static_cast<double>(edge[1] - edge[0]);
        for (auto j = edge[1]; j < edge[2]; ++j)
            weight[j][i] = static_cast<double>(edge[2] - j) / static_cast<double>(edge[2] - edge[1]);
    }
    call.give(cast(matrix, DType::f64, *type->dtype), *type->dtype);
}

constexpr Operator kSignalOperators[] = {
    {"", "MelWeightMatrix", mel_weights},
    {"", "DFT", dft},
    {"", "STFT", stft},
    {"", "HannWindow", [](Call& call) { window(call, 0.5, 0.5, 0); }},
    {"", "HammingWindow", [](Call& call) { window(call, 25.0 / 46, 21.0 / 46, 0); }},
    {"", "BlackmanWindow", [](Call& call) { window(call, 0.42, 0.5, 0.08); }},
};

}  // namespace

std::span<const Operator> signal_operators() {
    return kSignalOperators;
}

}  // namespace modelseal::libtorch::onnx
