#include "oracle/training.h"

#include <fmt/format.h>

#include "oracle/protocols/worker_network.h"

namespace modelseal::oracle {

Result<void> validate(const TrainingOptions& options) {
    // A comparison with NaN is false.
    const auto within = [](double value, double most) { return value >= 0 && value <= most; };
    if (within(options.rate, 1e6) && within(options.momentum, 1) && within(options.weight_decay, 1e6))
        return {};
    return Error{ErrorKind::usage,
                 fmt::format("the rate {}, the momentum {} or the weight decay {} is out of range",
                             options.rate, options.momentum, options.weight_decay),
                 {}};
}

Result<std::unique_ptr<TrainableNetwork>> open_trainable(const model::Model& files,
                                                         const NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto network, WorkerNetwork::open(files, options));
    MODELSEAL_TRY(network->set_training({}));
    return network;
}

}  // namespace modelseal::oracle
