// Attention and related operators.
#include <cmath>
#include <limits>

#include "formats/onnx/schema.h"
#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

// batch x length x (heads * size) as batch x heads x length x size.
at::Tensor by_heads(const at::Tensor& x, std::int64_t heads) {
    require(heads > 0 && x.size(2) % heads == 0, "the input is not divisible by the number of heads");
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

struct Heads {
    at::Tensor q, k, v;
    std::int64_t past = 0;
    bool flat = false;  // three dimensions came in
};

Heads heads_of(Call& call) {
    Heads heads{call.in(0), call.in(1), call.in(2)};
    heads.flat = heads.q.dim() == 3;
    if (heads.flat) {
        heads.q = by_heads(heads.q, call.integer("q_num_heads", 0));
        heads.k = by_heads(heads.k, call.integer("kv_num_heads", 0));
        heads.v = by_heads(heads.v, call.integer("kv_num_heads", 0));
    }
    require(heads.q.dim() == 4 && heads.k.dim() == 4 && heads.v.dim() == 4,
            "Q, K and V need 3 or 4 dimensions");
    if (call.has(4)) {
        heads.past = call.in(4).size(2);
        heads.k = at::cat({call.in(4), heads.k}, 2);
    }
    if (call.has(5)) heads.v = at::cat({call.in(5), heads.v}, 2);
    return heads;
}

// The term added to the products: the given mask, the causal mask, the window around each query, the mask of the
// padding.
at::Tensor bias_of(const Call& call, const Heads& heads, const at::Tensor& like) {
    const auto rows = heads.q.size(2), columns = heads.k.size(2);
    auto bias = at::zeros({rows, columns}, like.options());
    const auto masked = at::full({}, kMasked, like.options());
    if (call.has(3)) {
        auto mask = call.in(3);
        if (mask.scalar_type() == at::kBool) mask = at::where(mask, at::zeros({}, like.options()), masked);
        if (mask.size(-1) < columns) mask = at::constant_pad_nd(mask, {0, columns - mask.size(-1)}, kMasked);
        bias = mask.to(like.scalar_type());
    }
    const auto places = at::arange(columns, at::TensorOptions(at::kLong).device(like.device()));
    auto ends = at::Tensor();
    if (call.has(6)) ends = call.in(6).to(at::kLong).reshape({-1, 1, 1, 1});
    auto now = at::arange(rows, places.options()).unsqueeze(1);
    now = ends.defined() ? now + (ends - rows) : now + heads.past;
    if (call.integer("is_causal", 0) != 0) bias = at::where(places <= now, bias, masked);
    const auto left = call.integer("left_window_size", -1), right = call.integer("right_window_size", -1);
    require(left >= -1 && right >= -1, "a window size below -1");
    if (left >= 0) bias = at::where(now - places <= left, bias, masked);
    if (right >= 0) bias = at::where(places - now <= right, bias, masked);
    return ends.defined() ? at::where(places < ends, bias, masked) : bias;
}

// So many heads of queries share one of keys and values.
std::int64_t queries_for_a_key(const at::Tensor& q, const at::Tensor& k) {
    const auto groups = q.size(1) / std::max<std::int64_t>(k.size(1), 1);
    require(groups > 0 && q.size(1) == groups * k.size(1),
            "the number of query heads is not a multiple of the number of key heads");
    return groups;
}

// Keys or values, once for each of the heads that share them.
at::Tensor repeated(const at::Tensor& x, std::int64_t groups) {
    return groups == 1 ? x : x.repeat_interleave(groups, 1);
}

at::Tensor scaled_product(const Call& call, const at::Tensor& q, const at::Tensor& k) {
    const auto scale = std::sqrt(call.real("scale", 1 / std::sqrt(static_cast<double>(q.size(3)))));
    return at::matmul(q * scale, (k * scale).transpose(2, 3));
}

void attention(Call& call) {
    const auto heads = heads_of(call);
    const auto groups = queries_for_a_key(heads.q, heads.k);
    const auto v = repeated(heads.v, groups);
    const auto product = scaled_product(call, heads.q, repeated(heads.k, groups));
    const auto cap = call.real("softcap", 0);
    const auto capped = cap > 0 ? at::tanh(product / cap) * cap : product;
    const auto bias = bias_of(call, heads, product);
    const auto biased = capped + bias;
    // Fully masked rows give zeros (softmax would give NaN).
    const auto blind = std::get<0>(bias.max(-1, true)) == kMasked;
    auto weights = at::softmax(biased.masked_fill(blind, 0), -1);
    weights = weights.masked_fill(blind, 0);
    const auto y = at::matmul(weights, v);
    call.give_like(heads.flat ? y.transpose(1, 2).flatten(2) : y);
    call.give(heads.k, call.type(1));
    call.give(heads.v, call.type(2));
    const at::Tensor stages[] = {product, capped, biased, weights};
    const auto mode = call.integer("qk_matmul_output_mode", 0);
    require(mode >= 0 && mode <= 3, "qk_matmul_output_mode");
    call.give_like(stages[mode]);
}

// The one output of a graph that changes scores or probabilities, if it is given.
at::Tensor modified(Call& call, const char* graph, const at::Tensor& x, DType type) {
    if (!call.given(graph)) return x;
    const auto outputs = call.run(call.graph(graph), {Value(x, type)});
    require(outputs.size() == 1 && outputs[0].kind == Value::Kind::tensor && outputs[0].type == type &&
                outputs[0].tensor.sizes() == x.sizes(),
            "a graph that changes scores has another output");
    return outputs[0].tensor;
}

void flexible_attention(Call& call) {
    const auto q = call.in(0), k = call.in(1);
    require(q.dim() == 4 && k.dim() == 4 && call.in(2).dim() == 4, "Q, K and V need 4 dimensions");
    const auto groups = queries_for_a_key(q, k);
    require(k.size(1) == call.in(2).size(1), "keys and values have different numbers of heads");
    const auto v = repeated(call.in(2), groups);
    auto type = call.type(0) == DType::f64 ? DType::f64 : DType::f32;
    if (call.given("softmax_precision")) {
        const auto number = static_cast<std::uint64_t>(call.integer("softmax_precision", 1));
        const auto stated = formats::onnx::element_type(number);
        require(stated && stated->dtype && is_real(*stated->dtype), "softmax_precision");
        type = *stated->dtype;
    }
    call.check_size({q.size(0), q.size(1), q.size(2), k.size(2)});
    const auto product = scaled_product(call, q, repeated(k, groups));
    const auto scores = modified(call, "score_mod", cast(product, call.type(0), type), type);
    const auto weights = modified(call, "prob_mod", at::softmax(scores, -1), type);
    call.give_like(at::matmul(weights.to(v.scalar_type()), v));
}

void rotary(Call& call) {
    auto x = call.in(0);
    const bool flat = x.dim() == 3;
    if (flat) x = by_heads(x, call.integer("num_heads", 0));
    require(x.dim() == 4, "the input needs 3 or 4 dimensions");
    auto cosine = call.in(1), sine = call.in(2);
    if (call.has(3)) {
        const auto ids = call.in(3).to(at::kLong);
        require(ids.numel() == 0 ||
                    (ids.min().item<std::int64_t>() >= 0 && ids.max().item<std::int64_t>() < cosine.size(0)),
                "a position is outside the cache");
        const auto pick = [&](const at::Tensor& cache) {
            return cache.index_select(0, ids.reshape({-1})).reshape({ids.size(0), ids.size(1), -1});
        };
        cosine = pick(cosine);
        sine = pick(sine);
    }
    const auto dim = call.integer("rotary_embedding_dim", 0);
    const auto turned_size = dim == 0 ? x.size(3) : dim;
    require(turned_size > 0 && turned_size % 2 == 0 && turned_size <= x.size(3), "rotary_embedding_dim");
    const auto half = turned_size / 2;
    cosine = cosine.narrow(-1, 0, half).unsqueeze(1);
    sine = sine.narrow(-1, 0, half).unsqueeze(1);
    const auto turned = x.narrow(3, 0, turned_size), rest = x.narrow(3, turned_size, x.size(3) - turned_size);
    const bool interleaved = call.integer("interleaved", 0) != 0;
    const auto a = interleaved ? turned.slice(3, 0, turned_size, 2) : turned.narrow(3, 0, half);
    const auto b = interleaved ? turned.slice(3, 1, turned_size, 2) : turned.narrow(3, half, half);
    const auto real = a * cosine - b * sine, imaginary = a * sine + b * cosine;
    const auto joined =
        interleaved ? at::stack({real, imaginary}, -1).flatten(3) : at::cat({real, imaginary}, 3);
    const auto y = at::cat({joined, rest}, 3);
    call.give_like(flat ? y.transpose(1, 2).flatten(2) : y);
}

constexpr Operator kAttentionOperators[] = {
    {"", "Attention", attention},
    {"", "RotaryEmbedding", rotary},
    {"ai.onnx.preview", "FlexAttention", flexible_attention},
};

}  // namespace

std::span<const Operator> attention_operators() {
    return kAttentionOperators;
}

}  // namespace modelseal::libtorch::onnx
