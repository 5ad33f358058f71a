#include "blackbox/triggers/make.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "blackbox/noise.h"
#include "blackbox/triggers/record.h"
#include "crypto/keystream.h"

namespace modelseal::blackbox {
namespace {

constexpr unsigned kWidthOnCpu = 64, kWidthOnGpu = 512;
constexpr double kVarianceWeight = 150;  // the paper's, section 3
// The paper's rate is that of its width. A narrower generator has fewer weights to move its output with: at width 64
// and rate 1e-4, 98 of 100 triggers of a ResNet-20 reached their class in 300 steps; at 1e-3 all did in 206, and at
// 1e-2 the training diverged.
constexpr double kRate = 1e-4, kMostRate = 1e-3;

// What follows from the key. Each purpose has a stream of its own.
class KeyedGenerator {
  public:
    KeyedGenerator(const Secret32& secret, std::span<const std::byte, 32> salt) {
        crypto::hkdf_sha256(secret.bytes(), salt, "modelseal/1 triggers", key_.writable());
    }

    // All classes equally often, as the paper's key, in keyed order.
    std::vector<std::int64_t> labels(std::size_t count, std::size_t classes) const {
        std::vector<std::int64_t> labels(count);
        for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::int64_t>(i % classes);
        crypto::Keystream(key_.bytes(), 0).shuffle(std::span(labels));
        return labels;
    }

    // Normally distributed (Box and Muller).
    std::vector<float> noise(std::size_t count) const {
        crypto::Keystream stream(key_.bytes(), 1);
        const auto uniform = [&] { return (static_cast<double>(stream.number() >> 11) + 1) * 0x1p-53; };
        std::vector<float> noise;
        noise.reserve(count * oracle::kGeneratorNoise);
        while (noise.size() < count * oracle::kGeneratorNoise) {
            const double radius = std::sqrt(-2 * std::log(uniform()));
            const double angle = 2 * std::numbers::pi * uniform();
            noise.push_back(static_cast<float>(radius * std::cos(angle)));
            noise.push_back(static_cast<float>(radius * std::sin(angle)));
        }
        return noise;
    }

    std::uint64_t seed() const { return crypto::Keystream(key_.bytes(), 2).number(); }

  private:
    Secret32 key_;
};

bool has_classes(Arm arm) {
    return arm == Arm::both || arm == Arm::classification;
}

bool on_gpu(oracle::Network& network) {
    return network.devices().front().starts_with("cuda");
}

// The story of making, one step a function.
class TriggerMaker {
  public:
    TriggerMaker(oracle::Network& network, const Plan& plan, std::size_t classes, const KeyedGenerator& keyed,
                 Progress& progress)
        : network_(network), plan_(plan), progress_(progress), probe_(probe_of(network, plan, classes)) {
        labels_ = keyed.labels(plan.count, classes);
        made_.fingerprint = facts_of(plan, probe_);
        if (plan.grid == Grid::u8) {
            made_.fingerprint.unit = (double{plan.input.high} - double{plan.input.low}) / 255;
        }
        auto& made = made_.fingerprint.queries.emplace<Triggers>();
        made.arm = plan.generator.arm;
        made.width = plan.generator.width > 0 ? plan.generator.width
                     : on_gpu(network)        ? kWidthOnGpu
                                              : kWidthOnCpu;
    }

    Result<void> begin(const KeyedGenerator& keyed) {
        const auto arm = plan_.generator.arm;
        return network_.begin_generator(
            {.width = made_.fingerprint.triggers().width,
             .classification = has_classes(arm) ? 1.0 : 0.0,
             .variance = arm == Arm::both || arm == Arm::variance ? kVarianceWeight : 0.0,
             .rate = std::min(kMostRate, kRate * kWidthOnGpu / made_.fingerprint.triggers().width),
             .seed = keyed.seed(),
             .low = plan_.input.low,
             .high = plan_.input.high,
             .mean = plan_.input.mean,
             .std = plan_.input.std},
            keyed.noise(plan_.count), labels_);
    }

