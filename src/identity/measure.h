// What a network answers about images, one by one.
//
// Thread safety: as the network's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "images/image_set.h"
#include "oracle/network.h"

namespace modelseal::identity {

// Calls judge(i, outputs) for each i in [0, count), in order, with the network's outputs for image_of(i). Asks for some
// images at a time. Error `unsupported` if the answers are not `classes` values each.
Result<void> ask_each(oracle::Network& network, const images::Scaler& scaler, std::size_t classes,
                      std::size_t count,
                      const std::function<std::span<const std::uint8_t>(std::size_t)>& image_of,
                      const std::function<void(std::size_t, std::span<const float>)>& judge);

// The largest output, the lowest class of equals; -1 if one is NaN.
std::int64_t label_of(std::span<const float> outputs);

// The outputs as probabilities: themselves, or the softmax of logits. NaN gives NaN.
std::vector<float> probabilities_of(std::span<const float> outputs);

// The log-probability of `which` less that of the likeliest other class, from logits or from probabilities; -infinity
// if one is NaN. Outputs that are not negative and sum up to 1 are taken for probabilities. Precondition: two classes.
double margin_of(std::span<const float> outputs, std::size_t which);

}  // namespace modelseal::identity
