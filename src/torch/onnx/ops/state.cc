// Operators that carry a state from one call to the next.
#include <cmath>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

// batch x steps x (heads * size) as steps x batch x heads x size.
at::Tensor by_steps(const at::Tensor& x, std::int64_t heads) {
    require(x.dim() == 3 && heads > 0 && x.size(2) % heads == 0, "an input is not divisible by its heads");
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(0, 1);
}

// The state S of a head maps keys to values. A step fades it (decay), then adds what its key should map to; with
// the rule "delta" only the difference to what it maps to already.
void linear_attention(Call& call) {
    const auto rule = call.text("update_rule", "gated_delta");
    const bool gated = rule.starts_with("gated"), delta = rule.ends_with("delta");
    require(gated || delta || rule == "linear", "update_rule");
    require(gated == call.has(4) && delta == call.has(5), "decay and beta do not match update_rule");
    const auto heads = call.integer("kv_num_heads", 0), asking = call.integer("q_num_heads", 0);
    require(heads > 0 && asking > 0 && asking % heads == 0, "q_num_heads is not a multiple of kv_num_heads");
    const auto q = by_steps(call.in(0), asking), k = by_steps(call.in(1), heads),
               v = by_steps(call.in(2), heads);
    const auto steps = q.size(0), batch = q.size(1), keys = q.size(3), values = v.size(3);
    require(k.size(0) == steps && v.size(0) == steps && k.size(1) == batch && v.size(1) == batch &&
                k.size(3) == keys,
            "shapes of query, key and value");
    call.check_size({batch, asking, keys, values});
    const auto decay = gated ? by_steps(call.in(4), heads).exp() : at::Tensor();
    const auto beta = delta ? by_steps(call.in(5), call.in(5).size(-1)) : at::Tensor();
    auto state = call.has(3) ? call.in(3) : at::zeros({batch, heads, keys, values}, q.options());
    require(state.sizes() == at::IntArrayRef({batch, heads, keys, values}), "the shape of past_state");
    const auto given = call.real("scale", 0);
    const auto scale = given == 0 ? 1 / std::sqrt(static_cast<double>(keys)) : given;
    std::vector<at::Tensor> outputs;
    for (std::int64_t i = 0; i < steps; ++i) {
        if (gated) state = state * decay[i].unsqueeze(-1);
        const auto key = k[i].unsqueeze(-1);
        auto value = v[i].unsqueeze(-2);
        if (delta) {
            const auto known = at::matmul(key.transpose(-1, -2), state);
            value = beta[i].transpose(-1, -2).reshape({batch, -1, 1, 1}) * (value - known);
        }
        state = state + key * value;
        const auto read = asking == heads ? state : state.repeat_interleave(asking / heads, 1);
        outputs.push_back(at::matmul(q[i].unsqueeze(-2), read).squeeze(-2) * scale);
    }
    const auto shape = std::vector<std::int64_t>{batch, steps, asking * values};
    call.give_like(outputs.empty() ? at::empty(shape, q.options()) : at::stack(outputs, 1).reshape(shape));
    call.give(state, call.has(3) ? call.type(3) : call.type(0));
}

void causal_conv(Call& call) {
    const auto x = call.in(0), weight = call.in(1);
    require(x.dim() == 3 && weight.dim() == 3 && weight.size(0) == x.size(1) && weight.size(1) == 1 &&
                weight.size(2) > 0,
            "shapes of the input and the weight");
    const auto before = weight.size(2) - 1;
    const auto past = call.has(3) ? call.in(3) : at::zeros({x.size(0), x.size(1), before}, x.options());
    require(past.sizes() == at::IntArrayRef({x.size(0), x.size(1), before}), "the shape of past_state");
    const auto all = at::cat({past, x}, 2);
    c10::optional<at::Tensor> bias;
    if (call.has(2)) bias = call.in(2);
    const auto y = at::convolution(all, weight, bias, {1}, {0}, {1}, false, {0}, x.size(1));
    const auto activation = call.text("activation", "none");
    const bool silu = activation == "silu" || activation == "swish";
    require(silu || activation == "none", "activation");
    call.give_like(silu ? at::silu(y) : y);
    call.give_like(all.narrow(2, all.size(2) - before, before));
}

constexpr Operator kStateOperators[] = {
    {"", "LinearAttention", linear_attention},
    {"", "CausalConvWithState", causal_conv},
};

}  // namespace

std::span<const Operator> state_operators() {
    return kStateOperators;
}

}  // namespace modelseal::libtorch::onnx
