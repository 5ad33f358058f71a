#include "torch/onnx_constant.h"

#include <fmt/format.h>

#include "model/elements.h"
#include "model/values.h"
#include "util/text.h"

namespace modelseal::onnx {

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
    decode_values(type, bytes, numbers);
    return at::from_blob(numbers.data(), shape, at::TensorOptions(at::kDouble)).to(computed_in(type));
}

}  // namespace

Result<Value> load_constant(const formats::onnx::Constant& constant, const Model& files,
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
    if (!has_values(tensor.dtype) || value_parts(tensor.dtype) != 1) {
        return problem(ErrorKind::unsupported, fmt::format("elements of {}", info(tensor.dtype).name));
    }
    std::uint64_t bytes = 0;
    if (!storage_bytes(tensor.dtype, tensor.elements, bytes) || tensor.elements > max_bytes / 8) {
        return problem(ErrorKind::unsupported,
                       fmt::format("{} elements are more than {} bytes hold", tensor.elements, max_bytes));
    }
    if (tensor.elements == 0) {
        return Value(at::empty(shape, at::TensorOptions(computed_in(tensor.dtype))), tensor.dtype);
    }
    if (same_in_memory(tensor.dtype)) {
        auto made = at::empty(shape, at::TensorOptions(computed_in(tensor.dtype)));
        MODELSEAL_TRY(read_elements(files, tensor, 0, tensor.elements,
                                    {static_cast<std::byte*>(made.data_ptr()), bytes}));
        return Value(made, tensor.dtype);
    }
    std::vector<std::byte> raw(bytes);
    MODELSEAL_TRY(read_elements(files, tensor, 0, tensor.elements, raw));
    return Value(decoded(tensor.dtype, raw, shape, tensor.elements), tensor.dtype);
}

}  // namespace modelseal::onnx
