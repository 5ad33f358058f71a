
#include "torch/onnx/interpreter.h"

#include <algorithm>
#include <set>

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "torch/onnx/planner.h"
#include "torch/onnx/value.h"
#include "util/text.h"

namespace modelseal::libtorch::onnx {

using formats::onnx::Attribute;
using formats::onnx::Function;
using formats::onnx::Graph;
using formats::onnx::Node;

namespace {

constexpr std::uint64_t kMaxSteps = 250'000;  // nodes of one run: the file decides the length of loops
constexpr std::uint32_t kMaxCalls = 32;       // functions within functions; they cannot be recursive

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::string shown(const Node& node) {
    return fmt::format("node '{}' ({})", util::printable(label_of(node)), util::printable(node.op_type));
}

bool has_gradient(const Value* value) {
    return value != nullptr && value->smooth.defined();
}

// An operator that only moves elements, on quantized numbers: on their real counterparts, then rounded.
std::vector<Value> run_smoothly(Call& call, Handler handler) {
    const auto type = call.type(0);
    std::vector<Value> smooth;
    smooth.reserve(call.inputs());
    for (const auto* value : call.given()) {
        smooth.emplace_back(value == nullptr ? Value() : *value);
        auto& own = smooth.back();
        if (value == nullptr || value->kind != Value::Kind::tensor || value->type != type) continue;
        own = Value(value->smooth.defined() ? value->smooth : value->tensor.to(at::kFloat));
    }
    std::vector<const Value*> inputs;
    for (const auto& value : smooth) inputs.push_back(&value);
    call.replace(std::move(inputs));
    handler(call);
    auto outputs = std::move(call).results();
    for (auto& output : outputs) {
        if (output.type != DType::f32) continue;
        auto exact = Value(at::round(output.tensor.detach()).to(computed_in(type)), type);
        exact.smooth = std::move(output.tensor);
        output = std::move(exact);
    }
    return outputs;
}

// The current exception of any kind as an error about the node.
[[noreturn]] void rethrow_about(const Node& node) {
    try {
        throw;
    } catch (const OperatorError& error) {
        throw OperatorError(error.kind, fmt::format("{}: {}", shown(node), error.what()), error.hint);
    } catch (const c10::NotImplementedError& error) {
        throw OperatorError(ErrorKind::unsupported,
                            fmt::format("{}: {}", shown(node), first_line(error.what_without_backtrace())),
                            kWithoutThem);
    } catch (const c10::Error& error) {
        throw OperatorError(ErrorKind::malformed,
                            fmt::format("{}: {}", shown(node), first_line(error.what_without_backtrace())));
    } catch (const std::bad_alloc&) {
        throw OperatorError(ErrorKind::unsupported, fmt::format("{}: not enough memory", shown(node)));
    } catch (const std::exception& error) {
        throw OperatorError(ErrorKind::malformed, fmt::format("{}: {}", shown(node), first_line(error.what())));
    }
}

}  // namespace

const Value* Scope::find(const std::string& name) const {
    for (const auto* scope = this; scope != nullptr; scope = scope->outer) {
        const auto found = scope->values.find(name);
        if (found != scope->values.end()) return &found->second;
    }
    return nullptr;
}

const Attribute* Scope::resolve(const Attribute* attribute) const {
    if (attribute == nullptr || attribute->reference.empty()) return attribute;
    const auto* scope = this;
    while (scope->bound == nullptr && scope->outer != nullptr) scope = scope->outer;
    if (scope->bound == nullptr) return nullptr;
    const auto found = scope->bound->find(attribute->reference);
    return found == scope->bound->end() ? nullptr : found->second;
}

Result<std::unique_ptr<Interpreter>> Interpreter::open(model::OnnxFile file, at::Device device,
                                                       std::uint64_t max_bytes) {
    std::unique_ptr<Interpreter> made(new Interpreter());
    made->file_ = std::move(file);
    made->device_ = device;
    made->max_bytes_ = max_bytes;
    const auto& program = made->file_.program;
    Planner planner(program);
    if (auto planned = planner.plan(); !planned) {
        auto error = std::move(planned).error();
        error.message = fmt::format("{}: {}", made->name(), error.message);
        return error;
    }
    made->plans_ = std::move(planner.plans);
    for (const auto* constant : planner.constants) {
        MODELSEAL_TRY_ASSIGN(auto value, load_constant(*constant, made->file_.files, max_bytes));
        made->constants_.emplace(constant, made->placed(std::move(value)));
    }
    made->base_.opsets = &program.opsets;
    for (const auto& initializer : program.graph.initializers) {
        made->base_.values.emplace(initializer.tensor.name, std::move(made->constants_.at(&initializer)));
        made->constants_.erase(&initializer);
    }
    for (const auto& input : program.graph.inputs) {
        if (!made->base_.values.contains(input.name)) made->inputs_.push_back(&input);
    }
    made->fold();
    return made;
}

// Weights go to the device; possible shapes and indices stay on the CPU, where they are read.
Value Interpreter::placed(Value value) const {
    if (value.kind == Value::Kind::tensor && is_real(value.type)) value.tensor = value.tensor.to(device_);
    return value;
}

void Interpreter::fold() {
    const at::NoGradGuard no_gradient;
    auto& nodes = file_.program.graph.nodes;
    auto& plan = plans_.at(&nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (plan.idle[i]) continue;
        const auto used = Planner::names_used(nodes[i]);
        if (!std::ranges::all_of(used, [&](const auto& name) { return base_.values.contains(name); })) continue;
        if (std::ranges::any_of(used, [&](const auto& name) { return kept_.contains(name); })) continue;
        try {
            steps_ = 0;
            run_node(nodes[i], plan, i, base_);
            plan.folded[i] = true;
        } catch (const OperatorError&) {
            continue;  // reported when the node runs
        }
        for (const auto& output : nodes[i].outputs) {
            if (auto at = base_.values.find(output); at != base_.values.end()) {
                at->second = placed(std::move(at->second));
            }
        }
    }
    Planner::drop_unused(file_.program.graph, plan, base_.values);
}

Result<void> Interpreter::keep(std::set<std::string> names) {
    kept_ = std::move(names);
    auto& plan = plans_.at(&file_.program.graph.nodes);
    plan.folded.assign(plan.folded.size(), false);
    base_.values.clear();
    for (const auto& initializer : file_.program.graph.initializers) {
        MODELSEAL_TRY_ASSIGN(auto value, load_constant(initializer, file_.files, max_bytes_));
        base_.values.emplace(initializer.tensor.name, placed(std::move(value)));
    }
    fold();
    return {};
}

Value* Interpreter::find(const std::string& name) {
    const auto found = base_.values.find(name);
    return found == base_.values.end() ? nullptr : &found->second;
}

Result<std::vector<Value>> Interpreter::run(std::vector<Value> inputs) {
    steps_ = 0;
    calls_ = 0;
    try {
        return run_main(std::move(inputs));
    } catch (const OperatorError& error) {
        return Error{error.kind, fmt::format("{}: {}", name(), util::printable(error.what())), error.hint};
    } catch (const std::exception& error) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: {}", name(), util::printable(first_line(error.what()))), {}};
    }
}

