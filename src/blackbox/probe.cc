#include "blackbox/probe.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::blackbox {
namespace {

// d pixel: the model is given (pixel - mean) / std.
void undo_scale(const Input& input, std::span<float> gradient) {
    if (input.std.empty()) return;
    const auto elements = input.shape.elements();
    const auto plane = elements / input.std.size();
    for (std::size_t at = 0; at < gradient.size(); ++at) {
        gradient[at] /= input.std[at % elements / plane];
    }
}

}  // namespace

Result<Outputs> Probe::outputs(std::vector<float> pixels) {
    return outputs_as(std::move(pixels), {.batch = batch_});
}

Result<Outputs> Probe::outputs_as(std::vector<float> pixels, oracle::Runtime runtime) {
    const auto count = pixels.size() / elements();
    normalise(input_, pixels);
    evaluations_ += count;
    MODELSEAL_TRY_ASSIGN(auto answers, network_.ask_as(pixels, count, runtime));
    return outputs_of(std::move(answers), classes_, network_.name(), of_);
}

Result<std::vector<Scored>> Probe::score(std::vector<float> pixels, std::span<const Boundary> boundaries) {
    MODELSEAL_TRY_ASSIGN(const auto out, outputs(std::move(pixels)));
    std::vector<Scored> scored(out.count);
    for (std::size_t row = 0; row < out.count; ++row) {
        scored[row] = blackbox::score(out, row, boundaries[row]);
    }
    return scored;
}

Result<std::vector<float>> Probe::gradient(std::vector<float> pixels, const oracle::Cotangents& cotangents) {
    const auto count = pixels.size() / elements();
    normalise(input_, pixels);
    evaluations_ += 3 * count;
    MODELSEAL_TRY_ASSIGN(auto gradient, network_.gradient(pixels, count, cotangents));
    undo_scale(input_, gradient);
    return gradient;
}

Result<std::vector<oracle::CoveredWeights>> Probe::coverage(std::vector<float> pixels,
                                                            std::span<const float> cotangents, double change,
                                                            std::span<const oracle::Noticing> ways) {
    const auto count = pixels.size() / elements();
    normalise(input_, pixels);
    evaluations_ += 3 * count;
    return network_.coverage(
        {.inputs = pixels, .cotangents = cotangents, .count = count, .change = change, .ways = ways});
}

Result<Probe::Slopes> Probe::slopes(std::vector<float> pixels, std::span<const Boundary> boundaries) {
    Slopes slopes;
    std::optional<Error> error;
    const auto margins = [&](std::span<const float> values, std::span<float> cotangents) {
        const auto first = slopes.at.size();  // a network may cut a large batch and call once a piece
        auto out = outputs_of(
            {.count = values.size() / classes_, .classes = classes_, .values = {values.begin(), values.end()}},
            classes_, network_.name(), of_);
        if (!out) {
            error = out.error();
            return;
        }
        for (std::size_t row = 0; row < out->count; ++row) {
            const auto& boundary = boundaries[first + row];
            slopes.at.push_back(blackbox::score(*out, row, boundary));
            derive(out->row(row), out->probabilities, boundary, cotangents.subspan(row * classes_, classes_));
        }
    };
    auto gradient = this->gradient(std::move(pixels), margins);
    if (error) return *error;
    if (!gradient) return gradient.error();
    slopes.gradient = std::move(*gradient);
    return slopes;
}

}  // namespace modelseal::blackbox
