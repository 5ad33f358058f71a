// Losses, which some exported graphs still hold.
#include <algorithm>
#include <limits>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {
namespace {

struct Weighted {
    at::Tensor loss;     // of each element, weighted
    at::Tensor weights;  // that counted
};

// -log p of each target; elements whose target is to be ignored count nothing.
Weighted negative_log(const Call& call, const at::Tensor& log_probabilities) {
    const auto classes = log_probabilities.size(1);
    const auto target = call.in(1).to(at::kLong);
    auto counts = at::ones_like(target, at::TensorOptions(at::kBool));
    if (call.given("ignore_index")) counts = target != call.integer("ignore_index", 0);
    const auto safe = at::where(counts, target, at::zeros_like(target));
    if (safe.numel() > 0) {
        require(safe.min().item<std::int64_t>() >= 0 && safe.max().item<std::int64_t>() < classes,
                "a target is not a class");
    }
    auto weights = counts.to(log_probabilities.scalar_type());
    if (call.has(2)) weights = weights * call.in(2).index_select(0, safe.reshape({-1})).reshape(safe.sizes());
    const auto picked = at::gather(log_probabilities, 1, safe.unsqueeze(1)).squeeze(1);
    return {-picked * weights, weights};
}

at::Tensor reduced(const Call& call, const Weighted& of) {
    const auto reduction = call.text("reduction", "mean");
    if (reduction == "none") return of.loss;
    if (reduction == "sum") return of.loss.sum();
    return of.loss.sum() / of.weights.sum();
}

void negative_log_likelihood(Call& call) {
    call.give_like(reduced(call, negative_log(call, call.in(0))));
}

void cross_entropy(Call& call) {
    const auto logs = at::log_softmax(call.in(0), 1);
    call.give_like(reduced(call, negative_log(call, logs)));
    call.give_like(logs);
}

constexpr Operator kLossOperators[] = {
    {"", "NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"", "SoftmaxCrossEntropyLoss", cross_entropy},
};

}  // namespace

std::span<const Operator> loss_operators() {
    return kLossOperators;
}

// Reductions over axes.

namespace {

struct Reduction {
    at::Tensor x;
    Ints axes;  // sorted; empty: nothing is reduced
    bool keep;
};

// `last`: the last opset in which the axes were an attribute.
Reduction reduction(const Call& call, std::int64_t last) {
    Reduction made{call.in(0), {}, call.integer("keepdims", 1) != 0};
    const auto given = call.numbers("axes", 1, last);
    if (given && !given->empty()) {
        for (const auto axis : *given) made.axes.push_back(axis_of(axis, made.x.dim()));
        std::ranges::sort(made.axes);
        require(std::ranges::adjacent_find(made.axes) == made.axes.end(), "an axis appears twice");
    } else if (call.integer("noop_with_empty_axes", 0) == 0) {
        for (std::int64_t axis = 0; axis < made.x.dim(); ++axis) made.axes.push_back(axis);
    }
    return made;
}

at::Tensor sum(const Reduction& r, const at::Tensor& x) {
    return r.axes.empty() ? x : at::sum(x, r.axes, r.keep, x.scalar_type());
}

// Of nothing: the value that is below or above all others.
at::Tensor extreme(const Reduction& r, bool largest, DType type) {
    auto x = r.x.scalar_type() == at::kBool ? r.x.to(at::kByte) : r.x;
    if (r.axes.empty()) return r.x;
    if (x.numel() == 0) {
        double limit = std::numeric_limits<double>::infinity();
        if (!is_real(type)) {
            const auto bits = static_cast<int>(bits_of(type));
            limit = is_unsigned(type) ? std::ldexp(1.0, bits) - 1 : std::ldexp(1.0, bits - 1);
        }
        const auto shape = at::sum(x, r.axes, r.keep).sizes().vec();
        if (largest && (is_unsigned(type) || type == DType::boolean)) limit = 0;
        return at::full(shape, largest ? -limit : limit, x.options()).to(r.x.scalar_type());
    }
    return (largest ? at::amax(x, r.axes, r.keep) : at::amin(x, r.axes, r.keep)).to(r.x.scalar_type());
}

at::Tensor product(const Reduction& r) {
    auto x = r.x;
    for (auto axis = r.axes.rbegin(); axis != r.axes.rend(); ++axis) {
        x = at::prod(x, *axis, r.keep, r.x.scalar_type());
    }
    return x;
}

at::Tensor mean(const Reduction& r) {
    if (r.axes.empty()) return r.x;
    if (at::isFloatingType(r.x.scalar_type())) return at::mean(r.x, r.axes, r.keep);
    return at::mean(r.x.to(at::kDouble), r.axes, r.keep).trunc().to(r.x.scalar_type());
}

at::Tensor as_real(const at::Tensor& x) {
    return at::isFloatingType(x.scalar_type()) ? x : x.to(at::kDouble);
}

void reduce_sum(Call& call) {
    const auto r = reduction(call, 12);
    call.give_like(wrap(sum(r, r.x), call.type(0)));
}

void l1(Call& call) {
    const auto r = reduction(call, 17);
    call.give_like(sum(r, r.x.abs()));
}

void l2(Call& call) {
    const auto r = reduction(call, 17);
    call.give_like(at::sqrt(sum(r, as_real(r.x) * as_real(r.x))).to(r.x.scalar_type()));
}

void log_sum(Call& call) {
    const auto r = reduction(call, 17);
    call.give_like(at::log(sum(r, as_real(r.x))).to(r.x.scalar_type()));
}

void log_sum_exp(Call& call) {
    const auto r = reduction(call, 17);
    if (r.x.numel() == 0 || r.axes.empty()) {
        return call.give_like(at::log(sum(r, at::exp(as_real(r.x)))).to(r.x.scalar_type()));
    }
    call.give_like(at::logsumexp(as_real(r.x), r.axes, r.keep).to(r.x.scalar_type()));
}

void sum_square(Call& call) {
    const auto r = reduction(call, 17);
    call.give_like(sum(r, r.x * r.x));
}

template <bool largest>
void arg_extreme(Call& call) {
    const auto x = call.in(0);
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    const bool keep = call.integer("keepdims", 1) != 0;
    const auto find =
        largest ? [](const at::Tensor& of, std::int64_t along, bool k) { return at::argmax(of, along, k); }
                : [](const at::Tensor& of, std::int64_t along, bool k) { return at::argmin(of, along, k); };
    if (call.integer("select_last_index", 0) == 0) return call.give(find(x, axis, keep));
    call.give(x.size(axis) - 1 - find(x.flip({axis}), axis, keep));
}

constexpr Operator kReductionOperators[] = {
    {"", "ReduceSum", reduce_sum},
    {"", "ReduceMean", [](Call& call) { call.give_like(mean(reduction(call, 17))); }},
    {"", "ReduceMax", [](Call& call) { call.give_like(extreme(reduction(call, 17), true, call.type(0))); }},
    {"", "ReduceMin", [](Call& call) { call.give_like(extreme(reduction(call, 17), false, call.type(0))); }},
    {"", "ReduceProd", [](Call& call) { call.give_like(product(reduction(call, 17))); }},
    {"", "ReduceL1", l1},
    {"", "ReduceL2", l2},
    {"", "ReduceLogSum", log_sum},
    {"", "ReduceLogSumExp", log_sum_exp},
    {"", "ReduceSumSquare", sum_square},
    {"", "ArgMax", arg_extreme<true>},
    {"", "ArgMin", arg_extreme<false>},
};

}  // namespace

std::span<const Operator> reduction_operators() {
    return kReductionOperators;
}

}  // namespace modelseal::libtorch::onnx
