// Comparisons and truth values.
#include <limits>

#include "torch/onnx_call.h"
#include "torch/onnx_text.h"

namespace modelseal::onnx {

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

}  // namespace modelseal::onnx
