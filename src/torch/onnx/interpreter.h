// Runs the graph of an ONNX file on LibTorch, node by node, so that autograd sees it.
//
// Opening the graph reads constants and computes everything that follows from constants alone; a value is
// released after its last use. Nothing here requires a gradient: an input that does gets it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/external_data.h"
#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

// Values by name in a graph, on top of those of the graph around it.
struct Scope {
    Scope* outer = nullptr;
    const formats::onnx::Opsets* opsets = nullptr;
    // In the body of a function: the attributes that its nodes' references stand for, by name.
    const std::map<std::string, const formats::onnx::Attribute*>* bound = nullptr;
    std::map<std::string, Value> values;
    const Value* find(const std::string& name) const;
    // The attribute of a node here: the function's, if it refers to one. May be null.
    const formats::onnx::Attribute* resolve(const formats::onnx::Attribute* attribute) const;
};

// The plan of a list of nodes, made before it runs.
struct Plan {
    std::vector<Handler> handlers;                          // null: a function
    std::vector<const formats::onnx::Function*> functions;  // null: an operator
    std::vector<bool> moves;                                // true for an operator that only moves elements
    std::vector<std::vector<std::string>> dead;             // values that no later node uses
    std::vector<bool> folded;                               // computed when the file was opened
    std::vector<bool> idle;                                 // no output of the main graph follows from it
};

class Interpreter {
  public:
    // Reads constants and checks the graph: `malformed` for a value that is used and never defined,
    // `unsupported` for missing operators, all by name.
    static Result<std::unique_ptr<Interpreter>> open(model::OnnxFile file, at::Device device,
                                                     std::uint64_t max_bytes);

    const formats::onnx::Program& program() const { return file_.program; }
    const std::string& name() const { return file_.files.files.front().source->name(); }  // for messages
    // Inputs of the graph that are not initializers.
    const std::vector<const formats::onnx::ValueInfo*>& inputs() const { return inputs_; }

    // The graph's outputs. Errors name the node that failed.
    Result<std::vector<Value>> run(std::vector<Value> inputs);

    // From now on nothing that follows from these constants of the main graph is computed in advance, so that
    // their tensors can be changed. Reads constants that opening had dropped from the file once more; call
    // before anything was changed. Errors as for open().
    Result<void> keep(std::set<std::string> names);
    // The constant of the main graph, or null if no node uses it.
    Value* find(const std::string& name);
    const model::OnnxFile& file() const { return file_; }

    // Every real-valued tensor of the graph, each once; `visit` may write to it.
    void for_each_weight(const std::function<void(at::Tensor&)>& visit);
    void to(at::Device device);

    // From now on, `observer` sees every tensor that a rectifier makes in run(); none: nobody does.
    using Observer = std::function<void(const at::Tensor&)>;
    void observe_rectified(Observer observer) { observer_ = std::move(observer); }

    // For Call.
    void rectified(const at::Tensor& tensor) const {
        if (observer_) observer_(tensor);
    }
    std::vector<Value> run_graph(const formats::onnx::Graph& graph, std::vector<Value> inputs, Scope& outer);
    const Value& constant(const formats::onnx::Constant& of) const { return constants_.at(&of); }
    std::uint64_t max_bytes() const { return max_bytes_; }

  private:
    using Nodes = std::vector<formats::onnx::Node>;

    Interpreter() = default;
    void fold();
    Value placed(Value value) const;
    std::vector<Value> run_main(std::vector<Value> inputs);
    static std::vector<Value> outputs_of(const formats::onnx::Graph& graph, const Scope& scope);
    void count_step();
    void check_output(const Value& value) const;
    void run_nodes(const Nodes& nodes, Scope& scope);
    void run_node(const formats::onnx::Node& node, const Plan& plan, std::size_t index, Scope& scope);
    std::vector<Value> call_function(const formats::onnx::Function& function, const formats::onnx::Node& node,
                                     const std::vector<const Value*>& inputs, const Scope& caller);

    model::OnnxFile file_;
    at::Device device_ = at::kCPU;
    std::uint64_t max_bytes_ = 0;
    std::uint64_t steps_ = 0;  // nodes in this run
    std::uint32_t calls_ = 0;  // functions within functions
    Observer observer_;
    std::vector<const formats::onnx::ValueInfo*> inputs_;
    std::map<const formats::onnx::Constant*, Value> constants_;
    std::map<const Nodes*, Plan> plans_;
    std::set<std::string> kept_;  // constants that nothing is computed from in advance
    Scope base_;                  // initializers of the main graph, and what follows from constants alone
};

}  // namespace modelseal::libtorch::onnx