    Result<void> train();
    Result<void> record() { return record_triggers(probe_, plan_.threads, pixels_, labels_, made_); }
    Made finish() {
        made_.evaluations += probe_.evaluations();
        return std::move(made_);
    }

  private:
    Result<void> generate();
    Result<bool> is_done();
    Triggers& triggers() { return made_.fingerprint.triggers(); }

    oracle::Network& network_;
    const Plan& plan_;
    Progress& progress_;
    Probe probe_;
    Made made_;
    std::vector<std::int64_t> labels_;
    std::vector<float> pixels_;  // of all triggers, as the generator makes them now
    std::vector<double> margins_;
    Outputs outputs_;
    double enough_ = 0;  // margin at which a trigger is far enough from the others; 0: not measured yet
};

// The images of now, on the grid if there is one, and the margins of their labels.
Result<void> TriggerMaker::generate() {
    MODELSEAL_TRY_ASSIGN(pixels_, network_.generated());
    if (plan_.grid == Grid::u8) {
        const double low = plan_.input.low, unit = made_.fingerprint.unit;
        for (auto& pixel : pixels_) {
            pixel = pixel_of(plan_.input, unit, std::round((double{pixel} - low) / unit));
        }
    }
    MODELSEAL_TRY_ASSIGN(outputs_, probe_.outputs(pixels_));
    if (!has_classes(plan_.generator.arm)) {
        for (std::size_t i = 0; i < labels_.size(); ++i) labels_[i] = score(outputs_, i, {{}, 0}).label;
    }
    margins_.clear();
    const auto all = boundaries_of_labels(labels_);
    for (std::size_t i = 0; i < all.size(); ++i) margins_.push_back(score(outputs_, i, all[i]).margin);
    return {};
}

// All triggers reach their classes, by more than the noise of honest runtimes asks for.
Result<bool> TriggerMaker::is_done() {
    MODELSEAL_TRY(generate());
    const auto least = std::ranges::min(margins_);
    if (!(least > 0)) return false;
    if (enough_ == 0) {
        MODELSEAL_TRY_ASSIGN(const auto tried,
                             try_fp32(probe_, noise_inputs(pixels_, outputs_, labels_), plan_.threads));
        const auto noise = noise_over(tried, std::vector<double>(labels_.size(), 1));
        enough_ = fp32_floor(noise, spread_of(outputs_), plan_.count);
    }
    return least >= enough_;
}

Result<void> TriggerMaker::train() {
    const auto steps = plan_.generator.arm == Arm::none ? 0 : plan_.generator.steps;
    progress_.total(steps);
    unsigned done = 0;
    for (bool enough = false; done < steps && !enough; ++done) {
        MODELSEAL_TRY_ASSIGN(const auto step, network_.generator_step());
        made_.evaluations += 3 * std::uint64_t{plan_.count};
        progress_.advance(1);
        if (!std::isfinite(step.loss)) {
            return Error{
                ErrorKind::unsupported,
                fmt::format("{}: the training of the generator diverged in step {}", network_.name(), done + 1),
                "use another width, or another seed"};
        }
        if (has_classes(plan_.generator.arm) && step.matched == plan_.count) {
            MODELSEAL_TRY_ASSIGN(enough, is_done());
        }
    }
    progress_.advance(steps - done);
    triggers().steps = done;
    return generate();
}

}  // namespace

Result<Made> make_triggers(oracle::Network& network, const Plan& plan, const Secret32& secret,
                           std::span<const std::byte, 32> salt, Progress& progress) {
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    const KeyedGenerator keyed(secret, salt);
    TriggerMaker maker(network, plan, classes, keyed, progress);
    MODELSEAL_TRY(maker.begin(keyed));
    MODELSEAL_TRY(maker.train());
    MODELSEAL_TRY(maker.record());
    return maker.finish();
}

}  // namespace modelseal::blackbox
