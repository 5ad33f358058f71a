#include "torch/onnx/weights.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "torch/onnx/planner.h"

namespace modelseal::libtorch::onnx {
namespace {

using formats::onnx::Constant;
using formats::onnx::Graph;
using formats::onnx::Node;

// Inputs of operators that are weights if they are constant.
struct WeightInputs {
    std::string_view op_type;
    std::size_t first, last;
};
constexpr std::array kWeightInputs = {
    WeightInputs{"Conv", 1, 2},
    WeightInputs{"ConvTranspose", 1, 2},
    WeightInputs{"DeformConv", 1, 1},
    WeightInputs{"CausalConvWithState", 1, 2},
    WeightInputs{"Gemm", 0, 2},
    WeightInputs{"MatMul", 0, 1},
    WeightInputs{"BatchNormalization", 1, 2},
    WeightInputs{"LayerNormalization", 1, 2},
    WeightInputs{"InstanceNormalization", 1, 2},
    WeightInputs{"GroupNormalization", 1, 2},
    WeightInputs{"RMSNormalization", 1, 1},
    WeightInputs{"PRelu", 1, 1},
};

constexpr std::array<std::string_view, 8> kMovers = {"Reshape",   "Transpose", "Identity", "Squeeze",
                                                     "Unsqueeze", "Flatten",   "Cast",     "Expand"};
constexpr std::array<std::string_view, 3> kQuantizers = {"QuantizeLinear", "DequantizeLinear",
                                                         "DynamicQuantizeLinear"};
constexpr std::array<std::string_view, 4> kProducts = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
constexpr std::array<std::string_view, 4> kOnQuantized = {"QLinearConv", "QLinearMatMul", "ConvInteger",
                                                          "MatMulInteger"};

template <std::size_t N>
bool is_one_of(const Node& node, const std::array<std::string_view, N>& names) {
    return node.domain.empty() && std::ranges::find(names, node.op_type) != names.end();
}

class WeightFinder {
  public:
    explicit WeightFinder(const Graph& graph) : graph_(graph), constants_(constants_of(graph)) {
        for (const auto& node : graph.nodes) {
            for (const auto& output : node.outputs) producers_.emplace(output, &node);
        }
    }

    Weights find() {
        for (const auto& node : graph_.nodes) {
            if (is_one_of(node, kOnQuantized)) quantized(node.op_type);
            if (!node.domain.empty()) continue;
            for (const auto& inputs : kWeightInputs) {
                if (inputs.op_type != node.op_type) continue;
                for (auto i = inputs.first; i <= inputs.last && i < node.inputs.size(); ++i)
                    trace(node.inputs[i]);
            }
            if (node.op_type == "Add" && node.inputs.size() == 2) {
                if (comes_from_product(node.inputs[0])) trace(node.inputs[1]);
                if (comes_from_product(node.inputs[1])) trace(node.inputs[0]);
            }
        }
        return std::move(found_);
    }

  private:
    // The producer of a value, or null: for constants and inputs of the graph.
    const Node* producer(const std::string& name) const {
        const auto found = producers_.find(name);
        return found == producers_.end() || constants_.contains(name) ? nullptr : found->second;
    }

    void quantized(const std::string& name) {
        if (!found_.quantized) found_.quantized = name;
    }

    // Enters the constants that `name` is a moved copy of. A value that depends on the graph's input is none.
    void trace(const std::string& start) {
        struct Step {
            std::string name;
            bool through_quantizer;
        };
        std::vector<Step> open{{start, false}};
        while (!open.empty()) {
            const auto step = std::move(open.back());
            open.pop_back();
            if (!traced_.insert({step.name, step.through_quantizer}).second) continue;
            if (const auto constant = constants_.find(step.name); constant != constants_.end()) {
                if (step.through_quantizer || !is_trainable(*constant->second)) {
                    quantized(step.name);
                } else {
                    found_.trained.insert(step.name);
                }
                continue;
            }
            const auto* node = producer(step.name);
            if (node == nullptr || node->inputs.empty()) continue;
            const bool quantizes = is_one_of(*node, kQuantizers);
            if (quantizes || is_one_of(*node, kMovers)) {
                open.push_back({node->inputs[0], step.through_quantizer || quantizes});
            } else if (node->domain.empty() && node->op_type == "Concat") {
                for (const auto& input : node->inputs) open.push_back({input, step.through_quantizer});
            }
        }
    }

    bool comes_from_product(std::string name) const {
        constexpr int kMostMovers = 16;  // so that a long chain is not walked for each of many sums
        for (int step = 0; step < kMostMovers; ++step) {
            const auto* node = producer(name);
            if (node == nullptr) return false;
            if (is_one_of(*node, kProducts)) return true;
            if (!is_one_of(*node, kMovers) || node->inputs.empty()) return false;
            name = node->inputs[0];
        }
        return false;
    }

    const Graph& graph_;
    std::map<std::string, const Constant*> constants_;
    std::map<std::string, const Node*> producers_;
    std::set<std::pair<std::string, bool>> traced_;
    Weights found_;
};

}  // namespace

std::map<std::string, const Constant*> constants_of(const Graph& graph) {
    std::map<std::string, const Constant*> constants;
    for (const auto& initializer : graph.initializers) constants.emplace(initializer.tensor.name, &initializer);
    for (const auto& node : graph.nodes) {
        if (!node.domain.empty() || node.op_type != "Constant" || node.outputs.empty()) continue;
        const auto* value = node.find("value");
        if (value != nullptr && value->tensors.size() == 1)
            constants.emplace(node.outputs[0], &value->tensors[0]);
    }
    return constants;
}

bool is_trainable(const Constant& constant) {
    if (constant.is_text) return false;
    const auto type = constant.tensor.dtype;
    return type == DType::f32 || type == DType::f64 || type == DType::f16 || type == DType::bf16;
}

Weights weights_of(const Graph& graph) {
    return WeightFinder(graph).find();
}

std::set<std::string> values_after(const Graph& graph, std::set<std::string> names) {
    for (const auto& node : graph.nodes) {
        const auto used = Planner::names_used(node);
        if (std::ranges::any_of(used, [&](const auto& name) { return names.contains(name); })) {
            names.insert(node.outputs.begin(), node.outputs.end());
        }
    }
    names.erase("");
    return names;
}

}  // namespace modelseal::libtorch::onnx
