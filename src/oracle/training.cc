#include "oracle/training.h"

#include <cmath>

#include <fmt/format.h>

#include "oracle/protocols/worker_network.h"

namespace modelseal::oracle {

Result<void> validate(const TrainingOptions& options) {
    // A comparison with NaN is false.
    const auto within = [](double value, double most) { return value >= 0 && value <= most; };
    if (within(options.rate, 1e6) && within(options.momentum, 1) && within(options.weight_decay, 1e6) &&
        within(options.average_over, 1e9))
        return {};
    return Error{
        ErrorKind::usage,
        fmt::format("the rate {}, the momentum {}, the weight decay {} or a mean of {} steps is out of range",
                    options.rate, options.momentum, options.weight_decay, options.average_over),
        {}};
}

std::vector<float> one_hot(std::span<const std::int64_t> labels, std::size_t classes) {
    std::vector<float> targets(labels.size() * classes);
    for (std::size_t i = 0; i < labels.size(); ++i)
        targets[i * classes + static_cast<std::size_t>(labels[i])] = 1;
    return targets;
}

Result<std::size_t> check_targets(const std::string& name, std::span<const float> targets,
                                  std::size_t classes) {
    constexpr double kSlack = 1e-3;
    const auto refused = [&](const std::string& what) {
        return Error{ErrorKind::usage, fmt::format("{}: {}", name, what), {}};
    };
    if (targets.empty() || targets.size() % classes != 0)
        return refused(fmt::format("{} targets for {} classes", targets.size(), classes));
    for (std::size_t row = 0; row < targets.size() / classes; ++row) {
        double sum = 0;
        for (const float target : targets.subspan(row * classes, classes)) {
            // A comparison with NaN is false.
            if (!(target >= 0 && target <= 1)) return refused(fmt::format("a target of {}", target));
            sum += double{target};
        }
        if (!(std::abs(sum - 1) <= kSlack)) return refused(fmt::format("targets with a sum of {}", sum));
    }
    return targets.size() / classes;
}

Result<std::unique_ptr<TrainableNetwork>> open_trainable(const model::Model& files,
                                                         const NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto network, WorkerNetwork::open(files, options));
    MODELSEAL_TRY(network->set_training({}));
    return network;
}

}  // namespace modelseal::oracle
