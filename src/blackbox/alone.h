// Networks whose answer to an input follows from the other inputs of its batch as well.
#pragma once

#include "blackbox/fingerprint.h"
#include "oracle/network.h"

namespace modelseal::blackbox {

// Where activations are quantized by the range of a batch, or normalized by its statistics, no two batches give the same answer, and
// what is asked must be asked alone. Kernels for other batches round otherwise, which is far below kOtherBatch.
inline constexpr double kOtherBatch = 1e-4;  // of the spread of an answer

// Whether answers to a few inputs of different contrast change with their batch by more than that. Two passes over them.
Result<bool> must_be_asked_alone(oracle::Network& network, const Input& input);

}  // namespace modelseal::blackbox
