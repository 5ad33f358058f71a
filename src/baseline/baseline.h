// The one seam to what is there for comparison only: schemes as they were published, off the main path. Nothing
// else includes headers of this room.
//
//   deepisign         a mark in the weights (deepisign.h): sealed by `Scheme::deepisign`, looked for by check()
//                     where no seal was found
//   published pairs   a fingerprint by the schedule of the paper on sample pairing (published_pairs.h): made by
//                     `Schedule::paper`, and checked like any other
//   single samples    DBI and AID (single_samples.h): made by `Schedule::dbi` and `Schedule::aid`, for evidence at the
//                     same budget
#pragma once

#include <filesystem>
#include <span>

#include "blackbox/pairs/make.h"
#include "mark/manifest.h"
#include "model/model.h"
#include "model/output.h"
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/seal.h>

namespace modelseal::baseline {

// A copy with a deepisign mark that reads back; it has not appeared under its name yet.
struct MarkedCopy {
    model::ModelOutput output;
    std::uint64_t layers = 0;   // marked
    std::uint64_t touched = 0;  // elements that were written
};

// Marks a copy of `model`, which must outlive the result. ErrorKind::usage for options or stamps that the
// scheme does not support, ErrorKind::unsupported for a model that cannot hold a mark.
Result<MarkedCopy> seal(const model::Model& model, const std::filesystem::path& out, const mark::Stamp& stamp,
                        const SealOptions& options, Progress& progress);

// The first mark that is found under one of `keys`; Outcome::not_found if there is none. Whether such a mark is
// accepted is for the policy: it is a finding, so that it can be named. `all`: intact layers are listed as
// well.
Result<SealFinding> check(const model::Model& model, std::span<const CheckKey> keys, bool all);

inline constexpr unsigned kPublishedSteps = 10'000;  // of stage 1

// A fingerprint by the published schedule, as blackbox::make_pairs() does it by ours. `steps`: fewer only in
// tests.
Result<blackbox::Made> make_pairs(oracle::Network& network, const blackbox::Plan& plan, const Secret32& secret,
                                  std::span<const std::byte, 32> salt, Progress& progress,
                                  unsigned steps = kPublishedSteps);

// Triggers by a published schedule without a generator, `dbi` or `aid` (single_samples.h), in plan.generator.steps
// steps: what blackbox::make_triggers() is compared with, at the same number of queries and steps.
Result<blackbox::Made> make_single_samples(oracle::Network& network, const blackbox::Plan& plan,
                                           Schedule schedule, const Secret32& secret,
                                           std::span<const std::byte, 32> salt, Progress& progress);

}  // namespace modelseal::baseline
