// Sends the inputs of a fingerprint to the model.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/replies.h"
#include "oracle/network.h"
#include <modelseal/progress.h>

namespace modelseal::blackbox {

// A file is run as when the recorded answers were made: rung by rung, in batches of `batch`.
Result<Replies> ask_file(oracle::Network& network, const Fingerprint& fingerprint, std::size_t batch,
                         Progress& progress);

// A service gets the inputs in random order, so that neighbors in a request are not pairs. Some inputs are
// sent twice, at random positions, to measure by how much answers vary; a service that recognizes an input
// can only make its result worse.
Result<Replies> ask_service(oracle::Oracle& oracle, const Fingerprint& fingerprint, Progress& progress);

// `answers`: one for each input of the fingerprint, then one more for each of `repeated`. Removes these and
// measures the jitter.
Replies with_jitter(const Fingerprint& fingerprint, oracle::Answers answers,
                    std::span<const std::size_t> repeated);

}  // namespace modelseal::blackbox
