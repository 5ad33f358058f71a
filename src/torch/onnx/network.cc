#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "formats/onnx/schema.h"
#include "torch/errors.h"
#include "torch/input_parts.h"
#include "torch/module_network.h"
#include "torch/onnx/graph_weights.h"
#include "torch/onnx/interpreter.h"
#include "torch/onnx/tail.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

using formats::onnx::ValueInfo;
using onnx::Interpreter;
using onnx::Value;

// Batch sizes other than the file's are accepted if outputs agree this well.
constexpr double kSameOutputs = 1e-4;

// One batch through the graph.
class Graph {
  public:
    // `types`: of the inputs, in order; `shape` has parts if there are several.
    Graph(std::unique_ptr<Interpreter> interpreter, std::vector<DType> types, const oracle::InputShape& shape)
        : interpreter_(std::move(interpreter)), types_(std::move(types)), shape_(shape) {}
    Interpreter& interpreter() { return *interpreter_; }
    const onnx::Shapes& shapes() const { return shapes_; }  // of all outputs of the last batch

    at::Tensor forward(const at::Tensor& input) {
        const auto tensors = shape_.parts.empty() ? std::vector{input} : parts_of(input, shape_);
        std::vector<Value> values;
        for (std::size_t i = 0; i < tensors.size(); ++i) values.push_back(value_of(tensors[i], types_[i]));
        auto outputs = interpreter_->run(std::move(values));
        if (!outputs) throw Refused(std::move(outputs).error());
        shapes_.clear();
        for (const auto& output : *outputs) {
            const bool is_tensor = output.kind == Value::Kind::tensor;
            shapes_.push_back(is_tensor ? output.tensor.sizes().vec() : std::vector<std::int64_t>());
        }
        return shape_.parts.empty() ? chosen_of(*outputs, input.size(0)) : all_of(*outputs);
    }

  private:
    static bool is_real(DType type) { return onnx::is_real(type); }

    // float16 is computed in float32. Integers are rounded; the gradient passes as if they were not.
    static Value value_of(const at::Tensor& input, DType type) {
        auto tensor =
            is_real(type) ? input.to(onnx::computed_in(type)) : onnx::cast(at::round(input), DType::f32, type);
        Value value(std::move(tensor), type);
        if (!is_real(type) && input.requires_grad())
            value.smooth = onnx::straight_through(value.tensor.to(at::kFloat), input);
        return value;
    }

    // Of one set of inputs: every real number belongs to it.
    at::Tensor all_of(const std::vector<Value>& outputs) const {
        std::vector<at::Tensor> all;
        for (const auto& value : outputs) {
            if (value.kind == Value::Kind::tensor && is_real(value.type))
                all.push_back(value.tensor.to(at::kFloat).reshape({1, -1}));
        }
        if (all.empty())
            throw Refused({ErrorKind::unsupported,
                           interpreter_->name() + ": the graph has no output of real numbers",
                           {}});
        return joined_rows(all);
    }

    // A classifier's output if there is one: a row of real numbers for each input. Else all real numbers that belong to an input,
    // in a row for each; else the first output of numbers, whatever it is.
    at::Tensor chosen_of(const std::vector<Value>& outputs, std::int64_t batch) const {
        const at::Tensor* first = nullptr;
        std::vector<at::Tensor> all;
        for (const auto& value : outputs) {
            if (value.kind != Value::Kind::tensor) continue;
            if (first == nullptr) first = &value.tensor;
            if (!is_real(value.type)) continue;
            const auto numbers = value.tensor.to(at::kFloat);
            if (numbers.dim() == 2 && numbers.size(1) >= 2) return numbers;
            if (numbers.dim() >= 1 && numbers.size(0) == batch) all.push_back(numbers);
        }
        if (first == nullptr)
            throw Refused(
                {ErrorKind::unsupported, interpreter_->name() + ": the graph has no output of numbers", {}});
        if (all.empty()) return *first;
        return all.size() == 1 ? all.front() : joined_rows(all);
    }

    std::unique_ptr<Interpreter> interpreter_;
    std::vector<DType> types_;
    oracle::InputShape shape_;
    onnx::Shapes shapes_;
};

class OnnxNetwork final : public ModuleNetwork {
  public:
    static Result<std::unique_ptr<oracle::Network>> open(Graph graph, std::string name,
                                                         oracle::InputShape input, std::size_t batch,
                                                         c10::Device device, unsigned threads,
                                                         std::vector<std::string> warnings, bool alone) {
        std::unique_ptr<OnnxNetwork> network(
            new OnnxNetwork(std::move(graph), std::move(name), std::move(input), batch, device, threads));
        network->warnings_ = std::move(warnings);
        network->alone_ = alone;
        MODELSEAL_TRY(network->place());
        return std::unique_ptr<oracle::Network>(std::move(network));
    }

