// What a fingerprint of generated triggers contains (Yin, Yin, Zhang, arXiv 2208.07585).
#pragma once

#include <cstdint>
#include <vector>

#include "blackbox/tried_runtimes.h"
#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

struct Trigger {
    std::vector<float> pixels;  // of one input, in [low, high]
    std::int64_t label = 0;     // arg max of the sealed model's outputs: the keyed class, see GeneratorOptions
    double margin = 0;          // of that class over the next one, in units of the logits; above every floor of
                                // its rungs
};

// The triggers whose margin is at least `floor` count on the rung.
struct RungOfTriggers {
    Rung rung = Rung::fp32;  // fp32 or mixed: no answer on record is compared in its last bits
    double noise = 0;        // largest seen among the honest runtimes of this rung
    double scale = 0;        // mean absolute noise of the noisiest of them
    double floor = 0;
    TriedRuntimes tried;
};

struct Triggers {
    Schedule schedule = Schedule::keyed;  // keyed: by a generator; dbi, aid: without one, for comparison
    // How the generator was trained.
    std::uint32_t width = 0;  // channels of its layers; 0 without one
    Arm arm = Arm::both;
    std::uint32_t steps = 0;
    std::vector<RungOfTriggers> rungs;  // in order of Rung; fp32 is one of them, and all triggers count on it
    std::vector<Trigger> triggers;
};

}  // namespace modelseal::blackbox
