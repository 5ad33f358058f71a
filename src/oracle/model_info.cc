
#include "oracle/model_info.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "oracle/batched.h"
#include "oracle/input_tensor.h"
#include "oracle/output_tensor.h"
#include "util/text.h"

namespace modelseal::oracle {

NumberKind kind_of(std::string_view datatype) {
    if (datatype == "BOOL" || element_bytes(datatype) == 0) return NumberKind::other;
    return datatype.find("INT") != std::string_view::npos ? NumberKind::integer : NumberKind::floating;
}

Result<TensorInfo> sole_input(const ModelInfo& model, const InputShape& expected, const std::string& source) {
    if (model.inputs.empty()) return TensorInfo{expected.name.empty() ? "input" : expected.name, "FP32", {}};
    if (model.inputs.size() > 1) {
        std::vector<std::string> names;
        for (const auto& input : model.inputs)
            names.push_back(fmt::format("'{}'", util::printable(input.name)));
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: takes several inputs: {}", source, fmt::join(names, ", ")),
                     "only models with one input are supported"};
    }
    const auto& input = model.inputs[0];
    if (!is_input_type(input.datatype)) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: takes inputs of type {}, not FP32, FP64, FP16 or UINT8", source,
                                 util::printable(input.datatype)),
                     {}};
    }
    return input;
}

Result<std::string> sole_output(const ModelInfo& model, const std::string& wanted, const std::string& source) {
    std::vector<OutputTensor> outputs;
    for (const auto& output : model.outputs) {
        OutputTensor tensor;
        tensor.name = output.name;
        tensor.kind = kind_of(output.datatype);
        outputs.push_back(std::move(tensor));
    }
    if (outputs.empty()) return wanted;
    MODELSEAL_TRY_ASSIGN(auto picked, pick(std::move(outputs), wanted, source));
    return std::move(picked.name);
}

namespace {

bool fits(std::span<const std::int64_t> theirs, std::span<const std::int64_t> ours) {
    return std::ranges::equal(theirs, ours, [](auto their, auto our) { return their == -1 || their == our; });
}

}  // namespace

Result<InputShape> agree(const InputShape& expected, const TensorInfo& info, const std::string& source,
                         BatchRule& batch) {
    const std::span<const std::int64_t> shape(info.shape);
    InputShape input = expected;
    if (!info.name.empty()) input.name = info.name;
    batch = {};
    if (shape.empty()) return input;
    // Shapes of as many dimensions as an input has leave no room for a batch, unless they begin with any number.
    if (!input.shape.empty() && shape[0] != -1 && fits(shape, input.shape)) {
        batch = {.fixed = 1, .dimension = false};
    } else if (input.shape.empty()) {
        const auto one = shape.subspan(1);
        if (std::ranges::all_of(one, [](auto extent) { return extent > 0; }))
            input.shape.assign(one.begin(), one.end());
    } else if (!fits(shape.subspan(1), input.shape)) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: takes inputs of shape {}, batch first, not {}", source, shown(shape),
                                 shown(input.shape)),
                     "check the model, and the order of the channels"};
    }
    std::size_t elements = 0;
    const auto first = batch.dimension && shape[0] > 0 ? static_cast<std::size_t>(shape[0]) : 0;
    if (!elements_of(input.shape, kMaxRequestValues, elements) ||
        first > kMaxRequestValues / std::max<std::size_t>(elements, 1)) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: inputs of shape {} are too large", source, shown(shape)),
                     {}};
    }
    if (first > 0) batch.fixed = first;
    return input;
}

std::vector<std::int64_t> shape_of(std::size_t count, const InputShape& input, const BatchRule& batch) {
    std::vector<std::int64_t> shape;
    if (batch.dimension) shape.push_back(static_cast<std::int64_t>(count));
    shape.insert(shape.end(), input.shape.begin(), input.shape.end());
    return shape;
}

void add_batch_dimension(std::vector<OutputTensor>& tensors, const BatchRule& batch) {
    if (batch.dimension) return;
    for (auto& tensor : tensors) tensor.shape.insert(tensor.shape.begin(), 1);
}

}  // namespace modelseal::oracle
