// The half of ModuleNetwork that changes the network.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "torch/errors.h"
#include "torch/last_layer.h"
#include "torch/module_network.h"
#include "torch/patternless.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::size_t kTrials = 4;  // inputs that show what a layer does

Error not_trainable(const std::string& name, const std::string& what) {
    return {ErrorKind::unsupported, fmt::format("{}: {}", name, what), {}};
}

std::vector<float> trial_inputs(std::size_t elements) {
    std::vector<float> inputs(kTrials * elements);
    Patternless numbers(7);
    for (auto& value : inputs) value = numbers.next();
    return inputs;
}

}  // namespace

// The outputs for all inputs; differentiable if gradients are on.
at::Tensor ModuleNetwork::all_rows(std::span<const float> inputs, std::size_t count, const Way& way) {
    std::vector<at::Tensor> parts;
    const auto step = at_once(count, 0, kElementsAtOnce);
    for (std::size_t first = 0; first < count; first += step) {
        const auto some = std::min(step, count - first);
        parts.push_back(rows(batch_of(inputs, first, some, way)).narrow(0, 0, static_cast<std::int64_t>(some)));
    }
    return at::cat(parts);
}

Result<void> ModuleNetwork::prepare() {
    if (!weights_.empty()) return {};
    MODELSEAL_TRY(probe());
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    return guarded(name_, [&]() -> Result<void> {
        const at::NoGradGuard no_gradients;
        const Switches switches(as.threads, false, false);
        MODELSEAL_TRY_ASSIGN(auto found, weights());
        const auto trained = std::ranges::count_if(found, &Weight::trained);
        if (trained == 0) {
            return not_trainable(name_,
                                 "has no weights that can be trained; they are quantized, or part of its code");
        }
        for (const auto& weight : found) {
            if (!weight.trained || weight.value().is_non_overlapping_and_dense()) continue;
            return not_trainable(name_, fmt::format("the elements of the weight '{}' share memory",
                                                    util::printable(weight.name)));
        }
        scores_ = kind_of_scores(all_rows(trial_inputs(input_.elements()), kTrials, as));
        weights_ = std::move(found);
        return {};
    });
}

Result<void> ModuleNetwork::add_class(std::uint64_t seed) {
    MODELSEAL_TRY(classes());
    MODELSEAL_TRY(prepare());
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    MODELSEAL_TRY(guarded(name_, [&] { return widen(seed, as); }));
    ++classes_;
    remembered_.clear();
    if (descent_) descent_->forget();
    mean_.forget();
    return {};
}

Result<void> ModuleNetwork::widen(std::uint64_t seed, const Way& way) {
    const at::NoGradGuard no_gradients;
    const Switches switches(way.threads, false, false);
    const auto inputs = trial_inputs(input_.elements());
    const Outputs outputs = [&] { return all_rows(inputs, kTrials, way); };
    const auto before = outputs();
    Widening widening(weights_, find_last_layer(weights_, outputs, scores_));
    if (widening.slices().empty()) {
        return not_trainable(name_, fmt::format("found no last layer: no weights that belong to one of the {} "
                                                "classes each",
                                                before.size(1)));
    }
    std::set<std::string> names;
    for (const auto& slice : widening.slices()) names.insert(weights_[slice.weight].name);
    Error failed = not_trainable(name_, "");
    try {
        adapt(names, static_cast<std::size_t>(before.size(1)));
        // A unit that is off for every input (ReLU) could never be trained: then more noise.
        for (const double noise : {0.1, 0.2, 0.5, 1.0, 2.0}) {
            widening.draw(seed, noise);
            const auto after = outputs();
            if (after.size(1) != before.size(1) + 1 || !same_scores(before, after, scores_)) {
                failed.message = fmt::format("{}: with a wider last layer the other outputs change", name_);
                break;
            }
            const at::AutoGradMode gradients(true);
            if (widening.is_alive(outputs, scores_)) {
                adapted();
                return {};
            }
            failed.message = fmt::format("{}: the output of a new class does not depend on its weights", name_);
        }
    } catch (...) {
        failed.message = fmt::format("{} (with one more class)", caught(name_).message);
    }
    widening.undo();
    unadapt();
    return failed;
}

