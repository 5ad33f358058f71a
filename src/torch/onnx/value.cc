#include "torch/onnx/value.h"

#include <limits>

#include <fmt/format.h>

#include "model/elements.h"
#include "model/values.h"
#include "util/text.h"

namespace modelseal::libtorch::onnx {
namespace {

// A small floating-point format, as onnx.ai/onnx/technical/float8.html and float4.html define it.
struct SmallFloat {
    int mantissa_bits;
    int least_exponent;  // of normal numbers; subnormal ones share its quantum
    double largest;
    bool infinity;  // values that are too large become infinity instead of NaN
    bool negative_zero;
};

const SmallFloat* small_float(DType type) {
    static constexpr SmallFloat kE4m3fn = {3, -6, 448, false, true};
    static constexpr SmallFloat kE4m3fnuz = {3, -7, 240, false, false};
    static constexpr SmallFloat kE5m2 = {2, -14, 57344, true, true};
    static constexpr SmallFloat kE5m2fnuz = {2, -15, 57344, false, false};
    static constexpr SmallFloat kE2m1 = {1, 0, 6, false, true};
    switch (type) {
        case DType::f8_e4m3fn:
            return &kE4m3fn;
        case DType::f8_e4m3fnuz:
            return &kE4m3fnuz;
        case DType::f8_e5m2:
            return &kE5m2;
        case DType::f8_e5m2fnuz:
            return &kE5m2fnuz;
        case DType::f4_e2m1:
            return &kE2m1;
        default:
            return nullptr;
    }
}

// Rounds to nearest, ties to even; then handles values that are too large.
at::Tensor round_to(const at::Tensor& tensor, const SmallFloat& format, bool saturate) {
    const auto wide = tensor.to(at::kDouble);
    const auto finite = at::isfinite(wide);
    const auto exponent = std::get<1>(at::frexp(at::where(finite, wide, at::zeros_like(wide)))) - 1;
    const auto quantum =
        at::exp2((exponent.clamp_min(format.least_exponent) - format.mantissa_bits).to(at::kDouble));
    auto rounded = at::where(finite, at::round(wide / quantum) * quantum, wide);
    const auto beyond =
        format.infinity ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    // float4 has no NaN; the reference makes it a zero.
    if (format.largest == 6) rounded = at::nan_to_num(rounded, 0, std::numeric_limits<double>::infinity());
    const auto too_large = rounded.abs() > format.largest;
    const auto limit = at::sign(rounded) * (saturate ? format.largest : beyond);
    rounded = at::where(too_large, limit, rounded);
    return format.negative_zero ? rounded : rounded + 0.0;  // -0 + 0 = +0
}

// Powers of two from 2^-127 to 2^127: up, as onnx rounds scales by default.
at::Tensor round_to_power(const at::Tensor& tensor, bool saturate) {
    const auto wide = tensor.to(at::kDouble);
    auto exponent = at::ceil(at::log2(wide));
    if (saturate) exponent = exponent.clamp(-127, 127);
    return at::where(at::isnan(wide), wide, at::exp2(exponent));
}

at::Tensor to_real(const at::Tensor& tensor, DType to, bool saturate) {
    switch (to) {
        case DType::f32:
            return tensor.to(at::kFloat);
        case DType::f64:
            return tensor.to(at::kDouble);
        case DType::f16:
            return tensor.to(at::kHalf).to(at::kFloat);
        case DType::bf16:
            return tensor.to(at::kBFloat16).to(at::kFloat);
        case DType::f8_e8m0:
            return round_to_power(tensor, saturate).to(at::kFloat);
        default:
            return round_to(tensor, *small_float(to), saturate || to == DType::f4_e2m1).to(at::kFloat);
    }
}

at::Tensor to_integer(const at::Tensor& tensor, DType from, DType to) {
    if (to == DType::boolean) return tensor != 0;
    // Through int64: a direct conversion of a real number that does not fit is undefined.
    auto wide = is_real(from)
                    ? at::nan_to_num(tensor.to(at::kDouble), 0.0).trunc().clamp(-9.2e18, 9.2e18).to(at::kLong)
                    : tensor.to(at::kLong);
    return wrap(wide, to).to(computed_in(to));
}

}  // namespace

void unsupported(const std::string& what) {
    throw OperatorError(ErrorKind::unsupported, "not supported: " + what, kWithoutThem);
}

void too_large(const std::string& what) {
    throw OperatorError(ErrorKind::unsupported, what);
}

void malformed(const std::string& what) {
    throw OperatorError(ErrorKind::malformed, what);
}

at::ScalarType computed_in(DType type) {
    switch (type) {
        case DType::boolean:
            return at::kBool;
        case DType::u8:
        case DType::u4:
        case DType::u2:
            return at::kByte;
        case DType::i8:
        case DType::i4:
        case DType::i2:
            return at::kChar;
        case DType::i16:
            return at::kShort;
        case DType::i32:
            return at::kInt;
        case DType::i64:
        case DType::u16:
        case DType::u32:
        case DType::u64:
            return at::kLong;
        case DType::f64:
            return at::kDouble;
        default:
            if (!is_real(type)) unsupported("elements of " + std::string(info(type).name));
            return at::kFloat;
    }
}

DType natural_type(at::ScalarType type) {
    switch (type) {
        case at::kBool:
            return DType::boolean;
        case at::kByte:
            return DType::u8;
        case at::kChar:
            return DType::i8;
        case at::kShort:
            return DType::i16;
        case at::kInt:
            return DType::i32;
        case at::kLong:
            return DType::i64;
        case at::kDouble:
            return DType::f64;
        default:
            return DType::f32;
    }
}

bool is_real(DType type) {
    return type == DType::f32 || type == DType::f64 || type == DType::f16 || type == DType::bf16 ||
           type == DType::f8_e8m0 || small_float(type) != nullptr;
}

bool is_unsigned(DType type) {
    return type == DType::u8 || type == DType::u16 || type == DType::u32 || type == DType::u64;
}

unsigned bits_of(DType type) {
    return info(type).group_bytes * 8 / info(type).group_elements;
}

Value Value::texts(std::vector<std::string> texts, std::vector<std::int64_t> shape) {
    Value value;
    value.kind = Kind::text;
    value.text = std::move(texts);
    value.text_shape = std::move(shape);
    return value;
}

Value Value::sequence(std::vector<Value> items) {
    Value value;
    value.kind = Kind::sequence;
    value.items = std::move(items);
    return value;
}

Value Value::optional(std::vector<Value> none_or_one) {
    Value value;
    value.kind = Kind::optional;
    value.items = std::move(none_or_one);
    return value;
}

at::Tensor straight_through(const at::Tensor& exact, const at::Tensor& smooth) {
    if (!smooth.requires_grad()) return exact;
    // exact = smooth + (exact - smooth) would round; only the gradient is taken from the difference, which is
    // 0.
    return exact.detach() + (smooth - smooth.detach());
}

at::Tensor cast(const at::Tensor& tensor, DType from, DType to, bool saturate) {
    if (from == to) return tensor;
    computed_in(to);
    if (!is_real(to)) return to_integer(tensor, from, to);
    if (to == DType::f32 || to == DType::f64) return tensor.to(computed_in(to));
    const auto exact = to_real(tensor.detach(), to, saturate);
    return is_real(from) ? straight_through(exact, tensor.to(at::kFloat)) : exact;
}

at::Tensor wrap(const at::Tensor& tensor, DType type) {
    const auto bits = bits_of(type);
    if (type == DType::u64 || type == DType::i64 || is_real(type) || type == DType::boolean) return tensor;
    const auto span = std::int64_t{1} << bits;
    if (type == DType::u2 || type == DType::u4 || is_unsigned(type)) {
        return tensor.scalar_type() == at::kByte && bits == 8 ? tensor : at::remainder(tensor, span);
    }
    if (tensor.scalar_type() != at::kLong) return tensor;
    return at::remainder(tensor + span / 2, span) - span / 2;
}

namespace {

bool same_in_memory(DType type) {
    switch (type) {
        case DType::f32:
        case DType::f64:
        case DType::u8:
        case DType::i8:
        case DType::i16:
        case DType::i32:
        case DType::i64:
            return true;
        default:
            return false;
    }
}

// Small types by way of double, which holds all of them; 64-bit integers it does not.
at::Tensor decoded(DType type, const std::vector<std::byte>& bytes, const std::vector<std::int64_t>& shape,
                   std::uint64_t elements) {
    if (type == DType::u64) {
        auto* start = const_cast<std::byte*>(bytes.data());
        return at::from_blob(start, shape, at::TensorOptions(at::kLong)).clone();
    }
    std::vector<double> numbers(elements);
    model::decode_values(type, bytes, numbers);
    return at::from_blob(numbers.data(), shape, at::TensorOptions(at::kDouble)).to(computed_in(type));
}

}  // namespace

Result<Value> load_constant(const formats::onnx::Constant& constant, const model::Model& files,
                            std::uint64_t max_bytes) {
    const auto& tensor = constant.tensor;
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    if (constant.is_text) return Value::texts(constant.text, shape);
    const auto problem = [&](ErrorKind kind, const std::string& what) {
        return Error{kind,
                     fmt::format("{}: tensor '{}': {}", files.files.front().source->name(),
                                 util::printable(tensor.name), what),
                     {}};
    };
    if (!model::has_values(tensor.dtype) || model::value_parts(tensor.dtype) != 1) {
        return problem(ErrorKind::unsupported, fmt::format("elements of {}", info(tensor.dtype).name));
    }
    std::uint64_t bytes = 0;
    if (!storage_bytes(tensor.dtype, tensor.elements, bytes) || tensor.elements > max_bytes / 8) {
        return problem(ErrorKind::unsupported,
                       fmt::format("{} do not fit in {}", util::counted(tensor.elements, "element"),
                                   util::counted(max_bytes, "byte")));
    }
    if (tensor.elements == 0) {
        return Value(at::empty(shape, at::TensorOptions(computed_in(tensor.dtype))), tensor.dtype);
    }
    if (same_in_memory(tensor.dtype)) {
        auto made = at::empty(shape, at::TensorOptions(computed_in(tensor.dtype)));
        MODELSEAL_TRY(model::read_elements(files, tensor, 0, tensor.elements,
                                           {static_cast<std::byte*>(made.data_ptr()), bytes}));
        return Value(made, tensor.dtype);
    }
    std::vector<std::byte> raw(bytes);
    MODELSEAL_TRY(model::read_elements(files, tensor, 0, tensor.elements, raw));
    return Value(decoded(tensor.dtype, raw, shape, tensor.elements), tensor.dtype);
}

}  // namespace modelseal::libtorch::onnx
