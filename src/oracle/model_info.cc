
#include "oracle/model_info.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "oracle/batched.h"
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
    if (input.datatype != "FP32" && input.datatype != "FP64") {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: takes inputs of type {}, not FP32", source, util::printable(input.datatype)),
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

Result<InputShape> agree(const InputShape& expected, const TensorInfo& info, const std::string& source,
                         std::size_t& batch) {
    const auto& shape = info.shape;
    InputShape input{info.name.empty() ? expected.name : info.name, expected.shape};
    batch = 0;
    if (shape.empty()) return input;
    const std::span<const std::int64_t> one(shape.data() + 1, shape.size() - 1);
    if (input.shape.empty()) {
        const bool known = std::all_of(one.begin(), one.end(), [](auto extent) { return extent > 0; });
        if (known) input.shape.assign(one.begin(), one.end());
    }
    const bool fits = input.shape.empty() ||
                      std::equal(one.begin(), one.end(), input.shape.begin(), input.shape.end(),
                                 [](auto theirs, auto ours) { return theirs == -1 || theirs == ours; });
    if (!fits) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: takes inputs of shape {}, batch first, not {}", source, shown(shape),
                                 shown(input.shape)),
                     "check the model, and the order of the channels"};
    }
    std::size_t elements = 0;
    if (!elements_of(input.shape, kMaxRequestValues, elements) ||
        (shape[0] > 0 &&
         static_cast<std::size_t>(shape[0]) > kMaxRequestValues / std::max<std::size_t>(elements, 1))) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: inputs of shape {} are too large", source, shown(shape)),
                     {}};
    }
    if (shape[0] > 0) batch = static_cast<std::size_t>(shape[0]);
    return input;
}

}  // namespace modelseal::oracle
