// Changes of type, and Dropout, which changes nothing when a network is used.
#include "formats/onnx_schema.h"
#include "torch/onnx_call.h"

namespace modelseal::onnx {

namespace {

DType target_type(const Call& call) {
    const auto number = call.integer("to", 0);
    const auto type = formats::onnx::element_type(static_cast<std::uint64_t>(number));
    if (!type || !type->dtype) unsupported("a cast to text");
    return *type->dtype;
}

void give_cast(Call& call, DType to) {
    if (call.value(0).kind == Value::Kind::text) unsupported("a cast of text");
    const auto& smooth = call.value(0).smooth;
    if (smooth.defined() && is_real(to)) return call.give(cast(smooth, DType::f32, to), to);
    Value made(cast(call.in(0), call.type(0), to, call.integer("saturate", 1) != 0), to);
    made.smooth = smooth;  // the same number, unless it was cut off
    call.give(std::move(made));
}

// The same bits as another type of the same size.
void bit_cast(Call& call) {
    const auto from = call.type(0), to = target_type(call);
    const auto same = [](DType type) {
        return type == DType::f32 || type == DType::f64 || type == DType::i8 || type == DType::u8 ||
               type == DType::i16 || type == DType::i32 || type == DType::i64 || type == DType::u64 ||
               type == DType::boolean;
    };
    if (!same(from) || !same(to)) unsupported("types that are computed in others");
    require(bits_of(from) == bits_of(to), "the types differ in size");
    call.give(call.in(0).view(computed_in(to)), to);
}

void dropout(Call& call) {
    bool training = false;
    double ratio = call.real("ratio", 0.5);
    if (call.opset() >= 12) {
        if (call.has(1)) ratio = call.real_in(1);
        training = call.has(2) && call.real_in(2) != 0;
    } else if (call.opset() < 7) {
        training = call.integer("is_test", 0) == 0 && call.opset() < 7 && call.wants(1);
    }
    if (training && ratio != 0) unsupported("random answers");
    call.give(call.value(0));
    call.give(at::ones_like(call.in(0), at::TensorOptions(at::kBool)));
}

constexpr Operator kCastOperators[] = {
    {"", "Cast", [](Call& call) { give_cast(call, target_type(call)); }},
    {"", "CastLike",
     [](Call& call) {
         if (call.value(1).kind == Value::Kind::text) unsupported("a cast to text");
         give_cast(call, call.type(1));
     }},
    {"", "BitCast", bit_cast},
    {"", "Dropout", dropout},
};

}  // namespace

std::span<const Operator> cast_operators() {
    return kCastOperators;
}

}  // namespace modelseal::onnx
