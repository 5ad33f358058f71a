// A network that is changed: fine-tuned, given one more class, and written back in its own format.
//
// It runs in the worker as every network does (network.h). The caller has the data, the schedule and the
// progress; the worker has the weights and the arithmetic. Thread safety: one call at a time on one object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oracle/network.h"

namespace modelseal::oracle {

// Stochastic gradient descent with momentum (Sutskever et al. 2013, without dampening), as torch.optim.SGD.
struct TrainingOptions {
    double rate = 1e-2;       // 0 to 1e6
    double momentum = 0.9;    // 0 to 1
    double weight_decay = 0;  // 0 to 1e6; of all weights, as in torch.optim.SGD
    double average_over = 0;  // steps, 0 to 1e9; 0: train() leaves the weights of its step
};

// Error `usage` for a number that is out of range or not one.
Result<void> validate(const TrainingOptions& options);

struct TrainedStep {
    double loss = 0;  // mean cross-entropy of the batch before the step; may be NaN or infinite
    std::uint64_t matched =
        0;  // inputs of the batch whose largest output was their largest target, before the step
};

// Targets for labels: probability 1 for each input's label. Precondition: 0 <= label < classes.
std::vector<float> one_hot(std::span<const std::int64_t> labels, std::size_t classes);

// How many inputs `targets` are for. Error `usage` unless they are one row or more of `classes` probabilities, each row
// with a sum of 1 up to 1e-3. `name`: of the network, for the message.
Result<std::size_t> check_targets(const std::string& name, std::span<const float> targets, std::size_t classes);

// What is trained: the parameters of a TorchScript module; of an ONNX graph the constants that are weights and
// biases of convolutions and products, scale and shift of normalizations, and slopes of PRelu. The rest stays,
// statistics of batch normalization included.
//
// An ONNX file is read again by the first of these calls, and by save(): files.unchanged() after save() proves
// that it was the same file all the time.
class TrainableNetwork : public Network {
  public:
    // Gives the last layer one more output, the last one. Its weights are the mean of those of the other
    // classes, plus small noise from `seed`, so that its score is near their mean. The other outputs stay what
    // they were, up to a common factor where the network ends in softmax. Forgets the momentum and what was
    // remembered. Error `unsupported`, and nothing changes, if no last layer can be found, or the network does
    // not work with a wider one. classes() is one more afterwards.
    virtual Result<void> add_class(std::uint64_t seed) = 0;

    // Trains from the next train() on with these; forgets the momentum, and nothing else. Weights that no gradient
    // reaches stay what they are. Error `unsupported` if none can be trained.
    virtual Result<void> set_training(const TrainingOptions& options) = 0;

    // One step on one batch: `inputs` as for ask(), and for each the probabilities of all classes that the outputs are
    // drawn to. The same calls from the same file give the same weights on the same runtime. Error `usage` as of
    // check_targets(). Weights that became NaN are not an error: the loss shows them.
    //
    // With TrainingOptions::average_over, ask(), remember() and save() see the mean of the weights w that training comes by,
    //     n <- min(n + 1/4, average_over),  a <- a + (w - a) / max(n, 1),  n = 1 and a = w at first,
    // and train() goes on from those of its last step. A mean over many steps has less of the noise of single ones
    // (Polyak, Juditsky: "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30, 1992).
    virtual Result<TrainedStep> train(std::span<const float> inputs, std::span<const float> targets) = 0;

    // Remembers all weights, and goes back to those that were remembered last, without momentum, and without those before
    // in a mean. Error `usage` if none were.
    virtual Result<void> remember() = 0;
    virtual Result<void> recall() = 0;

    // The model as a file in its own format, with the weights that it has now, rounded to the types that they
    // have in the file: for ONNX the same graph in one file, for TorchScript an archive that LibTorch 1.13 and
    // 2.x load. Weights that were not trained keep every bit. Error `unsupported` beyond
    // NetworkOptions::max_bytes, and for an ONNX file of 2 GiB.
    virtual Result<std::vector<std::byte>> save() = 0;
};

// As open_network(). Error `unsupported` too for a network that has no gradient; ready for train() with the
// default options.
Result<std::unique_ptr<TrainableNetwork>> open_trainable(const model::Model& files,
                                                         const NetworkOptions& options);

}  // namespace modelseal::oracle
