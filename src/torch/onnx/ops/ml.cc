// Operators of ai.onnx.ml and of old versions at the start and end of image classifiers.
#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

at::Tensor vector_of(const std::vector<float>& numbers, const at::Tensor& like) {
    return at::tensor(numbers, at::TensorOptions(at::kFloat)).to(like.options());
}

void image_scaler(Call& call) {
    const auto x = call.in(0);
    require(x.dim() == 4, "the input is not an image");
    const auto scaled = x * call.real("scale", 1);
    const auto bias = call.reals("bias");
    call.give_like(bias.empty() ? scaled : scaled + vector_of(bias, x).reshape({-1, 1, 1}));
}

void extract(Call& call) {
    const auto x = call.in(0);
    const auto index = call.in(1).to(at::kLong).reshape({-1});
    require(x.dim() >= 1 && index.numel() > 0 && index.min().item<std::int64_t>() >= 0 &&
                index.max().item<std::int64_t>() < x.size(-1),
            "an index is outside the input");
    const auto picked = x.index_select(-1, index);
    call.give_like(x.dim() == 1 ? picked.unsqueeze(0) : picked);
}

void scaler(Call& call) {
    const auto x = call.in(0).to(at::kFloat);
    auto result = x;
    if (const auto offset = call.reals("offset"); !offset.empty()) result = result - vector_of(offset, x);
    if (const auto scale = call.reals("scale"); !scale.empty()) result = result * vector_of(scale, x);
    call.give(result);
}

// A map of class to score becomes the row of scores that it was made from.
void zip_map(Call& call) {
    call.give_like(call.in(0));
}

void binarizer(Call& call) {
    const auto x = call.in(0);
    call.give_like((x > call.real("threshold", 0)).to(x.scalar_type()));
}

constexpr Operator kMlOperators[] = {
    {"", "ImageScaler", image_scaler},      {"ai.onnx.ml", "ArrayFeatureExtractor", extract},
    {"ai.onnx.ml", "Scaler", scaler},       {"ai.onnx.ml", "ZipMap", zip_map},
    {"ai.onnx.ml", "Binarizer", binarizer},
};

}  // namespace

std::span<const Operator> ml_operators() {
    return kMlOperators;
}

}  // namespace modelseal::libtorch::onnx
