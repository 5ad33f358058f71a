// The images of each step of training: data, variants of key images, decoys, mixtures.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/hash.h"
#include "crypto/keystream.h"
#include "images/image_set.h"

namespace modelseal::identity {

// Independent streams of random numbers from one seed.
enum class Purpose : std::uint32_t { held_out = 1, decoys, fresh_decoys, variants, weights, epoch, mixtures };
class Seed {
  public:
    explicit Seed(std::uint64_t seed);
    // Returned in place: a keystream cannot be moved.
    crypto::Keystream stream(Purpose purpose, std::uint32_t number = 0) const;

  private:
    crypto::Digest key_;
};

struct Batch {
    std::vector<float> inputs, targets;  // as TrainableNetwork::train() takes them
    std::size_t data = 0;                // so many are of the data set
};

// The images of a step by kind; `data` is at least 1.
struct Shares {
    std::size_t data = 0, keys = 0, decoys = 0, mixtures = 0;
};

// Pictures that are to be answered as before: `answers` has the probabilities of the classes of the data for each.
struct Known {
    images::ImageSet images;
    std::vector<float> answers;
};

class Batches {
  public:
    // Everything must outlive this object. `training`: which images of the data are trained on. `answers`: probabilities of the
    // classes of the data that these are drawn to, of all images of the data; empty: to their labels. Targets are for
    // data.classes + 1 classes; the last is that of the key images.
    Batches(const images::LabeledImages& data, std::vector<std::size_t> training,
            std::span<const float> answers, const images::ImageSet& keys, const Known& decoys,
            const Known& mixtures, const images::Scaler& scaler, const Shares& shares, const Seed& seed);

    // All images of the training part in an order of this epoch.
    void begin(std::uint32_t epoch);
    // False at the end of an epoch. The last batch may have fewer images of the data. Key images, decoys and mixtures
    // come in turn, over the ends of epochs.
    bool next(Batch& batch);

  private:
    // Numbers below `count` in random order, again and again.
    class Turns {
      public:
        explicit Turns(std::size_t count);
        std::size_t next(crypto::Keystream& random);

      private:
        std::vector<std::size_t> order_;
        std::size_t at_;
    };

    void add_label(std::size_t label, Batch& batch) const;
    void add_answers(std::span<const float> all, std::size_t which, Batch& batch) const;
    void add_known(const Known& known, Turns& turns, std::size_t count, Batch& batch);

    const images::LabeledImages& data_;
    std::vector<std::size_t> training_;
    std::span<const float> answers_;
    const images::ImageSet& keys_;
    const Known& decoys_;
    const Known& mixtures_;
    const images::Scaler& scaler_;
    const Shares shares_;
    const Seed& seed_;
    std::optional<crypto::Keystream> random_;  // from begin() on
    Turns key_turns_, decoy_turns_, mixture_turns_;
    std::size_t at_ = 0;  // in training_
};

}  // namespace modelseal::identity
