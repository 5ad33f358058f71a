// Control flow: graphs in attributes.
#include <algorithm>
#include <limits>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

bool truth(const Value& value) {
    require(value.kind == Value::Kind::tensor && value.tensor.numel() == 1,
            "a condition is not a single number");
    return value.tensor.detach().reshape({}).to(at::kCPU).ne(0).item<bool>();
}

void branch(Call& call) {
    for (auto& value : call.run(call.graph(truth(call.value(0)) ? "then_branch" : "else_branch"), {})) {
        call.give(std::move(value));
    }
}

// Stacks the results of all iterations; without iterations the shape is unknown and the result empty.
Value stacked(const std::vector<at::Tensor>& rounds, std::int64_t axis, bool backwards) {
    if (rounds.empty()) return at::empty({0}, at::TensorOptions(at::kFloat));
    auto ordered = rounds;
    if (backwards) std::ranges::reverse(ordered);
    return at::stack(ordered, axis_of(axis, rounds.front().dim() + 1));
}

at::Tensor tensor_of(const Value& value) {
    require(value.kind == Value::Kind::tensor, "the output of an iteration is not a tensor");
    return value.tensor;
}

void loop(Call& call) {
    const auto& body = call.graph("body");
    const auto limit = call.has(0) ? call.integer_in(0) : std::numeric_limits<std::int64_t>::max();
    bool go_on = !call.has(1) || truth(call.value(1));
    std::vector<Value> carried;
    for (std::size_t i = 2; i < call.inputs(); ++i) carried.push_back(call.has(i) ? call.value(i) : Value());
    require(body.outputs.size() >= carried.size() + 1, "the body has too few outputs");
    const auto scans = body.outputs.size() - 1 - carried.size();
    std::vector<std::vector<at::Tensor>> rounds(scans);
    std::vector<DType> types(scans, DType::f32);
    for (std::int64_t i = 0; i < limit && go_on; ++i) {
        std::vector<Value> inputs = {at::scalar_tensor(i, at::TensorOptions(at::kLong)),
                                     at::scalar_tensor(true, at::TensorOptions(at::kBool))};
        std::ranges::move(carried, std::back_inserter(inputs));
        auto outputs = call.run(body, std::move(inputs));
        go_on = truth(outputs[0]);
        for (std::size_t k = 0; k < carried.size(); ++k) carried[k] = std::move(outputs[k + 1]);
        for (std::size_t k = 0; k < scans; ++k) {
            const auto& given = outputs[carried.size() + 1 + k];
            rounds[k].push_back(tensor_of(given));
            types[k] = given.type;
        }
    }
    for (auto& value : carried) call.give(std::move(value));
    for (std::size_t k = 0; k < scans; ++k) {
        auto value = stacked(rounds[k], 0, false);
        if (!rounds[k].empty()) value.type = types[k];
        call.give(std::move(value));
    }
}

struct ScanPlan {
    std::size_t inputs = 0, states = 0, outputs = 0;
    Ints input_axes, output_axes, input_backwards, output_backwards;
};

ScanPlan scan_plan(const Call& call, std::size_t given) {
    ScanPlan plan;
    const auto count = call.integer("num_scan_inputs", 0);
    require(count >= 1 && static_cast<std::size_t>(count) <= given, "num_scan_inputs");
    plan.inputs = static_cast<std::size_t>(count);
    plan.states = given - plan.inputs;
    const auto& body = call.graph("body");
    require(body.outputs.size() >= plan.states, "the body has too few outputs");
    plan.outputs = body.outputs.size() - plan.states;
    plan.input_axes = call.integers("scan_input_axes", Ints(plan.inputs, 0));
    plan.output_axes = call.integers("scan_output_axes", Ints(plan.outputs, 0));
    plan.input_backwards =
        call.integers(call.opset() < 9 ? "directions" : "scan_input_directions", Ints(plan.inputs, 0));
    plan.output_backwards = call.integers("scan_output_directions", Ints(plan.outputs, 0));
    require(plan.input_axes.size() == plan.inputs && plan.input_backwards.size() == plan.inputs &&
                plan.output_axes.size() == plan.outputs && plan.output_backwards.size() == plan.outputs,
            "the numbers of axes and directions are not those of inputs and outputs");
    return plan;
}

std::vector<Value> scan_once(Call& call, const ScanPlan& plan, std::vector<Value> values) {
    const auto& body = call.graph("body");
    std::vector<std::vector<at::Tensor>> rounds(plan.outputs);
    std::vector<DType> types(plan.outputs, DType::f32);
    std::int64_t length = -1;
    for (std::size_t k = 0; k < plan.inputs; ++k) {
        const auto tensor = tensor_of(values[plan.states + k]);
        const auto size = tensor.size(axis_of(plan.input_axes[k], tensor.dim()));
        require(tensor.dim() > 0 && (length < 0 || size == length), "the scan inputs have different lengths");
        length = size;
    }
    std::vector<Value> states(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(plan.states));
    for (std::int64_t i = 0; i < length; ++i) {
        auto inputs = states;
        for (std::size_t k = 0; k < plan.inputs; ++k) {
            const auto& value = values[plan.states + k];
            const auto at_place = plan.input_backwards[k] != 0 ? length - 1 - i : i;
            inputs.emplace_back(value.tensor.select(axis_of(plan.input_axes[k], value.tensor.dim()), at_place),
                                value.type);
        }
        auto outputs = call.run(body, std::move(inputs));
        for (std::size_t k = 0; k < plan.states; ++k) states[k] = std::move(outputs[k]);
        for (std::size_t k = 0; k < plan.outputs; ++k) {
            rounds[k].push_back(tensor_of(outputs[plan.states + k]));
            types[k] = outputs[plan.states + k].type;
        }
    }
    for (std::size_t k = 0; k < plan.outputs; ++k) {
        states.push_back(stacked(rounds[k], plan.output_axes[k], plan.output_backwards[k] != 0));
        states.back().type = types[k];
    }
    return states;
}

void scan(Call& call) {
    const bool batched = call.opset() < 9;  // with an input of lengths, each row by itself
    std::vector<Value> values;
    for (std::size_t i = batched ? 1 : 0; i < call.inputs(); ++i) values.push_back(call.value(i));
    const auto plan = scan_plan(call, values.size());
    if (!batched) {
        for (auto& value : scan_once(call, plan, std::move(values))) call.give(std::move(value));
        return;
    }
    if (call.has(0)) unsupported("a scan of sequences of several lengths");
    std::vector<std::vector<at::Tensor>> rows;
    const auto count = tensor_of(values.at(0)).size(0);
    std::vector<Value> last;
    for (std::int64_t row = 0; row < count; ++row) {
        std::vector<Value> own;
        for (const auto& value : values) own.emplace_back(tensor_of(value).select(0, row), value.type);
        last = scan_once(call, plan, std::move(own));
        rows.resize(last.size());
        for (std::size_t k = 0; k < last.size(); ++k) rows[k].push_back(last[k].tensor);
    }
    for (std::size_t k = 0; k < rows.size(); ++k) call.give(at::stack(rows[k]), last[k].type);
}

constexpr Operator kControlOperators[] = {
    {"", "If", branch},
    {"", "Loop", loop},
    {"", "Scan", scan},
};

}  // namespace

std::span<const Operator> control_operators() {
    return kControlOperators;
}

}  // namespace modelseal::libtorch::onnx
