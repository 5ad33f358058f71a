// The scheme of the paper, as published: DeepiSign (Abuadbba, Kim, Nepal, SAC 2021), here to be compared with.
//
// Every hidden layer, a tensor of f32 or f64 with two dimensions or more, hides up to 8,192 bits in the two
// lowest bits of the fourth decimal of its db2 wavelet packet coefficients, bands 17-32: facts about the layer,
// a stamp, and their SHA-256. What the paper leaves open is settled in deepisign_secret.h (the secret) and
// deepisign_layer.h (the transforms, the order). One thing is added: each value is centered between those that
// read as other bits, without which storing the weights as f32 destroys half of the marks.
//
// The paper's experiments vary the number of bits a coefficient and the weights a transform; so do these functions
// (deepisign_parameters.h), for tables that compare. A seal has the published values.
//
// Its limits are the paper's. The hash covers the secret, not the weights: a change that stays below about 5e-5
// in every carrying coefficient, or in bands 1-16, is not noticed; nor are other tensors and the frame. Half
// types cannot hold the fourth decimal. There is no signature: a reader of a mark can write one.
//
// Memory: one transform (12,000 weights) at a time. Thread safety: const calls on one model are safe together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/deepisign_parameters.h"
#include "model/model.h"
#include <modelseal/result.h>

namespace modelseal::baseline {

// A tensor that carries nothing, and why: "f16 cannot hold the fourth decimal".
struct DeepisignUnmarked {
    std::string tensor;
    std::string reason;
};

// Receives the new bytes of one place in one of the model's files. Places come in no order and do not overlap.
using PatchFile =
    std::function<Result<void>(std::uint32_t file, std::uint64_t offset, std::span<const std::byte>)>;

struct DeepisignEmbedding {
    std::uint64_t layers = 0;                 // marked
    std::vector<DeepisignUnmarked> unmarked;  // in the order of the model's tensors
};

// Hands the marked weights to `patch`. A stamp that is too long for a small layer is cut there; it is an error
// of kind `usage` if no layer holds all of it. Kind `unsupported`: no tensor can carry, or a layer's values are
// not finite or too large for four decimals; what was patched until then is to be thrown away.
Result<DeepisignEmbedding> deepisign_embed(const model::Model& model,
                                           std::span<const std::byte, 32> check_secret, std::string_view stamp,
                                           const PatchFile& patch, const DeepisignParameters& parameters = {});

struct DeepisignLayer {
    std::string tensor;
    std::uint64_t carriers = 0;  // coefficients that hold two bits each, or as many as the level
    // The hash fits the secret, which fits this layer and bears the stamp that most layers have.
    bool hash_matches = false;
    // Of the bits that could be compared, 0..1: all if a stamp was found, else those that only speak of the
    // layer.
    double bit_error_rate = 0;
};

struct DeepisignReading {
    // Whether there is a mark under this key at all: a hash matches, or bits agree beyond chance (one in a
    // billion).
    bool found = false;
    std::string stamp;                        // as sealed; empty if no hash matches
    std::vector<DeepisignLayer> layers;       // all that ought to carry, in the order of the model's tensors
    std::vector<DeepisignUnmarked> unmarked;  // the others
    bool intact() const;                      // found, and every layer's hash matches
};

Result<DeepisignReading> deepisign_read(const model::Model& model, std::span<const std::byte, 32> check_secret,
                                        const DeepisignParameters& parameters = {});

}  // namespace modelseal::baseline