std::vector<Value> Interpreter::run_main(std::vector<Value> inputs) {
    if (inputs.size() != inputs_.size()) {
        malformed(
            fmt::format("{} given, the graph has {}", util::counted(inputs.size(), "input"), inputs_.size()));
    }
    const auto& graph = file_.program.graph;
    Scope scope;
    scope.outer = &base_;
    scope.opsets = base_.opsets;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        scope.values.emplace(inputs_[i]->name, std::move(inputs[i]));
    }
    run_nodes(graph.nodes, scope);
    return outputs_of(graph, scope);
}

std::vector<Value> Interpreter::outputs_of(const Graph& graph, const Scope& scope) {
    std::vector<Value> outputs;
    for (const auto& output : graph.outputs) {
        const auto* value = scope.find(output.name);
        if (value == nullptr)
            malformed(fmt::format("output '{}' is not computed", util::printable(output.name)));
        outputs.push_back(*value);
    }
    return outputs;
}

std::vector<Value> Interpreter::run_graph(const Graph& graph, std::vector<Value> inputs, Scope& outer) {
    count_step();  // rounds of a loop that has no nodes
    if (inputs.size() > graph.inputs.size()) malformed("a subgraph is given more inputs than it has");
    Scope scope;
    scope.outer = &outer;
    scope.opsets = outer.opsets;
    for (const auto& initializer : graph.initializers) {
        scope.values.emplace(initializer.tensor.name, constants_.at(&initializer));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        scope.values.insert_or_assign(graph.inputs[i].name, std::move(inputs[i]));
    }
    run_nodes(graph.nodes, scope);
    return outputs_of(graph, scope);
}

