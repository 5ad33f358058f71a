#include "blackbox/replies.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Error of a runtime that computes in less than float32: the recorded one for half precision, whose
// significand has 11 bits, doubled for each bit less. Unknown without that rung.
double stray_of(std::optional<double> mixed_floor, unsigned significand) {
    if (significand >= oracle::kFloat32Bits) return 0;
    if (!mixed_floor) return std::numeric_limits<double>::infinity();
    const auto missing = static_cast<int>(oracle::kHalfBits) - static_cast<int>(significand);
    return std::ldexp(*mixed_floor, std::max(0, missing));
}

// Noise on probabilities leaves no distributions, whose logarithms would be margins; as logits they mean
// nothing.
bool are_noisy_probabilities(const Outputs& outputs, double jitter) {
    return !outputs.probabilities && outputs.about_probabilities && jitter > 0;
}

}  // namespace

Result<Heard> hear(const Fingerprint& fingerprint, const Replies& replies, std::size_t rows,
                   std::optional<double> mixed_floor, const std::string& who) {
    const auto& answers = replies.answers;
    const auto wrong_count = [&](std::size_t count) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: {} to {}", who, util::counted(count, "answer"), util::counted(rows, "input")),
            {}};
    };
    if (answers.count != rows) return wrong_count(answers.count);
    Heard heard{.jitter = replies.jitter};
    if (fingerprint.access == Access::label && !answers.labels.empty()) {
        if (answers.labels.size() != rows) return wrong_count(answers.labels.size());
        heard.labels = answers.labels;
        heard.stray = stray_of(mixed_floor, answers.significand);
        return heard;
    }
    MODELSEAL_TRY_ASSIGN(heard.outputs,
                         outputs_of(answers, fingerprint.classes, who, fingerprint.answers_of()));
    if (heard.outputs->probabilities && replies.value_jitter > 0) {
        heard.noisy = heard.outputs;
        heard.noisy->rounding += kJitterFactor * replies.value_jitter;
    }
    heard.stray = are_noisy_probabilities(*heard.outputs, replies.jitter)
                      ? std::numeric_limits<double>::infinity()
                      : stray_of(mixed_floor, answers.significand);
    return heard;
}

}  // namespace modelseal::blackbox
