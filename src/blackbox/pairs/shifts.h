// How far the margins of all members of a path moved together: sees changes that move no member across its boundary.
//
// The members of a path are so close to each other that a changed weight moves all of their margins alike, while rounding moves
// each its own way: the mean over them is quieter than any of them. It is held against the noise of honest runtimes, which is
// measured path by path.
#pragma once

#include <array>
#include <optional>

#include "blackbox/fingerprint.h"
#include "blackbox/noise.h"
#include "blackbox/replies.h"
#include "blackbox/verdict.h"

namespace modelseal::blackbox {

// Means are counted that moved by more than these, in units of the noise of the runtime that moved them.
inline constexpr std::array kShiftLevels = {1.0, 2.0, 3.0, 4.0, 5.0};

// What runtimes showed of single inputs, and how noisy each is.
struct NoiseOfInputs {
    std::span<const Tried> tried;
    std::span<const double> units;
};

// Measures Path::noise and Pairs::shifts of a fingerprint whose rungs are recorded. `units`: how noisy each path is (noise.h).
// `of_inputs` has as much to say about the shape of the noise.
Result<void> measure_shifts(Probe& probe, Fingerprint& fingerprint, std::span<const double> units,
                            const NoiseOfInputs& of_inputs, unsigned threads);

// Factors and thresholds of all levels for `compared` paths. Precondition: something was counted.
std::vector<ShiftReading::Level> shift_levels(const HonestShifts& shifts, std::uint64_t compared);

// Nullopt if nothing was measured, or the answers are labels.
std::optional<ShiftReading> read_shifts(const Fingerprint& fingerprint, const Heard& heard);

}  // namespace modelseal::blackbox
