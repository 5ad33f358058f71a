// A softmax classifier without hidden layers, for tests of training: as much of a network as the stories need.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/training.h"

namespace modelseal::test {

class LinearNetwork final : public oracle::TrainableNetwork {
  public:
    LinearNetwork(std::vector<std::int64_t> shape, std::size_t classes) {
        input_.shape = std::move(shape);
        weights_.assign(classes, std::vector<double>(input_.elements() + 1));
    }

    // What happened, and what is to happen.
    std::vector<std::vector<float>> shown;  // all inputs of train(), in order
    std::vector<std::vector<float>> targets_shown;
    std::vector<std::int64_t> labels_shown;                  // the likeliest class of each
    std::vector<double> rates, means;                        // of set_training()
    std::vector<std::vector<double>> weights_, remembered_;  // a row for each class, the bias last
    int recalls = 0;
    std::optional<std::size_t> loss_is_nan_at;  // number of the step
    bool frozen = false;                        // train() changes nothing

    const std::string& name() const override { return name_; }
    const oracle::InputShape& input() const override { return input_; }
    Result<oracle::Answers> ask(std::span<const float> inputs, std::size_t count) override {
        oracle::Answers answers{.count = count, .classes = weights_.size()};
        for (std::size_t i = 0; i < count; ++i) {
            for (const double value : logits(inputs.subspan(i * input_.elements(), input_.elements())))
                answers.values.push_back(static_cast<float>(value));
        }
        return answers;
    }
    Result<std::size_t> classes() override { return weights_.size(); }
    Result<oracle::Answers> ask_as(std::span<const float> inputs, std::size_t count,
                                   const oracle::Runtime&) override {
        return ask(inputs, count);
    }
    Result<std::vector<float>> gradient(std::span<const float>, std::size_t,
                                        const oracle::Cotangents&) override {
        return Error{ErrorKind::unsupported, "no gradient", {}};
    }
    std::string runtime() const override { return "linear"; }
    std::vector<std::string> devices() const override { return {"cpu"}; }

    Result<void> add_class(std::uint64_t seed) override {
        std::vector<double> row(input_.elements() + 1);
        for (auto& weight : row) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            weight = 1e-3 * (static_cast<double>(seed >> 40) / (1 << 23) - 1);
        }
        weights_.push_back(std::move(row));
        return {};
    }
    Result<void> set_training(const oracle::TrainingOptions& options) override {
        options_ = options;
        rates.push_back(options.rate);
        means.push_back(options.average_over);
        velocity_.assign(weights_.size(), std::vector<double>(input_.elements() + 1));
        return {};
    }
    Result<oracle::TrainedStep> train(std::span<const float> inputs, std::span<const float> targets) override {
        const auto elements = input_.elements();
        oracle::TrainedStep step;
        std::vector<std::vector<double>> gradient(weights_.size(), std::vector<double>(elements + 1));
        const auto count = targets.size() / weights_.size();
        for (std::size_t i = 0; i < count; ++i) {
            const auto target = targets.subspan(i * weights_.size(), weights_.size());
            const auto input = inputs.subspan(i * elements, elements);
            shown.emplace_back(input.begin(), input.end());
            targets_shown.emplace_back(target.begin(), target.end());
            auto slope = logits(input);
            const auto label = static_cast<std::size_t>(std::ranges::max_element(target) - target.begin());
            labels_shown.push_back(static_cast<std::int64_t>(label));
            const auto largest = std::ranges::max_element(slope);
            step.matched += static_cast<std::size_t>(largest - slope.begin()) == label;
            const double shift = *largest;
            double sum = 0;
            for (const double value : slope) sum += std::exp(value - shift);
            for (std::size_t row = 0; row < slope.size(); ++row) {
                step.loss += double{target[row]} * (std::log(sum) - (slope[row] - shift));
                slope[row] = std::exp(slope[row] - shift) / sum - double{target[row]};
            }
            for (std::size_t row = 0; row < slope.size(); ++row) {
                for (std::size_t j = 0; j < elements; ++j) gradient[row][j] += slope[row] * double{input[j]};
                gradient[row][elements] += slope[row];
            }
        }
        step.loss /= static_cast<double>(count);
        if (loss_is_nan_at == steps_++) step.loss = std::nan("");
        if (!frozen) descend(gradient, static_cast<double>(count));
        return step;
    }
    Result<void> remember() override {
        remembered_ = weights_;
        return {};
    }
    Result<void> recall() override {
        weights_ = remembered_;
        ++recalls;
        return {};
    }
    Result<std::vector<std::byte>> save() override { return Error{ErrorKind::unsupported, "no file", {}}; }

  private:
    std::vector<double> logits(std::span<const float> input) const {
        std::vector<double> values;
        for (const auto& row : weights_) {
            double sum = row.back();
            for (std::size_t i = 0; i < input.size(); ++i) sum += row[i] * double{input[i]};
            values.push_back(sum);
        }
        return values;
    }
    void descend(const std::vector<std::vector<double>>& gradient, double count) {
        for (std::size_t row = 0; row < weights_.size(); ++row) {
            for (std::size_t i = 0; i < weights_[row].size(); ++i) {
                auto& velocity = velocity_[row][i];
                velocity = options_.momentum * velocity + gradient[row][i] / count +
                           options_.weight_decay * weights_[row][i];
                weights_[row][i] -= options_.rate * velocity;
            }
        }
    }

    std::string name_ = "linear";
    oracle::InputShape input_;
    oracle::TrainingOptions options_;
    std::vector<std::vector<double>> velocity_;
    std::size_t steps_ = 0;
};

}  // namespace modelseal::test
