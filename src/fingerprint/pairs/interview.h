// Puts the inputs of a fingerprint to whoever answers for the model.
#pragma once

#include "fingerprint/fingerprint.h"
#include "fingerprint/pairs/judge.h"
#include "io/progress.h"
#include "oracle/network.h"

namespace modelseal::fingerprint {

// A file is run as it was when the answers on record were made: a rung at a time, in batches of `batch`.
Result<Replies> ask_file(oracle::Network& network, const Fingerprint& fingerprint, std::size_t batch,
                         io::Progress& progress);

// A service is asked in random order, so that neighbors in a request are not pairs. Some inputs are asked
// twice, anywhere among the others, so that a service that varies shows by how much it does; one that knows an
// input again can only make itself look worse.
Result<Replies> ask_service(oracle::Oracle& oracle, const Fingerprint& fingerprint, io::Progress& progress);

// `answers`: one to each input of the fingerprint, then one more to each of `repeated`. Takes these off and
// measures the jitter.
Replies with_jitter(const Fingerprint& fingerprint, oracle::Answers answers,
                    std::span<const std::size_t> repeated);

}  // namespace modelseal::fingerprint
