#include "torch/onnx/graph_weights.h"

#include <algorithm>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "torch/errors.h"
#include "torch/onnx/weights.h"
#include "util/text.h"

namespace modelseal::libtorch::onnx {
namespace {

using formats::onnx::Graph;
using formats::onnx::NewValues;
using formats::onnx::Node;

std::vector<std::byte> bytes_of_tensor(const at::Tensor& tensor) {
    const auto plain = tensor.detach().to(at::kCPU).contiguous();
    std::vector<std::byte> bytes(static_cast<std::size_t>(plain.numel()) * plain.element_size());
    if (!bytes.empty()) std::memcpy(bytes.data(), plain.data_ptr(), bytes.size());
    return bytes;
}

at::ScalarType stored_as(DType type) {
    return type == DType::f16    ? at::kHalf
           : type == DType::bf16 ? at::kBFloat16
           : type == DType::f64  ? at::kDouble
                                 : at::kFloat;
}

NewValues values_of(const at::Tensor& tensor, at::ScalarType type) {
    return {{tensor.sizes().begin(), tensor.sizes().end()}, bytes_of_tensor(tensor.to(type))};
}

bool has_graphs(const Node& node) {
    return std::ranges::any_of(node.attributes,
                               [](const auto& attribute) { return !attribute.graphs.empty(); });
}

// The position of the only element that is `classes`, or -1.
std::int64_t place_of(const at::Tensor& shape, std::size_t classes) {
    if (shape.scalar_type() != at::kLong || shape.dim() != 1) return -1;
    const auto found = (shape == static_cast<std::int64_t>(classes)).nonzero();
    return found.size(0) == 1 ? found.item<std::int64_t>() : -1;
}

// Constant shapes that only Reshape uses, and only of `affected` values.
std::set<std::string> shapes_of(const Graph& graph, const std::set<std::string>& affected) {
    std::set<std::string> shapes, used_otherwise;
    for (const auto& node : graph.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const bool is_shape =
                node.domain.empty() && node.op_type == "Reshape" && i == 1 && affected.contains(node.inputs[0]);
            (is_shape ? shapes : used_otherwise).insert(node.inputs[i]);
        }
    }
    std::erase_if(shapes, [&](const auto& name) { return used_otherwise.contains(name); });
    return shapes;
}

}  // namespace

Result<std::vector<Weight>> GraphWeights::collect(Interpreter& interpreter) {
    const auto& graph = interpreter.program().graph;
    const auto& file = interpreter.name();
    const auto found = weights_of(graph);
    if (found.quantized) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the weights '{}' are quantized; only real numbers can be trained", file,
                                 util::printable(*found.quantized)),
                     {}};
    }
    std::set<std::string> names;
    for (const auto& [name, constant] : constants_of(graph)) {
        if (is_trainable(*constant)) names.insert(name);
    }
    MODELSEAL_TRY(interpreter.keep(names));
    std::vector<Weight> weights;
    for (const auto& name : names) {
        auto* value = interpreter.find(name);
        if (value == nullptr || value->tensor.numel() == 0) continue;
        weights.push_back({name, {value->tensor}, found.trained.contains(name)});
    }
    return weights;
}

void GraphWeights::adapt(Interpreter& interpreter, const std::set<std::string>& names, std::size_t classes,
                         Shapes before) {
    const auto& graph = interpreter.program().graph;
    const auto constants = constants_of(graph);
    before_ = std::move(before);
    affected_ = values_after(graph, names);
    const auto looks_up = [&](const Node& node) {
        return node.domain.empty() && node.op_type == "Gather" && constants.contains(node.inputs.at(0));
    };
    for (const auto& node : graph.nodes) {
        const bool after =
            std::ranges::any_of(node.outputs, [&](const auto& output) { return affected_.contains(output); });
        // Our operators of ai.onnx.ml do not compare the scores with the list of labels, others do. A table that is
        // looked up in has no entry for one more class.
        const bool labels = node.domain == "ai.onnx.ml" || looks_up(node);
        const auto* why = has_graphs(node) ? "is used in a subgraph"
                          : labels         ? "leads to labels that the file lists"
                                           : nullptr;
        if (!after || why == nullptr) continue;
        throw Refused(
            {ErrorKind::unsupported,
             fmt::format("{}: the last layer {} ({})", interpreter.name(), why, util::printable(node.op_type)),
             {}});
    }
    for (const auto& name : shapes_of(graph, affected_)) {
        auto* shape = interpreter.find(name);
        if (shape == nullptr || shape->kind != Value::Kind::tensor) continue;
        const auto place = place_of(shape->tensor, classes);
        if (place < 0 || !constants_of(graph).contains(name)) continue;
        shapes_.emplace(name, shape->tensor);
        shape->tensor = shape->tensor.clone();
        shape->tensor[place] = static_cast<std::int64_t>(classes + 1);
    }
}

void GraphWeights::unadapt(Interpreter& interpreter) {
    for (const auto& [name, shape] : shapes_) interpreter.find(name)->tensor = shape;
    shapes_.clear();
}

void GraphWeights::adapted(Interpreter& interpreter, const Shapes& after) {
    for (const auto& [name, shape] : shapes_) {
        changes_.tensors.insert_or_assign(name, values_of(interpreter.find(name)->tensor, at::kLong));
    }
    shapes_.clear();
    const auto& outputs = interpreter.program().graph.outputs;
    for (std::size_t i = 0; i < outputs.size() && i < before_.size() && i < after.size(); ++i) {
        for (std::size_t axis = 0; axis < std::min(before_[i].size(), after[i].size()); ++axis) {
            if (before_[i][axis] == after[i][axis]) continue;
            changes_.extents[outputs[i].name][axis] = static_cast<std::uint64_t>(after[i][axis]);
        }
    }
    changes_.forgotten.merge(affected_);
}

Result<std::vector<std::byte>> GraphWeights::file(Interpreter& interpreter,
                                                  const std::vector<Weight>& weights) const {
    const auto& file = interpreter.file();
    const auto constants = constants_of(file.program.graph);
    auto changes = changes_;
    for (const auto& weight : weights) {
        if (!weight.changed) continue;
        const auto& old = constants.at(weight.name)->tensor;
        auto values = values_of(weight.value(), stored_as(old.dtype));
        // Before IR version 4 initializers are inputs too.
        for (std::size_t axis = 0; axis < old.shape.size(); ++axis) {
            if (old.shape[axis] != values.shape[axis]) {
                changes.extents[weight.name][axis] = values.shape[axis];
            }
        }
        changes.tensors.insert_or_assign(weight.name, std::move(values));
    }
    const auto external = [&](const std::string& location, std::uint64_t offset,
                              std::span<std::byte> out) -> Result<void> {
        const auto& references = file.program.references;
        const auto found = std::ranges::find(references, location);
        const auto index = static_cast<std::size_t>(found - references.begin()) + 1;
        if (found == references.end() || index >= file.files.files.size()) {
            return Error{ErrorKind::malformed,
                         fmt::format("external data '{}' not found", util::printable(location)),
                         {}};
        }
        return file.files.files[index].source->read(offset, out);
    };
    return formats::onnx::rewrite(*file.files.files.front().source, changes, external, interpreter.max_bytes());
}

}  // namespace modelseal::libtorch::onnx
