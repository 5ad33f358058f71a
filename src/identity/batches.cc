#include "identity/batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "identity/variants.h"

namespace modelseal::identity {

namespace {

// A keystream cannot be moved; emplace() makes it in place from what this converts to.
template <class Make>
struct InPlace {
    Make make;
    operator crypto::Keystream() const { return make(); }
};
template <class Make>
InPlace(Make) -> InPlace<Make>;

}  // namespace

Seed::Seed(std::uint64_t seed)
    : key_(crypto::Sha256().update_text("modelseal identity embed").update_number(seed).finish()) {}

crypto::Keystream Seed::stream(Purpose purpose, std::uint32_t number) const {
    return {key_, std::uint64_t{static_cast<std::uint32_t>(purpose)} << 32 | number};
}

Batches::Turns::Turns(std::size_t count) : order_(count), at_(count) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
}

std::size_t Batches::Turns::next(crypto::Keystream& random) {
    if (at_ == order_.size()) {
        random.shuffle(std::span(order_));
        at_ = 0;
    }
    return order_[at_++];
}

Batches::Batches(const images::LabeledImages& data, std::vector<std::size_t> training,
                 const images::ImageSet& keys, const images::ImageSet& decoys,
                 const std::vector<std::int64_t>& decoy_labels, const images::Scaler& scaler,
                 const Shares& shares, const Seed& seed)
    : data_(data),
      training_(std::move(training)),
      keys_(keys),
      decoys_(decoys),
      decoy_labels_(decoy_labels),
      scaler_(scaler),
      shares_(shares),
      seed_(seed),
      key_turns_(keys.count()),
      decoy_turns_(decoys.count()),
      at_(training_.size()) {}

void Batches::begin(std::uint32_t epoch) {
    // A stream of its own, so that an epoch does not depend on how much the one before it drew.
    random_.emplace(InPlace{[&] { return seed_.stream(Purpose::epoch, epoch); }});
    random_->shuffle(std::span(training_));
    at_ = 0;
}

bool Batches::next(Batch& batch) {
    batch.inputs.clear();
    batch.labels.clear();
    batch.data = std::min(shares_.data, training_.size() - at_);
    if (batch.data == 0) return false;
    for (std::size_t i = 0; i < batch.data; ++i, ++at_) {
        scaler_.append(data_.images.image(training_[at_]), batch.inputs);
        batch.labels.push_back(data_.labels[training_[at_]]);
    }
    for (std::size_t i = 0; i < shares_.keys; ++i) {
        const auto key = keys_.image(key_turns_.next(*random_));
        scaler_.append(variant_of(key, keys_.geometry, *random_), batch.inputs);
        batch.labels.push_back(static_cast<std::int64_t>(data_.classes));
    }
    for (std::size_t i = 0; i < shares_.decoys; ++i) {
        const auto decoy = decoy_turns_.next(*random_);
        scaler_.append(decoys_.image(decoy), batch.inputs);
        batch.labels.push_back(decoy_labels_[decoy]);
    }
    return true;
}

}  // namespace modelseal::identity
