// Comparisons and truth values.
#include <limits>

#include "torch/onnx/call.h"
#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {
namespace {

using Binary = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

template <Binary operation>
void compare(Call& call) {
    const auto a = call.in(0);
    auto b = call.in(1);
    if (call.opset() < 7 && call.integer("broadcast", 0) != 0 && call.given("axis")) {
        auto shape = b.sizes().vec();
        const auto axis = axis_of(call.integer("axis", 0), a.dim());
        while (static_cast<std::int64_t>(shape.size()) + axis < a.dim()) shape.push_back(1);
        b = b.reshape(shape);
    }
    call.check_size(at::infer_size(a.sizes(), b.sizes()));
    call.give(operation(a, b));
}

void equal(Call& call) {
    if (call.value(0).kind == Value::Kind::text) return equal_texts(call);
    compare<at::eq>(call);
}

void is_infinite(Call& call) {
    const auto x = call.in(0);
    auto found = at::zeros_like(x, at::TensorOptions(at::kBool));
    const auto infinity = std::numeric_limits<double>::infinity();
    if (call.integer("detect_positive", 1) != 0) found = found | (x == infinity);
    if (call.integer("detect_negative", 1) != 0) found = found | (x == -infinity);
    call.give(found);
}

void where(Call& call) {
    const auto condition = call.in(0);
    const auto a = call.in(1);
    const auto b = call.in(2);
    call.check_size(at::infer_size(condition.sizes(), at::infer_size(a.sizes(), b.sizes())));
    call.give(at::where(condition.to(at::kBool), a, b), call.type(1));
}

constexpr Operator kLogicOperators[] = {
    {"", "And", compare<at::logical_and>},
    {"", "Or", compare<at::logical_or>},
    {"", "Xor", compare<at::logical_xor>},
    {"", "Not", [](Call& call) { call.give(at::logical_not(call.in(0))); }},
    {"", "Equal", equal},
    {"", "Greater", compare<at::gt>},
    {"", "GreaterOrEqual", compare<at::ge>},
    {"", "Less", compare<at::lt>},
    {"", "LessOrEqual", compare<at::le>},
    {"", "IsNaN", [](Call& call) { call.give(at::isnan(call.in(0))); }},
    {"", "IsInf", is_infinite},
    {"", "Where", where},
};

}  // namespace

std::span<const Operator> logic_operators() {
    return kLogicOperators;
}

// Text, as far as it is cheap: comparing and joining.

std::vector<std::string> stretched_texts(const Value& value, at::IntArrayRef shape) {
    require(value.kind == Value::Kind::text, "an input is not a text");
    const auto places = at::arange(static_cast<std::int64_t>(value.text.size()), at::TensorOptions(at::kLong))
                            .reshape(value.text_shape)
                            .expand(shape)
                            .contiguous();
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < places.numel(); ++i) {
        texts.push_back(value.text.at(static_cast<std::size_t>(places.data_ptr<std::int64_t>()[i])));
    }
    return texts;
}

void equal_texts(Call& call) {
    const auto shape = at::infer_size(call.value(0).text_shape, call.value(1).text_shape);
    call.check_size(shape);
    const auto a = stretched_texts(call.value(0), shape);
    const auto b = stretched_texts(call.value(1), shape);
    auto result = at::empty(shape, at::TensorOptions(at::kBool));
    for (std::size_t i = 0; i < a.size(); ++i) result.data_ptr<bool>()[i] = a[i] == b[i];
    call.give(result);
}

namespace {

void concat_text(Call& call) {
    const auto shape = at::infer_size(call.value(0).text_shape, call.value(1).text_shape);
    call.check_size(shape);
    auto texts = stretched_texts(call.value(0), shape);
    const auto more = stretched_texts(call.value(1), shape);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] += more[i];
    call.give(Value::texts(std::move(texts), shape));
}

constexpr Operator kTextOperators[] = {{"", "StringConcat", concat_text}};

}  // namespace

std::span<const Operator> text_operators() {
    return kTextOperators;
}

}  // namespace modelseal::libtorch::onnx