    std::vector<std::string> warnings() const override { return warnings_; }
    bool is_run_alone() const override { return alone_; }

  protected:
    std::string engine() const override { return "ONNX graph"; }

    at::Tensor forward(const at::Tensor& input) override { return graph_.forward(input); }
    at::Tensor forward_observed(const at::Tensor& input,
                                const std::function<void(const at::Tensor&)>& rectified) override {
        auto& interpreter = graph_.interpreter();
        interpreter.observe_rectified(rectified);
        const std::unique_ptr<Interpreter, void (*)(Interpreter*)> until_the_end(
            &interpreter, [](Interpreter* seen) { seen->observe_rectified({}); });
        return graph_.forward(input);
    }
    void for_each_parameter(const std::function<void(at::Tensor&)>& visit) override {
        graph_.interpreter().for_each_weight(visit);
    }
    void to(c10::Device device) override { graph_.interpreter().to(device); }

    Result<std::vector<Weight>> weights() override { return onnx::GraphWeights::collect(graph_.interpreter()); }
    void adapt(const std::set<std::string>& names, std::size_t classes) override {
        changes_.adapt(graph_.interpreter(), names, classes, graph_.shapes());
    }
    void unadapt() override { changes_.unadapt(graph_.interpreter()); }
    void adapted() override { changes_.adapted(graph_.interpreter(), graph_.shapes()); }
    Result<std::vector<std::byte>> file(const std::vector<Weight>& weights) override {
        return changes_.file(graph_.interpreter(), weights);
    }

  private:
    OnnxNetwork(Graph graph, std::string name, oracle::InputShape input, std::size_t batch, c10::Device device,
                unsigned threads)
        : ModuleNetwork(std::move(name), std::move(input), batch, device, threads), graph_(std::move(graph)) {}
    Graph graph_;
    onnx::GraphWeights changes_;
    std::vector<std::string> warnings_;
    bool alone_ = false;
};

struct Input {
    oracle::InputShape shape;
    std::vector<DType> types;
    std::size_t batch = 0;  // as the file fixes it; 0: it does not
};

// The element type of an input.
Result<DType> type_of(const ValueInfo& value, const std::string& name) {
    const auto type = formats::onnx::element_type(value.data_type);
    if (value.kind != formats::onnx::ValueKind::tensor || !type || !type->dtype) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: the input '{}' is not a tensor of numbers", name, util::printable(value.name)),
            {}};
    }
    onnx::computed_in(*type->dtype);
    return *type->dtype;
}

std::string text_of(const ValueInfo& value) {
    std::vector<std::string> extents;
    for (const auto& dimension : value.shape) {
        extents.push_back(dimension.extent > 0       ? std::to_string(dimension.extent)
                          : dimension.symbol.empty() ? "?"
                                                     : util::printable(dimension.symbol));
    }
    return fmt::format("{}", fmt::join(extents, " x "));
}

// All inputs of a graph that has several, one set at a time.
Result<Input> input_of_parts(const Interpreter& interpreter, const std::string& name,
                             const std::vector<InputPart>& parts) {
    std::vector<std::string> names;
    Input input{.shape = {}, .types = {}, .batch = 1};
    for (const auto* value : interpreter.inputs()) {
        names.push_back(value->name);
        MODELSEAL_TRY_ASSIGN(input.types.emplace_back(), type_of(*value, name));
    }
    MODELSEAL_TRY_ASSIGN(input.shape, row_of_parts(name, names, parts));
    return input;
}

