#include "torch/onnx/tail.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "formats/onnx/schema.h"
#include "torch/onnx/value.h"
#include "torch/onnx/weights.h"
#include "util/text.h"

namespace modelseal::libtorch::onnx {
namespace {

using formats::onnx::Constant;
using formats::onnx::Graph;
using formats::onnx::Node;
using formats::onnx::ValueInfo;
using formats::onnx::ValueKind;

constexpr int kLongestTail = 64;      // nodes
constexpr std::uint64_t kString = 8;  // TensorProto.DataType
constexpr std::string_view kMl = "ai.onnx.ml";
constexpr std::array<std::string_view, 7> kPassing = {"Identity", "Cast",      "Squeeze", "Unsqueeze",
                                                      "Reshape",  "Transpose", "Flatten"};
constexpr std::array<std::string_view, 4> kComparisons = {"Greater", "GreaterOrEqual", "Less", "LessOrEqual"};

template <std::size_t N>
bool is_any_of(const Node& node, const std::array<std::string_view, N>& names) {
    return node.domain.empty() && std::ranges::find(names, node.op_type) != names.end();
}

bool holds_real_numbers(const ValueInfo& output) {
    if (output.kind == ValueKind::unknown) return true;
    const auto type = formats::onnx::element_type(output.data_type);
    return output.kind == ValueKind::tensor && type && type->dtype && is_real(*type->dtype);
}

// An output of a tail: the value that the earliest node of the tail gets, and the kinds of its nodes.
struct Tail {
    std::string scores;
    std::set<std::string> operators;
    bool map = false;  // one ZipMap, which keeps all scores
};

class TailFinder {
  public:
    explicit TailFinder(const Graph& graph) : constants_(constants_of(graph)) {
        for (const auto& node : graph.nodes) {
            for (std::size_t i = 0; i < node.outputs.size(); ++i) producers_[node.outputs[i]] = {&node, i};
        }
    }

    std::optional<Tail> find(std::string name) const {
        Tail tail;
        for (int step = 0; step < kLongestTail; ++step) {
            const auto found = producers_.find(name);
            if (found == producers_.end() || constants_.contains(name)) break;
            const auto& [node, output] = found->second;
            if (node->inputs.empty()) break;
            if (const auto* input = scores_of(*node, output)) {
                tail.scores = name = *input;
                tail.map = tail.operators.empty() && node->op_type == "ZipMap";
                tail.operators.insert(node->op_type);
            } else if (is_any_of(*node, kPassing)) {
                name = node->inputs[0];
            } else {
                break;
            }
        }
        return tail.operators.empty() ? std::nullopt : std::optional(std::move(tail));
    }

  private:
    struct Producer {
        const Node* node = nullptr;
        std::size_t output = 0;
    };

    // The input that a node makes labels of; null if it makes none.
    const std::string* scores_of(const Node& node, std::size_t output) const {
        const auto& inputs = node.inputs;
        if (node.domain == kMl && (node.op_type == "ZipMap" || node.op_type == "LabelEncoder"))
            return inputs.data();
        const bool lookup = (node.domain == kMl && node.op_type == "ArrayFeatureExtractor") ||
                            (node.domain.empty() && node.op_type == "Gather");
        if (lookup) return inputs.size() == 2 && is_table(inputs[0]) ? &inputs[1] : nullptr;
        if (!node.domain.empty()) return nullptr;
        if (node.op_type == "ArgMax" || node.op_type == "ArgMin") return inputs.data();
        if (node.op_type == "TopK" && output == 1) return inputs.data();
        if (is_any_of(node, kComparisons) && inputs.size() == 2)
            return &inputs[constants_.contains(inputs[0]) ? 1 : 0];
        return nullptr;
    }

    // A constant list of labels: texts or integers. Real numbers may be what a network answers.
    bool is_table(const std::string& name) const {
        if (const auto constant = constants_.find(name); constant != constants_.end())
            return constant->second->is_text || !is_real(constant->second->tensor.dtype);
        const auto found = producers_.find(name);
        if (found == producers_.end() || found->second.node->op_type != "Constant") return false;
        const auto& node = *found->second.node;
        return node.find("value_strings") != nullptr || node.find("value_ints") != nullptr;
    }

    std::map<std::string, Producer> producers_;
    std::map<std::string, const Constant*> constants_;
};

std::string quoted(const std::vector<std::string>& names) {
    std::vector<std::string> shown;
    for (const auto& name : names) shown.push_back(fmt::format("'{}'", util::printable(name)));
    return fmt::format("{}", fmt::join(shown, ", "));
}

}  // namespace

std::optional<std::string> cut_labels(Graph& graph) {
    const TailFinder finder(graph);
    std::vector<ValueInfo> kept;
    std::set<std::string> names, operators;  // of what is kept; in the tails
    std::vector<std::string> left_out, cut_at;
    std::vector<Tail> labels;
    bool real = false;
    const auto keep = [&](const ValueInfo& output) {
        if (names.insert(output.name).second) kept.push_back(output);
    };
    const auto cut = [&](const Tail& tail) {
        if (names.contains(tail.scores)) return;
        cut_at.push_back(tail.scores);
        keep({.name = tail.scores});
    };
    for (const auto& output : graph.outputs) {
        auto tail = finder.find(output.name);
        const bool numbers = output.kind == ValueKind::unknown || output.kind == ValueKind::tensor;
        const bool text = output.kind == ValueKind::tensor && output.data_type == kString;
        real = real || (tail ? tail->map : holds_real_numbers(output));
        if (!tail && numbers && !text) {
            keep(output);
            continue;
        }
        left_out.push_back(output.name);
        if (tail) operators.insert(tail->operators.begin(), tail->operators.end());
        if (tail && tail->map) cut(*tail);
        if (tail && !tail->map) labels.push_back(std::move(*tail));
    }
    if (!real) {
        for (const auto& tail : labels) cut(tail);
    }
    if (left_out.empty() || kept.empty()) return std::nullopt;
    graph.outputs = std::move(kept);
    const bool one = left_out.size() == 1;
    const auto why = operators.empty() ? std::string("not a tensor of numbers")
                                       : fmt::format("labels ({})", fmt::join(operators, ", "));
    return fmt::format("the {} {} {} left out: {}{}", one ? "output" : "outputs", quoted(left_out),
                       one ? "is" : "are", util::printable(why),
                       cut_at.empty() ? "" : "; the graph is cut before, at " + quoted(cut_at));
}

}  // namespace modelseal::libtorch::onnx
