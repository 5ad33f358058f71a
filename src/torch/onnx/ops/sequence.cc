// Sequences and optionals.
#include <algorithm>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

// The content of an optional.
const Value& inside(const Value& value) {
    return value.kind == Value::Kind::optional && !value.items.empty() ? inside(value.items.front()) : value;
}

const std::vector<Value>& items(const Call& call, std::size_t input) {
    const auto& value = inside(call.value(input));
    require(value.kind == Value::Kind::sequence, "an input is not a sequence");
    return value.items;
}

// An index of an item; with `behind`, also the index after the last.
std::size_t position(const Call& call, std::size_t input, std::size_t size, bool behind) {
    const auto count = static_cast<std::int64_t>(size);
    auto at = call.integer_in(input);
    if (at < 0) at += count;
    require(at >= 0 && at < count + (behind ? 1 : 0), "a position is outside the sequence");
    return static_cast<std::size_t>(at);
}

void construct(Call& call) {
    std::vector<Value> made;
    for (std::size_t i = 0; i < call.inputs(); ++i) made.push_back(call.value(i));
    call.give(Value::sequence(std::move(made)));
}

void insert(Call& call) {
    auto made = items(call, 0);
    const auto at = call.has(2) ? position(call, 2, made.size(), true) : made.size();
    made.insert(made.begin() + static_cast<std::ptrdiff_t>(at), call.value(1));
    call.give(Value::sequence(std::move(made)));
}

void erase(Call& call) {
    auto made = items(call, 0);
    require(!made.empty(), "the sequence is empty");
    const auto at = call.has(1) ? position(call, 1, made.size(), false) : made.size() - 1;
    made.erase(made.begin() + static_cast<std::ptrdiff_t>(at));
    call.give(Value::sequence(std::move(made)));
}

void length(Call& call) {
    const auto count = static_cast<std::int64_t>(items(call, 0).size());
    call.give(at::scalar_tensor(count, at::TensorOptions(at::kLong)));
}

void concat_from(Call& call) {
    std::vector<at::Tensor> parts;
    for (const auto& item : items(call, 0)) parts.push_back(item.tensor);
    require(!parts.empty(), "the sequence is empty");
    const auto type = items(call, 0).front().type;
    const bool fresh = call.integer("new_axis", 0) != 0;
    const auto axis = axis_of(call.integer("axis", 0), parts.front().dim() + (fresh ? 1 : 0));
    call.give(fresh ? at::stack(parts, axis) : at::cat(parts, axis), type);
}

void split_to(Call& call) {
    const auto x = call.in(0);
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    std::vector<at::Tensor> parts;
    if (!call.has(1)) {
        for (std::int64_t i = 0; i < x.size(axis); ++i) {
            const auto part = x.narrow(axis, i, 1);
            parts.push_back(call.integer("keepdims", 1) != 0 ? part : part.squeeze(axis));
        }
    } else if (call.value(1).tensor.dim() == 0) {
        const auto size = call.integer_in(1);
        require(size >= 1, "a split has size 0");
        parts = x.split(size, axis);
    } else {
        parts = x.split_with_sizes(call.list(1), axis);
    }
    std::vector<Value> made;
    for (auto& part : parts) made.emplace_back(std::move(part), call.type(0));
    call.give(Value::sequence(std::move(made)));
}

void map(Call& call) {
    const auto& body = call.graph("body");
    const auto& first = items(call, 0);
    std::vector<std::vector<Value>> results(body.outputs.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        std::vector<Value> inputs = {first[i]};
        for (std::size_t k = 1; k < call.inputs(); ++k) {
            const auto& value = call.value(k);
            if (value.kind == Value::Kind::sequence)
                require(value.items.size() == first.size(), "the sequences have different lengths");
            inputs.push_back(value.kind == Value::Kind::sequence ? value.items[i] : value);
        }
        auto outputs = call.run(body, std::move(inputs));
        for (std::size_t k = 0; k < results.size(); ++k) results[k].push_back(std::move(outputs[k]));
    }
    for (auto& result : results) call.give(Value::sequence(std::move(result)));
}

void optional(Call& call) {
    std::vector<Value> content;
    if (call.has(0)) content.push_back(call.value(0));
    call.give(Value::optional(std::move(content)));
}

void has_element(Call& call) {
    bool found = call.has(0);
    if (found && call.value(0).kind == Value::Kind::optional) found = !call.value(0).items.empty();
    call.give(at::scalar_tensor(found, at::TensorOptions(at::kBool)));
}

void get_element(Call& call) {
    const auto& value = call.value(0);
    if (value.kind == Value::Kind::optional) require(!value.items.empty(), "the optional is empty");
    call.give(value.kind == Value::Kind::optional ? value.items.front() : value);
}

constexpr Operator kSequenceOperators[] = {
    {"", "SequenceConstruct", construct},
    {"", "SequenceEmpty", [](Call& call) { call.give(Value::sequence({})); }},
    {"", "SequenceInsert", insert},
    {"", "SequenceErase", erase},
    {"", "SequenceAt",
     [](Call& call) {
         const auto& all = items(call, 0);
         call.give(all[position(call, 1, all.size(), false)]);
     }},
    {"", "SequenceLength", length},
    {"", "SequenceMap", map},
    {"", "ConcatFromSequence", concat_from},
    {"", "SplitToSequence", split_to},
    {"", "Optional", optional},
    {"", "OptionalHasElement", has_element},
    {"", "OptionalGetElement", get_element},
};

}  // namespace

std::span<const Operator> sequence_operators() {
    return kSequenceOperators;
}

}  // namespace modelseal::libtorch::onnx
