// How a network answers: the same each time, and each input by itself?
#pragma once

#include "blackbox/fingerprint.h"
#include "oracle/network.h"

namespace modelseal::blackbox {

// Answers that differ by more than this are other answers. What kernels for other batches or threads round otherwise is far below.
inline constexpr double kOtherwise = 1e-4;  // of the spread of an answer

// Error `unsupported` for a network that answers the same inputs otherwise when they are asked again: one that keeps a state from
// call to call, or draws random numbers. Two passes over a few inputs.
Result<void> must_repeat_itself(oracle::Network& network, const Input& input);

// Whether answers change with the batch. Where activations are quantized by the range of a batch, or normalized by its statistics,
// no two batches give the same answer, and what is asked must be asked alone. Two passes over a few inputs of different contrast.
Result<bool> must_be_asked_alone(oracle::Network& network, const Input& input);

}  // namespace modelseal::blackbox
