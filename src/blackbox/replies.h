// The answers to the queries of a fingerprint, and what they are worth.
//
// The service decides how coarsely it answers; it cannot thereby be judged by a coarser rung: coarseness counts
// against "intact" (verdict.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blackbox/fingerprint.h"
#include "blackbox/margin.h"

namespace modelseal::blackbox {

inline constexpr double kJitterFactor = 8;  // answers vary by at most this multiple of the measured jitter

struct Replies {
    oracle::Answers answers;  // in the order of Method::queries()
    // The largest difference of a margin between two answers to the same input, beyond what their rounding
    // explains, in units of how noisy the margin is (Query::unit); infinite for labels that changed.
    double jitter = 0;
    double value_jitter = 0;  // the same of the values themselves
    std::size_t queries = 0;  // inputs that were sent
    bool local = false;       // a file answered, which was run here in float32
    // The same runtime as on record answered: then the exact rung counts as well, and must agree in every
    // bit.
    bool same_runtime = false;
};

// Replies that fit a fingerprint.
struct Heard {
    std::optional<Outputs> outputs;  // none: labels
    std::optional<Outputs> noisy;    // of probabilities that vary: the same, off by as much as that
    std::vector<std::int64_t> labels;
    double jitter = 0;
    // Error of answers in less than float32, in addition to their rounding; 0 for float32.
    double stray = 0;
};

// `rows`: of the queries. `mixed_floor`: of the fingerprint's rung mixed, if it has one. `who` answered. Errors:
// `malformed` for another number of answers, and those of outputs_of().
Result<Heard> hear(const Fingerprint& fingerprint, const Replies& replies, std::size_t rows,
                   std::optional<double> mixed_floor, const std::string& who);

}  // namespace modelseal::blackbox