// One step back and forth, so that a network that cannot be trained is refused before the first real step.
Result<void> ModuleNetwork::check_gradient(const Way& way) {
    const at::AutoGradMode gradients(true);
    const Switches switches(way.threads, false, false);
    const WithGradients with(weights_);
    const auto output = all_rows(trial_inputs(input_.elements()), kTrials, way);
    auto targets = at::zeros_like(output);
    targets.select(1, 0).fill_(1);
    const auto loss = summed_loss(output, targets, scores_);
    const auto defined = [](const at::Tensor& gradient) { return gradient.defined(); };
    if (loss.requires_grad() && std::ranges::any_of(with.gradients(loss), defined)) return {};
    return not_trainable(name_, "has no gradient with respect to its weights");
}

Result<void> ModuleNetwork::set_training(const oracle::TrainingOptions& options) {
    MODELSEAL_TRY(oracle::validate(options));
    MODELSEAL_TRY(classes());
    MODELSEAL_TRY(prepare());
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    MODELSEAL_TRY(guarded(name_, [&] { return check_gradient(as); }));
    descent_.emplace(options);
    if (options.average_over == 0) mean_.forget();
    return {};
}

Result<oracle::TrainedStep> ModuleNetwork::train(std::span<const float> inputs,
                                                 std::span<const float> targets) {
    if (!descent_) return Error{ErrorKind::usage, "training has not been set up", {}};
    MODELSEAL_TRY_ASSIGN(const auto count, oracle::check_targets(name_, targets, classes_));
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    return guarded(name_, [&]() -> Result<oracle::TrainedStep> {
        const Switches switches(as.threads, false, false);
        const auto average_over = descent_->options().average_over;
        if (average_over != 0) mean_.enter(weights_);
        oracle::TrainedStep step;
        std::vector<at::Tensor> slopes(weights_.size());
        // In parts, of which the gradients are added: no network here looks at other inputs of its batch.
        const auto some = at_once(count, 0, kElementsAtOnce);
        for (std::size_t first = 0; first < count; first += some) {
            const auto part = std::min(some, count - first);
            const at::AutoGradMode gradients(true);
            const WithGradients with(weights_);
            const auto output =
                rows(batch_of(inputs, first, part, as)).narrow(0, 0, static_cast<std::int64_t>(part));
            auto wanted = at::empty(output.sizes(), at::TensorOptions(at::kFloat));
            std::ranges::copy(targets.subspan(first * classes_, part * classes_), wanted.data_ptr<float>());
            wanted = wanted.to(as.device);
            const auto loss = summed_loss(output, wanted, scores_) / static_cast<double>(count);
            step.loss += loss.item<double>();
            step.matched +=
                static_cast<std::uint64_t>((output.argmax(1) == wanted.argmax(1)).sum().item<std::int64_t>());
            auto found = with.gradients(loss);
            for (std::size_t i = 0; i < slopes.size(); ++i) {
                if (!found[i].defined()) continue;
                slopes[i] = slopes[i].defined() ? slopes[i].add_(found[i]) : std::move(found[i]);
            }
        }
        descent_->step(weights_, slopes);
        if (average_over != 0) mean_.leave(weights_, average_over);
        return step;
    });
}

Result<void> ModuleNetwork::remember() {
    MODELSEAL_TRY(prepare());
    return guarded(name_, [&]() -> Result<void> {
        remembered_ = copies_of(weights_);
        return {};
    });
}

Result<void> ModuleNetwork::recall() {
    if (remembered_.empty()) return Error{ErrorKind::usage, "no weights have been remembered", {}};
    return guarded(name_, [&]() -> Result<void> {
        const at::NoGradGuard no_gradients;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (weights_[i].trained) weights_[i].tensors.front().copy_(remembered_[i]);
        }
        if (descent_) descent_->forget();
        mean_.forget();
        return {};
    });
}

Result<std::vector<std::byte>> ModuleNetwork::save() {
    MODELSEAL_TRY(prepare());
    return guarded(name_, [&] { return file(weights_); });
}

}  // namespace modelseal::libtorch
