// A classifier small enough to know everything about: two layers with a smooth bend between them, computed in
// float32, in a summation order that the runtime chooses, as real engines do.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "oracle/network.h"

namespace modelseal::test {

class ToyNetwork final : public oracle::Network {
  public:
    explicit ToyNetwork(unsigned seed, std::size_t classes = 5, std::vector<std::int64_t> shape = {1, 6, 6})
        : input_{"toy", std::move(shape), {}}, classes_(classes) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < kHidden * input_.elements(); ++i) first.push_back(normal(random));
        for (std::size_t i = 0; i < kHidden * classes; ++i) second.push_back(normal(random));
    }

    std::vector<float> first, second;  // weights: hidden x elements, classes x hidden
    bool softmax = false;              // answers are probabilities
    bool no_gradient = false;
    bool unsteady = false;     // answers change from one call to the next
    bool by_range = false;     // inputs are scaled by the largest element of their batch
    float answer_for_all = 0;  // other than 0: every output is this
    std::size_t calls = 0;

    const std::string& name() const override { return name_; }
    const oracle::InputShape& input() const override { return input_; }
    Result<std::size_t> classes() override { return classes_; }
    std::vector<std::string> devices() const override { return {"cpu"}; }
    std::string runtime() const override { return "toy"; }

    Result<oracle::Answers> ask(std::span<const float> inputs, std::size_t count) override {
        return ask_as(inputs, count, {});
    }

    Result<oracle::Answers> ask_as(std::span<const float> inputs, std::size_t count,
                                   const oracle::Runtime& runtime) override {
        ++calls;
        oracle::Answers answers{.count = count, .classes = classes_};
        const auto elements = input_.elements();
        const auto scaled = by_range ? scaled_by_batch(inputs, count, runtime)
                                     : std::vector<float>(inputs.begin(), inputs.end());
        for (std::size_t row = 0; row < count; ++row) {
            const auto logits = run(std::span(scaled).subspan(row * elements, elements), runtime);
            answers.values.insert(answers.values.end(), logits.begin(), logits.end());
        }
        return answers;
    }

    Result<std::vector<float>> gradient(std::span<const float> inputs, std::size_t count,
                                        const oracle::Cotangents& cotangents) override {
        if (no_gradient) return Error{ErrorKind::unsupported, "toy: has no gradient", {}};
        MODELSEAL_TRY_ASSIGN(const auto answers, ask(inputs, count));
        std::vector<float> wanted(count * classes_), gradient(inputs.size());
        cotangents(answers.values, wanted);
        const auto elements = input_.elements();
        for (std::size_t row = 0; row < count; ++row) {
            const auto hidden = bend(inputs.subspan(row * elements, elements), {});
            for (std::size_t h = 0; h < kHidden; ++h) {
                float back = 0;
                for (std::size_t c = 0; c < classes_; ++c) {
                    back += wanted[row * classes_ + c] * second[c * kHidden + h];
                }
                back *= 1 - hidden[h] * hidden[h];
                for (std::size_t i = 0; i < elements; ++i) {
                    gradient[row * elements + i] += back * first[h * elements + i];
                }
            }
        }
        return gradient;
    }

    // A generator that is nothing but its images: they go toward their labels by small steps of sign(gradient).
    Result<void> begin_generator(const oracle::GeneratorOptions& options, std::span<const float> noise,
                                 std::span<const std::int64_t> labels) override {
        generator_ = options;
        labels_.assign(labels.begin(), labels.end());
        images_.clear();
        for (std::size_t row = 0; row < labels.size(); ++row) {
            for (std::size_t i = 0; i < input_.elements(); ++i) {
                const auto z = noise[row * oracle::kGeneratorNoise + i];
                images_.push_back(std::clamp(0.5f + 0.2f * z, options.low, options.high));
            }
        }
        return {};
    }

    Result<oracle::GeneratorStep> generator_step() override {
        oracle::GeneratorStep step;
        const auto pull = [&](std::span<const float> outputs, std::span<float> wanted) {
            for (std::size_t row = 0; row < labels_.size(); ++row) {
                const auto of = outputs.subspan(row * classes_, classes_);
                const auto best = std::ranges::max_element(of) - of.begin();
                const auto label = labels_[row];
                step.matched += best == label ? 1 : 0;
                step.loss += static_cast<double>(of[static_cast<std::size_t>(best)]) -
                             static_cast<double>(of[static_cast<std::size_t>(label)]);
                wanted[row * classes_ + static_cast<std::size_t>(label)] += 1;
                wanted[row * classes_ + static_cast<std::size_t>(best)] -= 1;
            }
        };
        MODELSEAL_TRY_ASSIGN(const auto slope, gradient(images_, labels_.size(), pull));
        for (std::size_t i = 0; i < images_.size(); ++i) {
            const float way = slope[i] > 0 ? 0.01f : slope[i] < 0 ? -0.01f : 0;
            images_[i] = std::clamp(images_[i] + way, generator_.low, generator_.high);
        }
        if (diverges) step.loss = std::nan("");
        return step;
    }

    Result<std::vector<float>> generated() override { return images_; }

    bool diverges = false;  // the training of a generator

  private:
    static constexpr std::size_t kHidden = 16;

    std::vector<float> bend(std::span<const float> input, const oracle::Runtime& runtime) const {
        std::vector<float> hidden;
        for (std::size_t h = 0; h < kHidden; ++h) {
            const auto* weights = first.data() + h * input.size();
            float sum = 0;
            for (std::size_t i = 0; i < input.size(); ++i) {
                const auto at = runtime.batch == 1 || runtime.plain_kernels ? input.size() - 1 - i : i;
                sum += round(weights[at], runtime) * (input[at] - 0.5f);
            }
            hidden.push_back(std::tanh(sum));
        }
        return hidden;
    }

    std::vector<float> scaled_by_batch(std::span<const float> inputs, std::size_t count,
                                       const oracle::Runtime& runtime) const {
        std::vector<float> scaled(inputs.begin(), inputs.end());
        const auto batch = runtime.batch == 0 ? count : runtime.batch;
        for (std::size_t row = 0; row < count; row += batch) {
            const auto rows = std::min(batch, count - row);
            const auto some = std::span(scaled).subspan(row * input_.elements(), rows * input_.elements());
            const float most = std::ranges::max(some);
            for (auto& value : some) value /= most;
        }
        return scaled;
    }

    static float round(float weight, const oracle::Runtime& runtime) {
        return runtime.arithmetic >= oracle::Arithmetic::half_weights
                   ? std::ldexp(std::nearbyint(std::ldexp(weight, 10)), -10)
                   : weight;
    }

    std::vector<float> run(std::span<const float> input, const oracle::Runtime& runtime) {
        const auto hidden = bend(input, runtime);
        std::vector<float> logits;
        for (std::size_t c = 0; c < classes_; ++c) {
            float sum = 0;
            for (std::size_t h = 0; h < kHidden; ++h)
                sum += round(second[c * kHidden + h], runtime) * hidden[h];
            if (unsteady) sum += 1e-3f * static_cast<float>((calls + c) % 3);
            logits.push_back(answer_for_all != 0 ? answer_for_all : sum);
        }
        if (softmax) {
            double total = 0;
            for (const float logit : logits) total += std::exp(static_cast<double>(logit));
            for (auto& logit : logits) logit = static_cast<float>(std::exp(static_cast<double>(logit)) / total);
        }
        return logits;
    }

    std::string name_ = "toy";
    oracle::InputShape input_;
    std::size_t classes_;
    oracle::GeneratorOptions generator_;
    std::vector<std::int64_t> labels_;
    std::vector<float> images_;
};

}  // namespace modelseal::test
