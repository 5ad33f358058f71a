#include "blackbox/pairs/rung_reading.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::blackbox {
namespace {

class Measurement {
  public:
    Measurement(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                const Outputs& reference)
        : probe_(probe), pixels_(pixels), boundaries_(boundaries) {
        for (std::size_t row = 0; row < reference.count; ++row) {
            reference_.push_back(score(reference, row, boundaries[row]).margin);
        }
    }

    // A runtime that this machine or network has not is passed over.
    Result<void> add(const oracle::Runtime& runtime, const std::string& name,
                     const std::vector<float>& pixels) {
        auto outputs = probe_.outputs_as(pixels, runtime);
        if (!outputs && outputs.error().kind == ErrorKind::unsupported) return {};
        if (!outputs) return outputs.error();
        double sum = 0, signed_sum = 0;
        for (std::size_t row = 0; row < outputs->count; ++row) {
            const double off = score(*outputs, row, boundaries_[row]).margin - reference_[row];
            noise.largest = std::max(noise.largest, std::abs(off));
            sum += std::abs(off);
            signed_sum += off;
        }
        const auto count = static_cast<double>(outputs->count);
        noise.scale = std::max(noise.scale, sum / count);
        noise.drift = std::max(noise.drift, std::abs(signed_sum) / count);
        noise.runtimes.push_back(name);
        return {};
    }
    Result<void> add(const oracle::Runtime& runtime) { return add(runtime, runtime.name(), pixels_); }

    Noise noise;

  private:
    Probe& probe_;
    const std::vector<float>& pixels_;
    std::span<const Boundary> boundaries_;
    std::vector<double> reference_;
};

// Every other element a unit in the last place higher, as another way to load or scale an image would make it.
std::vector<float> off_by_a_unit(std::vector<float> pixels, float high) {
    for (std::size_t i = 0; i < pixels.size(); i += 2) {
        pixels[i] = std::min(high, std::nextafter(pixels[i], std::numeric_limits<float>::infinity()));
    }
    return pixels;
}

}  // namespace

Result<Noise> fp32_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                         const Outputs& reference, unsigned threads) {
    Measurement measurement(probe, pixels, boundaries, reference);
    const auto all = probe.batch();
    const oracle::Runtime runtimes[] = {
        {.threads = 1, .batch = 1},
        {.threads = 1, .batch = all},
        {.threads = std::min(2u, std::max(1u, threads)), .batch = 7},
        {.threads = std::min(3u, std::max(1u, threads)), .batch = boundaries.size()},
        {.threads = 0, .batch = all, .channels_last = true},
        {.threads = 1, .batch = 16, .plain_kernels = true},
        {.threads = 1, .batch = 16, .channels_last = true, .plain_kernels = true},
    };
    for (const auto& runtime : runtimes) MODELSEAL_TRY(measurement.add(runtime));
    const auto devices = probe.network().devices();
    for (std::size_t i = 1; i < devices.size(); ++i) {
        MODELSEAL_TRY(measurement.add({.batch = all, .device = devices[i]}));
        MODELSEAL_TRY(measurement.add({.batch = 1, .device = devices[i]}));
        MODELSEAL_TRY(measurement.add({.batch = all, .plain_kernels = true, .device = devices[i]}));
    }
    MODELSEAL_TRY(measurement.add({.batch = all}, "inputs off by a unit in the last place",
                                  off_by_a_unit(pixels, probe.input().high)));
    return std::move(measurement.noise);
}

Result<Noise> mixed_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                          const Outputs& reference) {
    Measurement measurement(probe, pixels, boundaries, reference);
    for (const auto& device : probe.network().devices()) {
        MODELSEAL_TRY(measurement.add({.batch = probe.batch(), .half = true, .device = device}));
    }
    return std::move(measurement.noise);
}

namespace {

constexpr double kSteadyShare = 1.0 / 4;  // of a floor: the jitter of an honest runtime, see judge.h

enum class Side { agrees, mismatches, untold };

// Labels show moves across the boundary alone, values those of the same size away from it as well.
double chance_of_mismatch(const RungOfPairs& rung, const Pair& pair, bool values) {
    if (rung.rung == Rung::exact) return 0;
    const double scale = kStranger * std::max(rung.scale, 1e-12 * rung.floor);
    return (values ? 1 : 0.5) * (std::exp(-std::abs(pair.member[0].margin) / scale) +
                                 std::exp(-std::abs(pair.member[1].margin) / scale));
}

class Reader {
  public:
    Reader(const Fingerprint& fingerprint, const RungOfPairs& rung, const Replied& replied)
        : fingerprint_(fingerprint), rung_(rung), replied_(replied) {
        reading_.rung = rung.rung;
        reading_.finding.name = name_of(rung.rung);
        reading_.finding.noise = rung.noise;
        reading_.finding.floor = rung.floor;
        reading_.most_drift = rung.drift;
        reading_.steady = replied.jitter <= kSteadyShare * rung.floor;
        // On the rung exact any jitter is a difference to the record, as it should be.
        if (!reading_.steady && rung.rung != Rung::exact) vary_ = kJitterFactor * replied.jitter;
    }

