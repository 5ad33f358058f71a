// Analyzes a program before it runs: operators by name, the last use of each value, and whether every used
// value is defined.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx/program.h"
#include "torch/onnx/interpreter.h"

namespace modelseal::libtorch::onnx {

// The name of a node for messages; its first output if it has none.
inline const std::string& label_of(const formats::onnx::Node& node) {
    return !node.name.empty() || node.outputs.empty() ? node.name : node.outputs.front();
}

class Planner {
  public:
    explicit Planner(const formats::onnx::Program& program) : program_(program) {}
    Result<void> plan();

    std::map<const std::vector<formats::onnx::Node>*, Plan> plans;
    std::vector<const formats::onnx::Constant*> constants;

    // Inputs, and every value that the node's sub-graphs may use from the graphs around them.
    static std::set<std::string> names_used(const formats::onnx::Node& node);
    // Keeps the values that nodes use which are not folded, and outputs.
    static void drop_unused(const formats::onnx::Graph& graph, const Plan& plan,
                            std::map<std::string, Value>& values);

  private:
    using Names = std::set<std::string>;
    struct Visible {  // in a graph, on top of the one around it
        const Visible* outer = nullptr;
        Names own;
        bool contains(const std::string& name) const {
            return own.contains(name) || (outer != nullptr && outer->contains(name));
        }
    };
    Result<void> plan_graph(const formats::onnx::Graph& graph, const Visible* outer,
                            const formats::onnx::Opsets& opsets);
    // `idle`: nodes that never run; empty if all do.
    Result<void> plan_nodes(const std::vector<formats::onnx::Node>& nodes, Visible& visible, Names kept,
                            const formats::onnx::Opsets& opsets, std::vector<bool> idle = {});
    Result<void> plan_node(const formats::onnx::Node& node, Visible& visible, Plan& plan,
                           const formats::onnx::Opsets& opsets);
    Result<void> plan_attribute(const formats::onnx::Attribute& attribute, const Visible& visible,
                                const formats::onnx::Opsets& opsets);
    const formats::onnx::Function* function_of(const formats::onnx::Node& node) const;

    const formats::onnx::Program& program_;
    std::map<std::string, std::string> missing_;  // operators: the first node of each, and why
};

}  // namespace modelseal::libtorch::onnx
