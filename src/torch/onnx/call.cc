
#include "torch/onnx/call.h"

#include <map>

#include <fmt/format.h>

#include "torch/onnx/interpreter.h"
#include "util/text.h"

namespace modelseal::libtorch::onnx {

using formats::onnx::Attribute;
using formats::onnx::AttributeType;

Call::Call(Interpreter& interpreter, Scope& scope, const formats::onnx::Node& node, std::int64_t opset,
           std::vector<const Value*> inputs)
    : interpreter_(interpreter), scope_(scope), node_(node), opset_(opset), inputs_(std::move(inputs)) {
    for (const auto* input : inputs_) {
        if (input == nullptr || input->kind != Value::Kind::tensor || !input->tensor.is_cuda()) continue;
        device_ = input->tensor.device();
        break;
    }
}

void Call::give_rectified(at::Tensor tensor) {
    if (is_real(type(0))) interpreter_.rectified(tensor);
    give_like(std::move(tensor));
}

bool Call::has(std::size_t input) const {
    return input < inputs_.size() && inputs_[input] != nullptr && inputs_[input]->kind != Value::Kind::nothing;
}

const Value& Call::value(std::size_t input) const {
    if (!has(input)) malformed(fmt::format("input {} is missing", input));
    return *inputs_[input];
}

at::Tensor Call::in(std::size_t input) const {
    const auto& given = value(input);
    if (given.kind != Value::Kind::tensor) malformed(fmt::format("input {} is not a tensor of numbers", input));
    return given.tensor.device() == device_ ? given.tensor : given.tensor.to(device_);
}

Ints Call::list(std::size_t input) const {
    const auto& given = value(input);
    if (given.kind != Value::Kind::tensor || is_real(given.type)) {
        malformed(fmt::format("input {} is not a tensor of integers", input));
    }
    const auto numbers = given.tensor.detach().to(at::kCPU, at::kLong).contiguous();
    const auto* first = numbers.data_ptr<std::int64_t>();
    return {first, first + numbers.numel()};
}

std::int64_t Call::integer_in(std::size_t input) const {
    const auto numbers = list(input);
    if (numbers.size() != 1) malformed(fmt::format("input {} is not a single number", input));
    return numbers.front();
}

double Call::real_in(std::size_t input) const {
    const auto tensor = in(input);
    if (tensor.numel() != 1) malformed(fmt::format("input {} is not a single number", input));
    return tensor.detach().to(at::kCPU, at::kDouble).reshape({}).item<double>();
}

const Attribute* Call::find(std::string_view attribute) const {
    return scope_.resolve(node_.find(attribute));
}

namespace {

const Attribute* typed(const Attribute* attribute, AttributeType type) {
    if (attribute != nullptr && attribute->type != type) {
        malformed(fmt::format("attribute '{}' has another type", attribute->name));
    }
    return attribute;
}

const Attribute& needed(const Attribute* attribute, std::string_view name) {
    if (attribute == nullptr) malformed(fmt::format("attribute '{}' is missing", name));
    return *attribute;
}

}  // namespace

std::int64_t Call::integer(std::string_view attribute, std::int64_t otherwise) const {
    const auto* found = typed(find(attribute), AttributeType::integer);
    return found == nullptr ? otherwise : found->integers.at(0);
}

double Call::real(std::string_view attribute, double otherwise) const {
    const auto* found = typed(find(attribute), AttributeType::real);
    return found == nullptr ? otherwise : static_cast<double>(found->reals.at(0));
}

std::string Call::text(std::string_view attribute, const char* otherwise) const {
    const auto* found = typed(find(attribute), AttributeType::string);
    return found == nullptr ? otherwise : found->strings.at(0);
}

Ints Call::integers(std::string_view attribute, Ints otherwise) const {
    const auto* found = typed(find(attribute), AttributeType::integers);
    return found == nullptr ? otherwise : found->integers;
}

std::vector<float> Call::reals(std::string_view attribute) const {
    const auto* found = typed(find(attribute), AttributeType::reals);
    return found == nullptr ? std::vector<float>() : found->reals;
}

std::vector<std::string> Call::strings(std::string_view attribute) const {
    const auto* found = typed(find(attribute), AttributeType::strings);
    return found == nullptr ? std::vector<std::string>() : found->strings;
}

const Value& Call::constant(std::string_view attribute) const {
    const auto& found = needed(typed(find(attribute), AttributeType::tensor), attribute);
    return interpreter_.constant(found.tensors.at(0));
}

const formats::onnx::Graph& Call::graph(std::string_view attribute) const {
    return needed(typed(find(attribute), AttributeType::graph), attribute).graphs.at(0);
}

std::optional<Ints> Call::numbers(std::string_view name, std::size_t input, std::int64_t last) const {
    if (opset_ <= last) return given(name) ? std::optional(integers(name)) : std::nullopt;
    return has(input) ? std::optional(list(input)) : std::nullopt;
}

void Call::check_size(at::IntArrayRef shape) const {
    std::uint64_t elements = 1;
    const auto cap = interpreter_.max_bytes() / 4;
    for (const auto extent : shape) {
        if (extent < 0) malformed(fmt::format("a dimension is {}", extent));
        if (extent == 0) return;
        if (elements > cap / static_cast<std::uint64_t>(extent)) {
            too_large(
                fmt::format("a tensor has more than {}", util::counted(interpreter_.max_bytes(), "byte")));
        }
        elements *= static_cast<std::uint64_t>(extent);
    }
}

std::vector<Value> Call::run(const formats::onnx::Graph& graph, std::vector<Value> inputs) {
    return interpreter_.run_graph(graph, std::move(inputs), scope_);
}

std::int64_t axis_of(std::int64_t axis, std::int64_t rank) {
    const auto room = std::max<std::int64_t>(rank, 1);
    if (axis < -room || axis >= room)
        malformed(fmt::format("axis {} does not exist, there are {}", axis,
                              util::counted(static_cast<std::uint64_t>(rank), "dimension")));
    return axis < 0 ? axis + room : axis;
}

Handler find_operator(std::string_view domain, std::string_view name) {
    static const auto all = [] {
        std::map<std::pair<std::string_view, std::string_view>, Handler> table;
        for (const auto family :
             {math_operators(),          activation_operators(), logic_operators(),      reduction_operators(),
              shape_operators(),         indexing_operators(),   conv_operators(),       pool_operators(),
              normalisation_operators(), matrix_operators(),     cast_operators(),       quantise_operators(),
              recurrent_operators(),     control_operators(),    sequence_operators(),   attention_operators(),
              resize_operators(),        vision_operators(),     signal_operators(),     loss_operators(),
              text_operators(),          ml_operators(),         deformable_operators(), state_operators()}) {
            for (const auto& entry : family) table.emplace(std::pair(entry.domain, entry.name), entry.handler);
        }
        return table;
    }();
    const auto found = all.find({domain, name});
    return found == all.end() ? nullptr : found->second;
}

}  // namespace modelseal::libtorch::onnx
