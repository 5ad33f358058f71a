// One evaluation of one node, for its operator.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/program.h"
#include "torch/onnx/value.h"

namespace modelseal::libtorch::onnx {

class Interpreter;
struct Scope;

using Ints = std::vector<std::int64_t>;

class Call {
  public:
    Call(Interpreter& interpreter, Scope& scope, const formats::onnx::Node& node, std::int64_t opset,
         std::vector<const Value*> inputs);

    // The opset of the node's domain that the model or the function imports.
    std::int64_t opset() const { return opset_; }
    const formats::onnx::Node& node() const { return node_; }
    std::size_t outputs() const { return node_.outputs.size(); }
    bool wants(std::size_t output) const {
        return output < node_.outputs.size() && !node_.outputs[output].empty();
    }

    std::size_t inputs() const { return inputs_.size(); }
    const std::vector<const Value*>& given() const { return inputs_; }  // null: left out
    void replace(std::vector<const Value*> inputs) { inputs_ = std::move(inputs); }
    bool has(std::size_t input) const;            // given, and not an empty optional
    const Value& value(std::size_t input) const;  // malformed if it was not given
    // A tensor, on the device of the inputs (a GPU if one of them is there).
    at::Tensor in(std::size_t input) const;
    DType type(std::size_t input) const { return value(input).type; }
    // The elements of an integer input, as a list.
    Ints list(std::size_t input) const;
    std::int64_t integer_in(std::size_t input) const;
    double real_in(std::size_t input) const;
    at::Device device() const { return device_; }

    // Attributes, with a default.
    const formats::onnx::Attribute* find(std::string_view attribute) const;
    bool given(std::string_view attribute) const { return find(attribute) != nullptr; }
    std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
    double real(std::string_view attribute, double otherwise) const;
    std::string text(std::string_view attribute, const char* otherwise) const;
    Ints integers(std::string_view attribute, Ints otherwise = {}) const;
    std::vector<float> reals(std::string_view attribute) const;
    std::vector<std::string> strings(std::string_view attribute) const;
    const Value& constant(std::string_view attribute) const;
    const formats::onnx::Graph& graph(std::string_view attribute) const;

    // The numbers of attribute `name` up to opset `last`, and of input `input` in later ones. Nullopt if left
    // out.
    std::optional<Ints> numbers(std::string_view name, std::size_t input, std::int64_t last) const;

    // The next output.
    void give(Value value) { results_.push_back(std::move(value)); }
    void give(at::Tensor tensor) { results_.emplace_back(std::move(tensor)); }
    void give(at::Tensor tensor, DType type) { results_.emplace_back(std::move(tensor), type); }
    // The next output, of the type of input 0.
    void give_like(at::Tensor tensor) { give(std::move(tensor), type(0)); }
    // As give_like(), for units that are rectified.
    void give_rectified(at::Tensor tensor);
    std::vector<Value> results() && { return std::move(results_); }

    // Throws if a tensor of this shape is over the cap; for outputs much larger than the inputs.
    void check_size(at::IntArrayRef shape) const;

    // Runs a graph of an attribute with these inputs.
    std::vector<Value> run(const formats::onnx::Graph& graph, std::vector<Value> inputs);

  private:
    Interpreter& interpreter_;
    Scope& scope_;
    const formats::onnx::Node& node_;
    std::int64_t opset_;
    std::vector<const Value*> inputs_;
    at::Device device_ = at::kCPU;
    std::vector<Value> results_;
};

using Handler = void (*)(Call&);
struct Operator {
    std::string_view domain;
    std::string_view name;
    Handler handler;
};

// A dimension counted from the end if negative; malformed outside [-rank, rank).
std::int64_t axis_of(std::int64_t axis, std::int64_t rank);

// The handler, or null.
Handler find_operator(std::string_view domain, std::string_view name);

// One list for each family of operators: onnx_NAME.cc.
std::span<const Operator> math_operators();
std::span<const Operator> activation_operators();
std::span<const Operator> logic_operators();
std::span<const Operator> reduction_operators();
std::span<const Operator> shape_operators();
std::span<const Operator> indexing_operators();
std::span<const Operator> conv_operators();
std::span<const Operator> deformable_operators();
std::span<const Operator> pool_operators();
std::span<const Operator> normalisation_operators();
std::span<const Operator> matrix_operators();
std::span<const Operator> cast_operators();
std::span<const Operator> quantise_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> state_operators();
std::span<const Operator> control_operators();
std::span<const Operator> sequence_operators();
std::span<const Operator> attention_operators();
std::span<const Operator> resize_operators();
std::span<const Operator> vision_operators();
std::span<const Operator> signal_operators();
std::span<const Operator> loss_operators();
std::span<const Operator> text_operators();
std::span<const Operator> ml_operators();

}  // namespace modelseal::libtorch::onnx
