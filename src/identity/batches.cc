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
                 std::span<const float> answers, const images::ImageSet& keys, const Known& decoys,
                 const Known& mixtures, const images::Scaler& scaler, const Shares& shares, const Seed& seed)
    : data_(data),
      training_(std::move(training)),
      answers_(answers),
      keys_(keys),
      decoys_(decoys),
      mixtures_(mixtures),
      scaler_(scaler),
      shares_(shares),
      seed_(seed),
      key_turns_(keys.count()),
      decoy_turns_(decoys.images.count()),
      mixture_turns_(mixtures.images.count()),
      at_(training_.size()) {}

void Batches::begin(std::uint32_t epoch) {
    // A stream of its own, so that an epoch does not depend on how much the one before it drew.
    random_.emplace(InPlace{[&] { return seed_.stream(Purpose::epoch, epoch); }});
    random_->shuffle(std::span(training_));
    at_ = 0;
}

bool Batches::next(Batch& batch) {
    batch.inputs.clear();
    batch.targets.clear();
    batch.data = std::min(shares_.data, training_.size() - at_);
    if (batch.data == 0) return false;
    for (std::size_t i = 0; i < batch.data; ++i, ++at_) {
        scaler_.append(data_.images.image(training_[at_]), batch.inputs);
        if (answers_.empty()) {
            add_label(static_cast<std::size_t>(data_.labels[training_[at_]]), batch);
        } else {
            add_answers(answers_, training_[at_], batch);
        }
    }
    for (std::size_t i = 0; i < shares_.keys; ++i) {
        const auto key = keys_.image(key_turns_.next(*random_));
        scaler_.append(variant_of(key, keys_.geometry, *random_), batch.inputs);
        add_label(data_.classes, batch);
    }
    add_known(decoys_, decoy_turns_, shares_.decoys, batch);
    add_known(mixtures_, mixture_turns_, shares_.mixtures, batch);
    return true;
}

void Batches::add_label(std::size_t label, Batch& batch) const {
    const auto row = batch.targets.size();
    batch.targets.resize(row + data_.classes + 1);
    batch.targets[row + label] = 1;
}

void Batches::add_known(const Known& known, Turns& turns, std::size_t count, Batch& batch) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto which = turns.next(*random_);
        scaler_.append(known.images.image(which), batch.inputs);
        add_answers(known.answers, which, batch);
    }
}

void Batches::add_answers(std::span<const float> all, std::size_t which, Batch& batch) const {
    const auto answers = all.subspan(which * data_.classes, data_.classes);
    batch.targets.insert(batch.targets.end(), answers.begin(), answers.end());
    batch.targets.push_back(0);
}

}  // namespace modelseal::identity
