#include "torch/last_layer.h"

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace modelseal::libtorch {
namespace {

enum class Effect { none, own_class, others };

// Raises the slice of one class and compares the scores.
class Nudge {
  public:
    Nudge(at::Tensor slice, double by) : slice_(std::move(slice)), original_(slice_.clone()) {
        // Different numbers, all positive: a variance stays one, and they do not cancel.
        const auto steps = at::arange(slice_.numel(), at::TensorOptions(at::kDouble));
        slice_.add_(((steps * 0.7).sin().abs() + 0.5).mul(by).reshape(slice_.sizes()).to(slice_.options()));
    }
    ~Nudge() { slice_.copy_(original_); }
    Nudge(const Nudge&) = delete;
    Nudge& operator=(const Nudge&) = delete;

  private:
    at::Tensor slice_, original_;
};

Effect effect(const at::Tensor& before, const at::Tensor& after, std::int64_t own, Scores scores) {
    if (!at::isfinite(after).all().item<bool>()) return Effect::others;
    auto change = (after - before).to(at::kDouble);
    const double noise = 1e-5 * (1 + before.abs().max().item<double>());
    if (scores != Scores::logits) {
        // The normalizing constant of each row, seen at the largest of the other classes; probabilities that
        // are all but zero show nothing.
        constexpr double kAllButZero = -69;
        const auto others = before.clone();
        others.select(1, own).fill_(-std::numeric_limits<float>::infinity());
        const auto seen = at::logical_and(before > kAllButZero, after > kAllButZero);
        change = at::where(seen, change - change.gather(1, others.argmax(1, true)), at::zeros_like(change));
    }
    const double moved = change.select(1, own).abs().max().item<double>();
    change.select(1, own).zero_();
    const double spilled = change.abs().max().item<double>();
    if (spilled > noise + 1e-3 * moved) return Effect::others;
    return moved > 10 * noise ? Effect::own_class : Effect::none;
}

double spread_of(const at::Tensor& tensor) {
    const double spread = tensor.to(at::kDouble).std(false).item<double>();
    return spread > 0 ? spread : std::max(1.0, tensor.abs().max().item<double>());
}

bool has_slice_for_each_class(const at::Tensor& tensor, std::int64_t axis, const Outputs& outputs,
                              const at::Tensor& before, Scores scores) {
    const auto classes = before.size(1);
    bool seen = false;
    for (const auto own : std::set<std::int64_t>{0, classes / 2, classes - 1}) {
        const Nudge nudge(tensor.narrow(axis, own, 1), spread_of(tensor));
        const auto found = effect(before, log_scores(outputs(), scores), own, scores);
        if (found == Effect::others) return false;
        seen |= found == Effect::own_class;
    }
    return seen;
}

}  // namespace

std::vector<Slices> find_last_layer(std::vector<Weight>& weights, const Outputs& outputs, Scores scores) {
    const auto before = log_scores(outputs(), scores);
    std::vector<Slices> found;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto& tensor = weights[i].value();
        if (!tensor.is_non_overlapping_and_dense()) continue;
        std::vector<Slices> own;
        for (std::int64_t axis = 0; axis < tensor.dim(); ++axis) {
            if (tensor.size(axis) != before.size(1)) continue;
            if (has_slice_for_each_class(tensor, axis, outputs, before, scores)) own.push_back({i, axis});
        }
        if (own.size() == 1) found.push_back(own.front());  // two axes would be a diagonal
    }
    return found;
}

Widening::Widening(std::vector<Weight>& weights, std::vector<Slices> slices)
    : weights_(weights), slices_(std::move(slices)) {
    for (const auto& slice : slices_) {
        originals_.push_back(weights_[slice.weight].value().detach().clone());
        changed_.push_back(weights_[slice.weight].changed);
    }
}

void Widening::draw(std::uint64_t seed, double noise) {
    // Not LibTorch's generators: they read /dev/urandom on first use, which the sandbox does not allow.
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < slices_.size(); ++i) {
        auto& weight = weights_[slices_[i].weight];
        const auto& original = originals_[i];
        auto slice = original.mean(slices_[i].axis, true);
        if (weight.trained) {
            auto random = at::empty(slice.sizes(), at::TensorOptions(at::kDouble));
            std::generate_n(random.data_ptr<double>(), random.numel(), [&] { return normal(generator); });
            const double spread = (original - slice).to(at::kDouble).pow(2).mean().sqrt().item<double>();
            slice = slice + random.mul(noise * spread).to(slice.options());
        }
        const auto wider = at::cat({original, slice}, slices_[i].axis);
        for (auto& tensor : weight.tensors) tensor.set_data(wider);
        weight.changed = true;
    }
}

void Widening::undo() {
    for (std::size_t i = 0; i < slices_.size(); ++i) {
        auto& weight = weights_[slices_[i].weight];
        for (auto& tensor : weight.tensors) tensor.set_data(originals_[i]);
        weight.changed = changed_[i];
    }
}

bool Widening::is_alive(const Outputs& outputs, Scores scores) const {
    const WithGradients with(weights_);
    const auto rows = log_scores(outputs(), scores);
    if (!rows.requires_grad()) return false;
    const auto gradients = with.gradients(rows.select(1, rows.size(1) - 1).sum());
    return std::ranges::any_of(slices_, [&](const Slices& slice) {
        const auto& gradient = gradients[slice.weight];
        if (!gradient.defined()) return false;
        return gradient.select(slice.axis, -1).abs().max().item<double>() > 0;
    });
}

bool same_scores(const at::Tensor& before, const at::Tensor& after, Scores scores) {
    auto first = after.narrow(1, 0, before.size(1)).to(at::kDouble), old = before.to(at::kDouble);
    if (scores == Scores::probabilities) first = first / first.sum(1, true);
    if (scores == Scores::log_probabilities) first = first - at::logsumexp(first, {1}, true);
    if (!at::isfinite(after).all().item<bool>()) return false;
    const double rounding = 1e-4 * (1 + old.abs().max().item<double>());
    return (first - old).abs().max().item<double>() <= rounding;
}

}  // namespace modelseal::libtorch
