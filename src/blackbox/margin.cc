
#include "blackbox/margin.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "oracle/precision.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Sums of float32 probabilities are off by rounding only; those of logits are never so close to 1 in every row.
constexpr double kSumTolerance = 1e-3;

bool is_distribution(std::span<const float> row, double rounding) {
    double sum = 0;
    for (const float value : row) {
        if (value < 0) return false;
        sum += static_cast<double>(value);
    }
    return std::abs(sum - 1) <= kSumTolerance + rounding * static_cast<double>(row.size());
}

bool is_about_distribution(std::span<const float> row) {
    constexpr double kOff = 0.25;
    double sum = 0;
    for (const float value : row) {
        const auto exact = static_cast<double>(value);
        if (exact < -kOff || exact > 1 + kOff) return false;
        sum += exact;
    }
    return std::abs(sum - 1) <= kOff;
}

// The value on a logarithmic scale up to a constant of the row, and how far it may be off.
struct Logit {
    double value, doubt;
};
Logit logit(float output, const Outputs& outputs) {
    const auto value = static_cast<double>(output);
    const double rounding = rounding_of(outputs, output);
    if (!outputs.probabilities) return {value, rounding};
    if (value <= rounding) {
        return {std::log(std::max(value, std::numeric_limits<double>::min())),
                std::numeric_limits<double>::infinity()};
    }
    return {std::log(value), rounding / (value - rounding)};
}

std::size_t arg_max(std::span<const float> row) {
    return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

std::size_t rival(std::span<const float> row, std::size_t target) {
    std::size_t best = target == 0 ? 1 : 0;
    for (std::size_t index = 0; index < row.size(); ++index) {
        if (index != target && row[index] > row[best]) best = index;
    }
    return best;
}

// Every output that counts, with its weight.
template <class Term>
void each_term(std::span<const float> row, const Boundary& boundary, const Term& term) {
    if (boundary.direction.empty()) {
        term(boundary.target, 1.0);
        term(rival(row, boundary.target), -1.0);
        return;
    }
    for (std::size_t i = 0; i < boundary.direction.size(); ++i)
        term(boundary.outputs.empty() ? i : boundary.outputs[i], boundary.direction[i]);
}

}  // namespace

double rounding_of(const Outputs& outputs, float value) {
    return oracle::rounding_of(value, outputs.rounding, outputs.significand);
}

Result<Outputs> outputs_of(oracle::Answers answers, std::size_t classes, const std::string& who, AnswersOf of) {
    if (answers.values.empty()) {
        return Error{ErrorKind::unsupported, who + ": the answers are labels; output values are needed",
                     "make a fingerprint for labels for such a service", Remedy::use_label_access};
    }
    const bool fits = classes == 0 ? answers.classes >= 2 : answers.classes == classes;
    if (!fits || answers.values.size() != answers.count * answers.classes) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {} per input, {} expected", who, util::counted(answers.classes, "output"),
                                 classes == 0 ? "at least 2" : std::to_string(classes)),
                     of == AnswersOf::classifier
                         ? "a fingerprint needs the outputs of a classifier, one for each class"
                         : "this fingerprint is of all outputs of the network"};
    }
    const auto bad = std::ranges::find_if(answers.values, [](float value) { return !std::isfinite(value); });
    if (bad != answers.values.end()) {
        const auto at = static_cast<std::size_t>(bad - answers.values.begin());
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: output {} of answer {} is {}", who, at % answers.classes,
                                 at / answers.classes, *bad),
                     "give the range of the inputs that the model was trained for", Remedy::give_input_range};
    }
    Outputs out{.count = answers.count,
                .classes = answers.classes,
                .values = std::move(answers.values),
                .probabilities = of == AnswersOf::classifier,
                .about_probabilities = of == AnswersOf::classifier,
                .rounding = answers.rounding,
                .significand = answers.significand};
    // What computes in a narrow format is off by more than each value is rounded by: as if each were as large as the largest.
    float largest = 0;
    for (const float value : out.values) largest = std::max(largest, std::abs(value));
    const double rounding = out.rounding + static_cast<double>(largest) * oracle::half_step(1, out.significand);
    for (std::size_t index = 0; index < out.count; ++index) {
        const auto row = out.row(index);
        out.probabilities = out.probabilities && is_distribution(row, rounding);
        out.about_probabilities = out.about_probabilities && is_about_distribution(row);
    }
    return out;
}

Scored score(const Outputs& outputs, std::size_t index, const Boundary& boundary) {
    const auto row = outputs.row(index);
    Scored scored{.label = static_cast<std::int64_t>(arg_max(row))};
    const auto term = [&](std::size_t at, double weight) {
        if (weight == 0) return;
        const auto [value, doubt] = logit(row[at], outputs);
        scored.margin += weight * value;
        scored.doubt += std::abs(weight) * doubt;
    };
    each_term(row, boundary, term);
    scored.margin -= boundary.offset;
    return scored;
}

double size_of_terms(const Outputs& outputs, std::size_t index, const Boundary& boundary) {
    const auto row = outputs.row(index);
    double square = 0;
    each_term(row, boundary, [&](std::size_t at, double weight) {
        const double term = weight == 0 ? 0 : weight * logit(row[at], outputs).value;
        square += term * term;
    });
    return std::sqrt(square);
}

void derive(std::span<const float> row, bool probabilities, const Boundary& boundary,
            std::span<float> cotangents) {
    const auto term = [&](std::size_t at, double weight) {
        const auto value = std::max(static_cast<double>(row[at]), 1e-30);
        cotangents[at] = static_cast<float>(probabilities ? weight / value : weight);
    };
    each_term(row, boundary, term);
}

}  // namespace modelseal::blackbox