Result<Input> input_of(const Interpreter& interpreter, const std::string& name,
                       const oracle::NetworkOptions& options) {
    const auto refused = [&](const std::string& what, const char* hint = "", Remedy remedy = Remedy::none) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", name, what), hint, remedy};
    };
    std::vector<std::string> names;
    for (const auto* value : interpreter.inputs()) names.push_back(util::printable(value->name));
    if (!options.input_parts.empty()) return input_of_parts(interpreter, name, options.input_parts);
    if (names.size() != 1) {
        return refused(fmt::format("has {} ({})", util::counted(names.size(), "input"), fmt::join(names, ", ")),
                       "give shape and range, or a value, of each input", Remedy::give_inputs);
    }
    const auto& value = *interpreter.inputs().front();
    if (options.input_name && *options.input_name != value.name) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: has no input '{}'; its input is '{}'", name,
                                 util::printable(*options.input_name), names[0]),
                     {}};
    }
    MODELSEAL_TRY_ASSIGN(const auto type, type_of(value, name));
    Input input{{value.name, options.input_shape}, {type}};
    if (value.has_shape && value.shape.empty()) return refused("the input is a single number");
    if (value.has_shape && value.shape[0].extent > 0) {
        input.batch = static_cast<std::size_t>(value.shape[0].extent);
    }
    if (!options.input_shape.empty()) {
        for (const auto extent : options.input_shape) {
            if (extent < 1)
                return Error{ErrorKind::usage, fmt::format("the input shape contains {}", extent), {}};
        }
        return input;
    }
    for (std::size_t i = 1; i < value.shape.size(); ++i) input.shape.shape.push_back(value.shape[i].extent);
    const bool open = std::ranges::any_of(input.shape.shape, [](auto extent) { return extent < 1; });
    if (!value.has_shape || open || input.shape.shape.empty()) {
        return refused(value.has_shape ? fmt::format("the shape of its input is {}", text_of(value))
                                       : "the file does not state the shape of its input",
                       "give the shape of the input", Remedy::give_input_shape);
    }
    return input;
}

// Numbers that look like inputs, different in each row.
at::Tensor sample(const oracle::InputShape& shape, std::int64_t count) {
    std::vector<std::int64_t> sizes = {count};
    sizes.insert(sizes.end(), shape.shape.begin(), shape.shape.end());
    const auto elements = static_cast<std::int64_t>(shape.elements());
    return at::arange(count * elements, at::TensorOptions(at::kDouble))
        .mul(0.37)
        .sin()
        .abs()
        .to(at::kFloat)
        .reshape(sizes);
}

bool same_rows(Graph& graph, const at::Tensor& together, const at::Tensor& inputs, std::int64_t each) {
    std::vector<at::Tensor> parts;
    for (std::int64_t row = 0; row < inputs.size(0); row += each) {
        parts.push_back(graph.forward(inputs.narrow(0, row, each)));
        if (parts.back().dim() == 0 || parts.back().size(0) != each) return false;
    }
    const auto apart = at::cat(parts);
    return apart.sizes() == together.sizes() &&
           at::allclose(apart.to(at::kDouble), together.to(at::kDouble), kSameOutputs, kSameOutputs, true);
}

struct UsableBatch {
    std::size_t size = 0;  // the only one; 0: any
    bool alone = false;    // Network::is_run_alone()
};

// Exporters often fix the batch at 1 in a graph that would take any, and shapes written into a Reshape may fix
// it where the input's shape does not. So it is tried: together, and one by one.
UsableBatch usable_batch(Graph& graph, const Input& input, const at::Device& device) {
    const at::NoGradGuard no_gradient;
    const auto fixed = static_cast<std::int64_t>(input.batch);
    const auto most = std::max<std::int64_t>(fixed, 2);
    const auto inputs = sample(input.shape, most).to(device);
    const auto only = input.batch == 0 ? 1 : input.batch;
    try {
        const auto together = graph.forward(inputs);
        if (together.dim() == 0 || together.size(0) != most) return {only};
        if (same_rows(graph, together, inputs, 1)) return {};
        return {only, input.batch == 0};
    } catch (const std::exception&) {
        return {only};  // errors show at the first query
    }
}

}  // namespace

Result<std::unique_ptr<oracle::Network>> open_onnx(model::Model files, const oracle::NetworkOptions& options) {
    const auto name = files.files.front().source->name();
    MODELSEAL_TRY_ASSIGN(const auto device, find_device(options.device));
    MODELSEAL_TRY_ASSIGN(auto file, model::read_onnx_file(std::move(files)));
    const auto cut = onnx::cut_labels(file.program.graph);
    MODELSEAL_TRY_ASSIGN(auto interpreter, Interpreter::open(std::move(file), device, options.max_bytes));
    MODELSEAL_TRY_ASSIGN(auto input, input_of(*interpreter, name, options));
    Graph graph(std::move(interpreter), std::move(input.types), input.shape);
    const auto batch = input.shape.parts.empty() ? usable_batch(graph, input, device) : UsableBatch{.size = 1};
    std::vector<std::string> warnings;
    if (cut) warnings.push_back(fmt::format("{}: {}", name, *cut));
    return OnnxNetwork::open(std::move(graph), name, std::move(input.shape), batch.size, device,
                             options.threads, std::move(warnings), batch.alone);
}

}  // namespace modelseal::libtorch
