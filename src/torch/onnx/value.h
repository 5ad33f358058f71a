// A value between the nodes of an ONNX graph: a tensor of LibTorch with its ONNX type, a text, or a sequence.
//
// ONNX has types that LibTorch lacks, and CPU kernels of LibTorch 1.13 lack float16. So each ONNX type has a
// type that it is computed in:
//   float32 for float16, bfloat16, float8 and float4: casts round to the type, other operators do not; outputs
//           equal those of an engine that rounds each step within that rounding, and have a useful gradient
//   int64   for uint16, uint32, uint64; results are wrapped where the type would be
//   int8, uint8 for 4 and 2 bits
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "formats/onnx/program.h"
#include "model/model.h"

// clang-format off
#include <ATen/core/ivalue.h>  // first: in C++20 clang 14 finds it incomplete otherwise
#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
// clang-format on

#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal::libtorch::onnx {

// The hint where an operator, or a form of it, is missing.
inline constexpr const char* kWithoutThem = "export the network without unsupported operators";

// Thrown by operators; caught with LibTorch's own exceptions where a graph is run.
struct OperatorError : std::runtime_error {
    OperatorError(ErrorKind why, const std::string& what, const char* remedy = "")
        : std::runtime_error(what), kind(why), hint(remedy) {}
    ErrorKind kind;
    const char* hint;
};
[[noreturn]] void unsupported(const std::string& what);  // a form of an operator: "not supported: what"
[[noreturn]] void too_large(const std::string& what);    // ErrorKind::unsupported, because of an input's size
[[noreturn]] void malformed(const std::string& what);
inline void require(bool holds, const char* what) {
    if (!holds) malformed(what);
}

// The type that `type` is computed in; `unsupported` for complex numbers.
at::ScalarType computed_in(DType type);
// The ONNX type of a tensor without an explicit one.
DType natural_type(at::ScalarType type);
bool is_real(DType type);      // float16, float8, ... too
bool is_unsigned(DType type);  // of 8 bits and more
unsigned bits_of(DType type);

struct Value {
    enum class Kind { nothing, tensor, text, sequence, optional };
    Kind kind = Kind::nothing;
    DType type = DType::f32;  // of a tensor's elements
    at::Tensor tensor;
    // Of integers that were quantized: the same in float32, with the gradient that rounding would stop.
    at::Tensor smooth;
    std::vector<std::string> text;  // with text_shape
    std::vector<std::int64_t> text_shape;
    std::vector<Value> items;  // of a sequence; of an optional none or one

    Value() = default;
    Value(at::Tensor of) : kind(Kind::tensor), type(natural_type(of.scalar_type())), tensor(std::move(of)) {}
    Value(at::Tensor of, DType as) : kind(Kind::tensor), type(as), tensor(std::move(of)) {}
    static Value texts(std::vector<std::string> texts, std::vector<std::int64_t> shape);
    static Value sequence(std::vector<Value> items);
    static Value optional(std::vector<Value> none_or_one);
};

// Values of `tensor` converted to `to`, computed in computed_in(to): rounded, wrapped or saturated as by
// Cast. The gradient passes if both types are real.
at::Tensor cast(const at::Tensor& tensor, DType from, DType to, bool saturate = true);

// An integer result wrapped into the range of an unsigned type that is computed in a wider one.
at::Tensor wrap(const at::Tensor& tensor, DType type);

// The value of `exact`, with the gradient of `smooth`.
at::Tensor straight_through(const at::Tensor& exact, const at::Tensor& smooth);

// Constants of an ONNX file as values.

// `max_bytes` caps the memory of the elements.
Result<Value> load_constant(const formats::onnx::Constant& constant, const model::Model& files,
                            std::uint64_t max_bytes);

}  // namespace modelseal::libtorch::onnx
