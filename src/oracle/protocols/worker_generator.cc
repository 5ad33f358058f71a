// The part of WorkerNetwork that has the worker train a generator of triggers.
#include <algorithm>

#include "oracle/protocols/worker_answers.h"
#include "oracle/protocols/worker_network.h"

namespace modelseal::oracle {

Result<void> WorkerNetwork::begin_generator(const GeneratorOptions& options, std::span<const float> noise,
                                            std::span<const std::int64_t> labels) {
    generator_.reset();
    MODELSEAL_TRY_ASSIGN(const auto classes, this->classes());
    MODELSEAL_TRY(check_generator(options, noise, labels, input_, classes, name_));
    std::vector<float> behind(labels.begin(), labels.end());  // exact: there are at most kMostWorkerClasses
    behind.insert(behind.end(), options.mean.begin(), options.mean.end());
    behind.insert(behind.end(), options.std.begin(), options.std.end());
    MODELSEAL_TRY(share(noise, behind.size()));
    std::ranges::copy(behind, memory_.floats().subspan(noise.size()).begin());
    MODELSEAL_TRY(exchange({{"do", "generator"},
                            {"count", labels.size()},
                            {"means", options.mean.size()},
                            {"stds", options.std.size()},
                            {"width", options.width},
                            {"classification", options.classification},
                            {"variance", options.variance},
                            {"rate", options.rate},
                            {"seed", options.seed},
                            {"low", options.low},
                            {"high", options.high}}));
    generator_ = {.triggers = labels.size(), .low = options.low, .high = options.high};
    return {};
}

Result<GeneratorStep> WorkerNetwork::generator_step() {
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "generator_step"}}));
    const auto step = read_generator_step(answer, generator_ ? generator_->triggers : 0);
    if (!step) return broken("a step of the generator");
    return *step;
}

Result<std::vector<float>> WorkerNetwork::generated() {
    const auto size = (generator_ ? generator_->triggers : 0) * input_.elements();
    MODELSEAL_TRY(share({}, size));
    MODELSEAL_TRY(exchange({{"do", "generated"}}));
    const auto shared = memory_.floats().first(size);
    std::vector<float> images(shared.begin(), shared.end());  // before they are looked at
    const auto fits = [this](float value) { return value >= generator_->low && value <= generator_->high; };
    if (!generator_ || !std::ranges::all_of(images, fits)) return broken("generated images");
    return images;
}

}  // namespace modelseal::oracle