void Interpreter::count_step() {
    if (++steps_ > kMaxSteps)
        too_large(fmt::format("more than {} in one run", util::counted(kMaxSteps, "node")));
}

// Operators check outputs much larger than their inputs; this limits growth node by node.
void Interpreter::check_output(const Value& value) const {
    if (value.kind != Value::Kind::tensor) return;
    const auto bytes = static_cast<std::uint64_t>(value.tensor.numel()) *
                       static_cast<std::uint64_t>(value.tensor.element_size());
    if (bytes > max_bytes_)
        too_large(fmt::format("a tensor has more than {}", util::counted(max_bytes_, "byte")));
}

void Interpreter::run_nodes(const Nodes& nodes, Scope& scope) {
    const auto& plan = plans_.at(&nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!plan.folded[i] && !plan.idle[i]) run_node(nodes[i], plan, i, scope);
        for (const auto& name : plan.dead[i]) scope.values.erase(name);
    }
}

void Interpreter::run_node(const Node& node, const Plan& plan, std::size_t index, Scope& scope) try {
    count_step();
    std::vector<const Value*> inputs;
    for (const auto& name : node.inputs) inputs.push_back(name.empty() ? nullptr : scope.find(name));
    std::vector<Value> outputs;
    if (const auto* function = plan.functions[index]) {
        outputs = call_function(*function, node, inputs, scope);
    } else {
        const auto version = scope.opsets->find(node.domain);
        Call call(*this, scope, node, version == scope.opsets->end() ? 1 : version->second, std::move(inputs));
        if (plan.moves[index] && std::ranges::any_of(call.given(), has_gradient)) {
            outputs = run_smoothly(call, plan.handlers[index]);
        } else {
            plan.handlers[index](call);
            outputs = std::move(call).results();
        }
    }
    if (outputs.size() < node.outputs.size() &&
        std::any_of(node.outputs.begin() + static_cast<std::ptrdiff_t>(outputs.size()), node.outputs.end(),
                    [](const std::string& name) { return !name.empty(); })) {
        malformed(fmt::format("{} requested, the operator has {}", util::counted(node.outputs.size(), "output"),
                              outputs.size()));
    }
    for (const auto& output : outputs) check_output(output);
    for (std::size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i) {
        if (!node.outputs[i].empty()) scope.values.insert_or_assign(node.outputs[i], std::move(outputs[i]));
    }
} catch (...) {
    rethrow_about(node);
}

std::vector<Value> Interpreter::call_function(const Function& function, const Node& node,
                                              const std::vector<const Value*>& inputs, const Scope& caller) {
    if (inputs.size() > function.inputs.size()) malformed("the function has fewer inputs");
    if (calls_ >= kMaxCalls)
        malformed(
            fmt::format("function calls are nested more than {} deep", util::counted(kMaxCalls, "level")));
    std::map<std::string, const Attribute*> bound;
    for (const auto& attribute : function.defaults) bound[attribute.name] = &attribute;
    for (const auto& attribute : node.attributes) {
        if (const auto* meant = caller.resolve(&attribute)) bound[attribute.name] = meant;
    }
    Scope scope;
    scope.opsets = &function.opsets;
    scope.bound = &bound;
    for (std::size_t i = 0; i < function.inputs.size(); ++i) {
        const auto* given = i < inputs.size() ? inputs[i] : nullptr;
        scope.values.emplace(function.inputs[i], given == nullptr ? Value() : *given);
    }
    ++calls_;
    run_nodes(function.nodes, scope);
    --calls_;
    std::vector<Value> outputs;
    for (const auto& name : function.outputs) {
        const auto* value = scope.find(name);
        if (value == nullptr) malformed(fmt::format("output '{}' is not computed", util::printable(name)));
        outputs.push_back(*value);
    }
    return outputs;
}

void Interpreter::for_each_weight(const std::function<void(at::Tensor&)>& visit) {
    std::set<const void*> visited;
    const auto once = [&](Value& value) {
        if (value.kind != Value::Kind::tensor || !is_real(value.type)) return;
        if (visited.insert(value.tensor.unsafeGetTensorImpl()).second) visit(value.tensor);
    };
    for (auto& [name, value] : base_.values) once(value);
    for (auto& [constant, value] : constants_) once(value);
}

void Interpreter::to(at::Device device) {
    const at::NoGradGuard no_gradient;
    for_each_weight([&](at::Tensor& tensor) {
        if (tensor.device() != device) tensor.set_data(tensor.detach().to(device));
    });
    device_ = device;
}

}  // namespace modelseal::libtorch::onnx
