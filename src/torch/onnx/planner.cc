
#include "torch/onnx/planner.h"

#include <algorithm>
#include <array>
#include <string_view>

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

constexpr std::size_t kMostShown = 8;  // operators in a message

constexpr std::array<std::string_view, 6> kRandom = {"Bernoulli",     "Multinomial",       "RandomNormal",
                                                     "RandomUniform", "RandomUniformLike", "RandomNormalLike"};
constexpr std::array<std::string_view, 4> kOfText = {"RegexFullMatch", "StringNormalizer", "StringSplit",
                                                     "TfIdfVectorizer"};

// Why an operator is not among ours, in a word or two.
const char* why_missing(const Node& node) {
    const auto is_among = [&](const auto& names) {
        return std::ranges::find(names, node.op_type) != names.end();
    };
    const std::string_view domain = node.domain;
    if (domain == "ai.onnx.training" || domain == "ai.onnx.preview.training") return "trains";
    if (domain == "ai.onnx.ml") return "of models that are not networks";
    if (domain != "" && !domain.starts_with("ai.onnx.")) return "not an operator of ONNX";
    if (domain == "" && is_among(kRandom)) return "random answers";
    if (domain == "" && is_among(kOfText)) return "computes with text";
    if (domain == "" && node.op_type == "ImageDecoder") return "reads image files";
    return "not implemented";
}

Error undefined(const Node& node, const std::string& name) {
    return {ErrorKind::malformed,
            fmt::format("node '{}' ({}): '{}' is used before it is defined", util::printable(label_of(node)),
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

// Nodes of the main graph that none of its outputs follows from. From the end, since nodes are in order. A name that is defined twice is needed in both places.
std::vector<bool> idle_nodes(const Graph& graph) {
    std::set<std::string> needed;
    for (const auto& output : graph.outputs) needed.insert(output.name);
    std::vector<bool> idle(graph.nodes.size());
    for (auto i = graph.nodes.size(); i-- > 0;) {
        const auto& node = graph.nodes[i];
        idle[i] = std::ranges::none_of(node.outputs, [&](const auto& name) { return needed.contains(name); });
        if (!idle[i]) add_names(node, needed);
    }
    return idle;
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
        if (!plan.folded[i] && !plan.idle[i]) add_names(graph.nodes[i], used);
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
    std::vector<std::string> shown;
    for (const auto& [name, why] : missing_) {
        if (shown.size() < kMostShown) shown.push_back(fmt::format("{} ({})", name, why));
    }
    if (missing_.size() > kMostShown) shown.push_back(fmt::format("{} more", missing_.size() - kMostShown));
    return Error{ErrorKind::unsupported,
                 util::printable(fmt::format("unsupported operators: {}", fmt::join(shown, ", "))),
                 kWithoutThem};
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
    auto idle = outer == nullptr ? idle_nodes(graph) : std::vector<bool>();
    MODELSEAL_TRY(plan_nodes(graph.nodes, visible, kept, opsets, std::move(idle)));
    for (const auto& name : kept) {
        if (visible.contains(name)) continue;
        return Error{
            ErrorKind::malformed, fmt::format("output '{}' is not computed", util::printable(name)), {}};
    }
    return {};
}

Result<void> Planner::plan_nodes(const std::vector<Node>& nodes, Visible& visible, Names kept,
                                 const Opsets& opsets, std::vector<bool> idle) {
    Plan plan;
    plan.dead.resize(nodes.size());
    plan.folded.resize(nodes.size());
    plan.idle = std::move(idle);
    plan.idle.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!plan.idle[i]) {
            MODELSEAL_TRY(plan_node(nodes[i], visible, plan, opsets));
            continue;
        }
        plan.functions.push_back(nullptr);
        plan.handlers.push_back(nullptr);
        plan.moves.push_back(false);
    }
    // From the end: the first use that is met is the last. Names of outer graphs are not erased there either.
    for (auto i = nodes.size(); i-- > 0;) {
        if (plan.idle[i]) continue;
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
        const auto name = node.domain.empty() ? node.op_type : node.domain + "::" + node.op_type;
        missing_.emplace(name, fmt::format("node '{}': {}", label_of(node), why_missing(node)));
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