    RungReading read(std::size_t first) && {
        for (std::size_t i = 0; i < rung_.pairs.size(); ++i) {
            take(rung_.pairs[i], {first + i, first + rung_.pairs.size() + i});
        }
        if (known_ > 0) {
            reading_.drift = shift_sum_ / static_cast<double>(known_);
            reading_.slack = slack_sum_ / static_cast<double>(known_);
        }
        return std::move(reading_);
    }

  private:
    struct Answered {
        Side side;
        bool other_bits = false;
    };

    void take(const Pair& pair, const std::array<std::size_t, 2>& rows) {
        std::array<Answered, 2> members;
        for (const std::size_t which : {0u, 1u}) {
            members[which] = replied_.outputs != nullptr ? by_margin(pair, which, rows[which])
                                                         : by_label(pair, which, rows[which]);
        }
        auto& finding = reading_.finding;
        const auto any = [&](auto is) { return std::ranges::any_of(members, is); };
        const bool flipped = any([](const Answered& one) { return one.side == Side::mismatches; });
        const bool untold = any([](const Answered& one) { return one.side == Side::untold; });
        const bool differs = any([](const Answered& one) { return one.other_bits; });
        reading_.chances.push_back(chance_of_mismatch(rung_, pair, replied_.outputs != nullptr));
        if (untold && !flipped && !differs) {
            ++finding.untold;
            return;
        }
        ++finding.pairs;
        finding.flipped += flipped ? 1 : 0;
        finding.mismatched += flipped || differs ? 1 : 0;
    }

    Answered by_label(const Pair& pair, std::size_t which, std::size_t row) const {
        if (vary_ > 0) return {Side::untold};
        const bool inside = replied_.labels[row] == static_cast<std::int64_t>(pair.target);
        return {inside == (which == 1) ? Side::agrees : Side::mismatches};
    }

    Answered by_margin(const Pair& pair, std::size_t which, std::size_t row) {
        const Boundary boundary{fingerprint_.direction, pair.target};
        const auto scored = score(*replied_.outputs, row, boundary);
        const double recorded = pair.member[which].margin;
        // Noise moves the logarithm of a small probability further than that of a large one.
        const double noise = replied_.noisy != nullptr ? score(*replied_.noisy, row, boundary).doubt : 0;
        const double doubt = scored.doubt + vary_;
        note_shift(recorded, scored.margin, std::max(scored.doubt, noise));
        if (which == 0) {
            reading_.finding.recorded.emplace_back();
            reading_.finding.answered.emplace_back();
            reading_.finding.moved.emplace_back();
        }
        reading_.finding.recorded.back()[which] = recorded;
        reading_.finding.answered.back()[which] = scored.margin;

        // As many honest answers move a margin away from the boundary as across it. With a floor both
        // directions are bounded, so that forged answers cannot keep sides right with margins of any size.
        const bool on_its_side = (scored.margin > 0) == (which == 1);
        const double beyond = std::abs(scored.margin) - 2 * std::abs(recorded);
        const bool bounded = on_its_side && rung_.floor > 0;
        const bool agrees = on_its_side && !(bounded && beyond > 0);
        const double distance =
            bounded ? std::min(std::abs(scored.margin), std::abs(beyond)) : std::abs(scored.margin);
        const double least = agrees ? doubt : std::max(doubt, noise) + replied_.stray;
        if (least > 0 && !(distance > least)) return {Side::untold};
        // On the very same runtime answers are the very same.
        const bool to_the_bit = rung_.rung == Rung::exact && fingerprint_.schedule == Schedule::keyed;
        const bool other_bits = to_the_bit && scored.margin != recorded;
        reading_.finding.moved.back()[which] = !agrees || other_bits;
        return {agrees ? Side::agrees : Side::mismatches, other_bits};
    }

    // A margin of which nothing is known, from a probability of 0, has no part in the mean.
    void note_shift(double recorded, double answered, double doubt) {
        reading_.shifts.push_back(std::abs(answered - recorded));
        if (!std::isfinite(doubt)) return;
        ++known_;
        shift_sum_ += answered - recorded;
        slack_sum_ += doubt + kJitterFactor * replied_.jitter + replied_.stray;
    }

    const Fingerprint& fingerprint_;
    const RungOfPairs& rung_;
    const Replied& replied_;
    RungReading reading_;
    double vary_ = 0;  // margins may be off by so much because answers vary
    std::size_t known_ = 0;
    double shift_sum_ = 0, slack_sum_ = 0;
};

}  // namespace

bool RungReading::accuses() const {
    const bool drifted = most_drift > 0 && std::abs(drift) > most_drift + slack;
    return finding.mismatched >= threshold.mismatches || drifted;
}

bool RungReading::clears() const {
    const bool drifted = most_drift > 0 && std::abs(drift) > most_drift;
    const bool decides = threshold.mismatches <= asked();
    return steady && decides && !drifted && finding.mismatched + finding.untold < threshold.mismatches;
}

RungReading read_rung(const Fingerprint& fingerprint, const RungOfPairs& rung, std::size_t first,
                      const Replied& replied) {
    return Reader(fingerprint, rung, replied).read(first);
}

}  // namespace modelseal::blackbox
