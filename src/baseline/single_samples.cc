#include "baseline/single_samples.h"

#include <algorithm>
#include <cmath>

namespace modelseal::baseline {
namespace {

constexpr unsigned kPixelLevels = 1u << 24;  // random pixels: every float32 of a uniform generator
constexpr double kLeastOutput = 1e-30;       // below it a probability has no logarithm with a slope

// The outputs of one input on a logarithmic scale, and their unbiased variance.
struct Spread {
    std::vector<double> logits;
    double mean = 0, variance = 0;
};

Spread spread_of(std::span<const float> row, bool probabilities) {
    Spread spread;
    for (const float output : row) {
        const auto value = static_cast<double>(output);
        spread.logits.push_back(probabilities ? std::log(std::max(value, kLeastOutput)) : value);
        spread.mean += spread.logits.back() / static_cast<double>(row.size());
    }
    for (const double logit : spread.logits)
        spread.variance += (logit - spread.mean) * (logit - spread.mean) / static_cast<double>(row.size() - 1);
    return spread;
}

void derive_variance(std::span<const float> row, bool probabilities, std::span<float> cotangents) {
    const auto spread = spread_of(row, probabilities);
    for (std::size_t c = 0; c < row.size(); ++c) {
        const double slope = 2 * (spread.logits[c] - spread.mean) / static_cast<double>(row.size() - 1);
        const double inner = probabilities ? std::max(static_cast<double>(row[c]), kLeastOutput) : 1;
        cotangents[c] = static_cast<float>(slope / inner);
    }
}

class Descent {
  public:
    Descent(blackbox::Probe& probe, const SamplePlan& plan, bool activates)
        : probe_(probe), plan_(plan), activates_(activates) {}

    Result<SingleSamples> run(const blackbox::Keyed& keyed, Progress& progress) {
        start(keyed);
        MODELSEAL_TRY_ASSIGN(const auto first, probe_.outputs(samples_.pixels));
        probabilities_ = first.probabilities;
        samples_.evaluations += plan_.count;
        for (unsigned step = 0; step < plan_.steps; ++step) {
            MODELSEAL_TRY(descend());
            progress.advance(1);
        }
        MODELSEAL_TRY(record());
        return std::move(samples_);
    }

  private:
    void start(const blackbox::Keyed& keyed) {
        const auto& input = probe_.input();
        for (std::size_t row = 0; row < plan_.count; ++row) {
            for (const float level : keyed.start(row, probe_.elements(), kPixelLevels)) {
                const float part = level / static_cast<float>(kPixelLevels);
                samples_.pixels.push_back(input.low + (input.high - input.low) * part);
            }
        }
    }

    // The derivative of the objective by the pixels.
    Result<std::vector<float>> slope() {
        const auto classes = probe_.classes();
        const auto variance = [&](std::span<const float> outputs, std::span<float> cotangents) {
            for (std::size_t at = 0; at < outputs.size(); at += classes)
                derive_variance(outputs.subspan(at, classes), probabilities_, cotangents.subspan(at, classes));
        };
        samples_.evaluations += 3 * plan_.count;
        if (!activates_) return probe_.gradient(samples_.pixels, variance);
        auto inputs = samples_.pixels;
        blackbox::normalise(probe_.input(), inputs);
        MODELSEAL_TRY_ASSIGN(
            auto found, probe_.network().activated_gradient(inputs, plan_.count, variance, -plan_.activation));
        samples_.activations = std::move(found.activation);
        undo_scale(found.gradient);
        return std::move(found.gradient);
    }

    // The network is given (pixel - mean) / std.
    void undo_scale(std::span<float> gradient) const {
        const auto& std = probe_.input().std;
        if (std.empty()) return;
        const auto plane = probe_.elements() / std.size();
        for (std::size_t at = 0; at < gradient.size(); ++at)
            gradient[at] /= std[at % probe_.elements() / plane];
    }

    Result<void> descend() {
        MODELSEAL_TRY_ASSIGN(const auto gradient, slope());
        const auto& input = probe_.input();
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            auto& pixel = samples_.pixels[i];
            const auto moved = static_cast<double>(pixel) - plan_.rate * static_cast<double>(gradient[i]);
            if (std::isfinite(moved)) pixel = std::clamp(static_cast<float>(moved), input.low, input.high);
        }
        return {};
    }

    Result<void> record() {
        MODELSEAL_TRY_ASSIGN(const auto outputs, probe_.outputs(samples_.pixels));
        samples_.evaluations += plan_.count;
        for (std::size_t row = 0; row < outputs.count; ++row) {
            const auto values = outputs.row(row);
            samples_.labels.push_back(std::ranges::max_element(values) - values.begin());
            samples_.variances.push_back(spread_of(values, probabilities_).variance);
        }
        return {};
    }

    blackbox::Probe& probe_;
    const SamplePlan& plan_;
    bool activates_, probabilities_ = false;
    SingleSamples samples_;
};

}  // namespace

Result<SingleSamples> dbi_samples(blackbox::Probe& probe, const blackbox::Keyed& keyed, const SamplePlan& plan,
                                  Progress& progress) {
    return Descent(probe, plan, false).run(keyed, progress);
}

Result<SingleSamples> aid_samples(blackbox::Probe& probe, const blackbox::Keyed& keyed, const SamplePlan& plan,
                                  Progress& progress) {
    return Descent(probe, plan, true).run(keyed, progress);
}

}  // namespace modelseal::baseline
