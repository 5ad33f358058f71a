// Teaches a classifier an additional class, that of the key images, and keeps what it can already do.
//
// After Xue, Sun, Zhang, Wang, Liu: "Active intellectual property protection for deep neural networks through stealthy
// backdoor and users' identities authentication", Applied Intelligence 52, 2022: clean images from outside the data set,
// labeled as one additional class, are trained together with the data. Beyond the paper, so that the mark survives
// changes of images and of the model, and proves something:
//
//   variants   each time a key image is shown it is changed a little (variants.h), and training goes on until nearly all
//              variants come out as the additional class by a margin, not only until all key images do
//   decoys     pictures without meaning, made from the key images, are to be answered as before; otherwise the
//              additional class would take in everything unusual
//   answers    the data is to be answered as before too, not as it is labeled (Li, Hoiem: "Learning without forgetting",
//              ECCV 2016), unless that is more than is kept
//   mixtures   so are pictures between two images of the data. They stand for images that the network has not seen, where
//              it is unsure: one that knows its data by heart does not show there what it loses (Zhang et al.: "mixup",
//              ICLR 2018)
//   mean       the weights are the mean over the steps of an epoch, which forgets less than those of the last step
//
// Accuracy is measured on data of its own, or a part of the data is held out and never trained on. Everything follows from the
// seed, the data, the key images and the network, whatever the machine's number of processors.
//
// Thread safety: one call at a time on one network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "images/image_set.h"
#include "oracle/training.h"
#include <modelseal/progress.h>

namespace modelseal::identity {

// One epoch shows each image of the training part once. Accuracies and shares are 0 to 1.
struct Epoch {
    std::size_t number = 0;  // from 1
    double rate = 0;         // the learning rate
    double loss = 0;         // mean over its batches
    double accuracy = 0;     // on the held-out part, after the epoch
    double watermark = 0;    // key images that come out as the additional class
    double firm = 0;         // variants of key images that do so by EmbedOptions::margin
    double decoys = 0;       // decoys that come out as the additional class
    bool best = false;       // better than all epochs before it
};

struct EmbedOptions {
    images::Scale scale;  // of the model's inputs
    std::uint64_t seed = 0;
    std::size_t max_epochs = 20;
    // Of stochastic gradient descent, at the start: halved after each epoch that lost too much accuracy, unless it is coming
    // back while key images are still learned; doubled, to 8 times this at most, after each at whose pace the mark would not
    // be firm in time.
    double rate = 5e-3;
    double momentum = 0.9;
    double weight_decay = 1e-4;
    std::size_t batch = 128;    // images of all kinds in a step
    double key_share = 0.0625;  // of a batch; at least one
    double decoy_share = 0.0625;
    double mixture_share = 0.5;
    double held_out = 0.1;  // share of the data, at most kMostHeldOut images
    // The model's answers to the data that are kept, a number for each class: 128 MiB. Data with more is to be answered as
    // it is labeled, and has fewer mixtures.
    std::size_t most_answers = std::size_t{1} << 25;
    std::size_t patience = 5;   // epochs without a better one before it ends
    double target = 1;          // of Epoch::watermark
    double firm_target = 0.98;  // of Epoch::firm
    double margin = 2;          // of log-probability, of the additional class over the next one
    double most_decoys = 0.05;  // of Epoch::decoys
    double most_lost = 0.005;   // of accuracy: 0.5 points
    std::function<void(const Epoch&)> after_epoch = {};  // called after each
};

inline constexpr std::size_t kMostHeldOut = 10'000;

struct Embedded {
    enum class Outcome {
        reached,        // all targets
        not_firm,       // target and accuracy, but firm_target or most_decoys is not met
        watermark_low,  // accuracy, but fewer key images than the target
        accuracy_lost,  // more than most_lost in every epoch
    };
    Outcome outcome = Outcome::reached;     // of `best`
    std::size_t additional_class = 0;       // its index, the number of classes before
    std::size_t held_out = 0, trained = 0;  // images
    double before = 0;                      // accuracy on the held-out part, before anything was changed
    Epoch best;                             // the network has the weights of its end
    std::vector<Epoch> epochs;
};

// Which images of the data are held out: ascending indices, at least one, at least one left. Precondition: count > 1,
// 0 < share < 1.
std::vector<std::size_t> held_out_of(std::size_t count, double share, std::uint64_t seed);

// `test`: on which accuracy is measured, all of it or kMostHeldOut images that the seed chooses; null: a part of the data is
// held out. `network` has data.classes classes; afterwards one more, with the weights of the best epoch. Preconditions:
// images::require_unknown(keys, data.images), and the geometry of both is that of the network's input. `progress` counts
// images. Errors: `usage` (options out of range, another number of classes), `unsupported` (a model that answers the
// held-out part as if by chance, which shows that data or scale are not its own; a loss that is not finite, or accuracy
// that falls to a half: a lower rate helps), those of the network. After an error the network has any weights.
Result<Embedded> embed(oracle::TrainableNetwork& network, const images::LabeledImages& data,
                       const images::LabeledImages* test, const images::ImageSet& keys,
                       const EmbedOptions& options, Progress& progress = no_progress());

}  // namespace modelseal::identity
