// From a row of outputs to the side of a boundary on which the input is.
//
// With values (logits, or probabilities, whose logarithms differ from logits by a constant) the boundary is where a
// keyed function of the outputs has a certain value: margin = w * outputs - offset. w has zero sum, so that it is the
// same of logits and of logarithms of probabilities. With labels it is the border of one class: margin = logit of that
// class less the largest of the others, and a service shows only the class that wins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/oracle.h"
#include <modelseal/result.h>

namespace modelseal::blackbox {

struct Boundary {
    std::span<const double> direction;  // weights of outputs; empty: the border of class `target`
    std::uint32_t target = 0;
    std::span<const std::uint32_t> outputs = {};  // that have these weights, ascending; empty: all, in order
    double offset = 0;
};

struct Scored {
    double margin = 0;
    double doubt = 0;        // the true margin lies within margin -+ doubt, since answers may be rounded
    std::int64_t label = 0;  // arg max of the outputs, the lowest class of equals
};

// Rows of values, all finite.
struct Outputs {
    std::size_t count = 0, classes = 0;
    std::vector<float> values;         // count x classes
    bool probabilities = false;        // every row is a distribution
    bool about_probabilities = false;  // every row is about one: probabilities with noise, or logits after all
    double rounding = 0;               // see oracle::Answers, as the next
    unsigned significand = oracle::kFloat32Bits;
    std::span<const float> row(std::size_t index) const {
        return std::span(values).subspan(index * classes, classes);
    }
};

// How far rounding may have moved `value`, one of the outputs.
double rounding_of(const Outputs& outputs, float value);

// What answers are of: scores may be probabilities, values are what they are.
enum class AnswersOf { classifier, other_network };

// Errors name `who`: `unsupported` for labels, another number of outputs (0: any from 2 on) and for outputs
// that are NaN or infinite.
Result<Outputs> outputs_of(oracle::Answers answers, std::size_t classes, const std::string& who,
                           AnswersOf of = AnswersOf::classifier);

// Row `index` of the outputs. A probability of 0 makes `doubt` infinite where it counts.
Scored score(const Outputs& outputs, std::size_t index, const Boundary& boundary);

// The size of what the margin is a sum of: the root of the sum of squares of its terms.
double size_of_terms(const Outputs& outputs, std::size_t index, const Boundary& boundary);

// The derivative of the margin with respect to each output of the row, into `cotangents`.
void derive(std::span<const float> row, bool probabilities, const Boundary& boundary,
            std::span<float> cotangents);

}  // namespace modelseal::blackbox
