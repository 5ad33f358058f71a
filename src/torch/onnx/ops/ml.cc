// Operators of ai.onnx.ml and of old versions at the start and end of image classifiers.
#include <limits>
#include <map>

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

// One of the columns keys_* or values_* of a LabelEncoder, as texts or numbers.
Value column_of(const Call& call, const std::string& prefix) {
    if (call.given(prefix + "_tensor")) return call.constant(prefix + "_tensor");
    if (call.given(prefix + "_strings")) {
        auto texts = call.strings(prefix + "_strings");
        const auto count = static_cast<std::int64_t>(texts.size());
        return Value::texts(std::move(texts), {count});
    }
    if (call.given(prefix + "_int64s"))
        return Value(at::tensor(call.integers(prefix + "_int64s"), at::TensorOptions(at::kLong)));
    if (call.given(prefix + "_floats"))
        return Value(at::tensor(call.reals(prefix + "_floats"), at::TensorOptions(at::kFloat)));
    malformed("has no attribute " + prefix + "_*");
}

// What a LabelEncoder makes of keys that it does not list.
Value default_of(const Call& call, const Value& values) {
    if (call.given("default_tensor")) return call.constant("default_tensor");
    if (values.kind == Value::Kind::text) return Value::texts({call.text("default_string", "_Unused")}, {});
    return is_real(values.type)
               ? Value(at::full({1}, call.real("default_float", -0.0), values.tensor.options()), values.type)
               : Value(at::full({1}, call.integer("default_int64", -1), values.tensor.options()), values.type);
}

// For each element its place among the keys, the last if it is there twice; else the number of keys.
template <class T>
std::vector<std::int64_t> places_among(const std::vector<T>& keys, const std::vector<T>& elements) {
    std::map<T, std::int64_t> known;
    for (std::size_t i = 0; i < keys.size(); ++i) known[keys[i]] = static_cast<std::int64_t>(i);
    std::vector<std::int64_t> found;
    for (const auto& element : elements) {
        const auto at = known.find(element);
        found.push_back(at == known.end() ? static_cast<std::int64_t>(keys.size()) : at->second);
    }
    return found;
}

// Integers in order, real numbers by their bits: every NaN is the same.
std::vector<std::int64_t> keys_of(const at::Tensor& tensor) {
    auto numbers = tensor.detach().to(at::kCPU).reshape({-1});
    if (numbers.is_floating_point()) {
        numbers = numbers.to(at::kDouble) + 0.0;  // -0 is 0
        numbers =
            numbers.masked_fill(numbers.isnan(), std::numeric_limits<double>::quiet_NaN()).view(at::kLong);
    }
    numbers = numbers.to(at::kLong).contiguous();
    const auto* first = numbers.data_ptr<std::int64_t>();
    return {first, first + numbers.numel()};
}

void label_encoder(Call& call) {
    const auto& x = call.value(0);
    const auto keys = column_of(call, "keys"), values = column_of(call, "values");
    require(x.kind == keys.kind, "the input is not of the type of the keys");
    const bool of_text = x.kind == Value::Kind::text;
    if (!of_text) require(x.type == keys.type, "the input is not of the type of the keys");
    const auto found =
        of_text ? places_among(keys.text, x.text) : places_among(keys_of(keys.tensor), keys_of(x.tensor));
    const auto shape = of_text ? x.text_shape : x.tensor.sizes().vec();
    const auto otherwise = default_of(call, values);
    require(otherwise.kind == values.kind, "the default is not of the type of the values");
    const auto count = of_text ? static_cast<std::int64_t>(keys.text.size()) : keys.tensor.numel();
    if (values.kind == Value::Kind::text) {
        require(static_cast<std::int64_t>(values.text.size()) == count, "a value for each key");
        std::vector<std::string> texts;
        for (const auto at : found) {
            const auto i = static_cast<std::size_t>(at);
            texts.push_back(i < values.text.size() ? values.text[i] : otherwise.text.at(0));
        }
        return call.give(Value::texts(std::move(texts), shape));
    }
    require(values.tensor.numel() == count && otherwise.tensor.numel() == 1, "a value for each key");
    const auto all =
        at::cat({values.tensor.reshape({-1}), otherwise.tensor.reshape({-1}).to(values.tensor.scalar_type())});
    call.give(all.index_select(0, at::tensor(found, at::TensorOptions(at::kLong))).reshape(shape), values.type);
}

constexpr Operator kMlOperators[] = {
    {"", "ImageScaler", image_scaler},      {"ai.onnx.ml", "ArrayFeatureExtractor", extract},
    {"ai.onnx.ml", "Scaler", scaler},       {"ai.onnx.ml", "ZipMap", zip_map},
    {"ai.onnx.ml", "Binarizer", binarizer}, {"ai.onnx.ml", "LabelEncoder", label_encoder},
};

}  // namespace

std::span<const Operator> ml_operators() {
    return kMlOperators;
}

}  // namespace modelseal::libtorch::onnx
