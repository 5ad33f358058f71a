
#include "torch/onnx/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "util/text.h"

namespace modelseal::libtorch::onnx {

using formats::onnx::Attribute;
using formats::onnx::Function;
using formats::onnx::Graph;
using formats::onnx::Node;
using formats::onnx::Opsets;

namespace {

// Operators that return elements of their first input unchanged, so that quantized numbers pass with a
// gradient.
const std::set<std::string> kMoving = {
    "Concat", "DepthToSpace", "Expand",  "Flatten", "Gather",    "Identity",  "MaxPool",      "Pad",  "Reshape",
    "Slice",  "Split",        "Squeeze", "Tile",    "Transpose", "Unsqueeze", "SpaceToDepth", "Relu", "Clip"};

Error undefined(const Node& node, const std::string& name) {
    return {ErrorKind::malformed,
            fmt::format("node '{}' ({}): '{}' is used before it is defined", util::printable(node.name),
                        util::printable(node.op_type), util::printable(name)),
            {}};
}

void add_names(const Node& node, std::set<std::string>& names) {
    for (const auto& input : node.inputs) {
        if (!input.empty()) names.insert(input);
    }
    for (const auto& attribute : node.attributes) {
        for (const auto& graph : attribute.graphs) {
            for (const auto& inner : graph.nodes) add_names(inner, names);
            for (const auto& output : graph.outputs) names.insert(output.name);
        }
    }
}

}  // namespace

std::set<std::string> Planner::names_used(const Node& node) {
    std::set<std::string> names;
    add_names(node, names);
    for (const auto& attribute : node.attributes) {
        for (const auto& graph : attribute.graphs) {
            for (const auto& inner : graph.nodes) {
                for (const auto& output : inner.outputs) names.erase(output);
            }
            for (const auto& input : graph.inputs) names.erase(input.name);
            for (const auto& initializer : graph.initializers) names.erase(initializer.tensor.name);
        }
    }
    return names;
}

void Planner::drop_unused(const Graph& graph, const Plan& plan, std::map<std::string, Value>& values) {
    Names used;
    for (const auto& output : graph.outputs) used.insert(output.name);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (!plan.folded[i]) add_names(graph.nodes[i], used);
    }
    std::erase_if(values, [&](const auto& entry) { return !used.contains(entry.first); });
}

Result<void> Planner::plan() {
    MODELSEAL_TRY(plan_graph(program_.graph, nullptr, program_.opsets));
    for (const auto& function : program_.functions) {
        Visible visible{nullptr, {function.inputs.begin(), function.inputs.end()}};
        const Names kept(function.outputs.begin(), function.outputs.end());
        for (const auto& attribute : function.defaults) {
            MODELSEAL_TRY(plan_attribute(attribute, visible, function.opsets));
        }
        MODELSEAL_TRY(plan_nodes(function.nodes, visible, kept, function.opsets));
    }
    if (missing_.empty()) return {};
    return Error{
        ErrorKind::unsupported,
        fmt::format("unsupported operators: {}", util::printable(fmt::format("{}", fmt::join(missing_, ", ")))),
        {}};
}

Result<void> Planner::plan_graph(const Graph& graph, const Visible* outer, const Opsets& opsets) {
    Visible visible{outer, {}};
    for (const auto& input : graph.inputs) visible.own.insert(input.name);
    for (const auto& initializer : graph.initializers) {
        visible.own.insert(initializer.tensor.name);
        constants.push_back(&initializer);
    }
    Names kept;
    for (const auto& output : graph.outputs) kept.insert(output.name);
    MODELSEAL_TRY(plan_nodes(graph.nodes, visible, kept, opsets));
    for (const auto& name : kept) {
        if (visible.contains(name)) continue;
        return Error{
            ErrorKind::malformed, fmt::format("output '{}' is not computed", util::printable(name)), {}};
    }
    return {};
}

Result<void> Planner::plan_nodes(const std::vector<Node>& nodes, Visible& visible, Names kept,
                                 const Opsets& opsets) {
    Plan plan;
    plan.dead.resize(nodes.size());
    plan.folded.resize(nodes.size());
    for (const auto& node : nodes) MODELSEAL_TRY(plan_node(node, visible, plan, opsets));
    // From the end: the first use that is met is the last. Names of outer graphs are not erased there either.
    for (auto i = nodes.size(); i-- > 0;) {
        Names used;
        add_names(nodes[i], used);
        used.insert(nodes[i].outputs.begin(), nodes[i].outputs.end());
        for (const auto& name : used) {
            if (kept.insert(name).second) plan.dead[i].push_back(name);
        }
    }
    plans.emplace(&nodes, std::move(plan));
    return {};
}

Result<void> Planner::plan_node(const Node& node, Visible& visible, Plan& plan, const Opsets& opsets) {
    for (const auto& name : node.inputs) {
        if (!name.empty() && !visible.contains(name)) return undefined(node, name);
    }
    for (const auto& attribute : node.attributes) MODELSEAL_TRY(plan_attribute(attribute, visible, opsets));
    const auto* function = function_of(node);
    auto* const handler = function == nullptr ? find_operator(node.domain, node.op_type) : nullptr;
    if (function == nullptr && handler == nullptr) {
        missing_.insert(node.domain.empty() ? node.op_type : node.domain + "::" + node.op_type);
    }
    if (function == nullptr && node.domain.empty() && !opsets.contains("")) {
        return Error{ErrorKind::malformed, "opset_import has no version of the domain ''", {}};
    }
    plan.functions.push_back(function);
    plan.handlers.push_back(handler);
    plan.moves.push_back(function == nullptr && node.domain.empty() && kMoving.contains(node.op_type));
    visible.own.insert(node.outputs.begin(), node.outputs.end());
    return {};
}

Result<void> Planner::plan_attribute(const Attribute& attribute, const Visible& visible, const Opsets& opsets) {
    for (const auto& constant : attribute.tensors) constants.push_back(&constant);
    for (const auto& graph : attribute.graphs) MODELSEAL_TRY(plan_graph(graph, &visible, opsets));
    return {};
}

const Function* Planner::function_of(const Node& node) const {
    for (const auto& function : program_.functions) {
        if (function.domain == node.domain && function.name == node.op_type &&
            function.overload == node.overload) {
            return &function;
        }
    }
    return nullptr;
}

}  // namespace modelseal::libtorch::onnx
