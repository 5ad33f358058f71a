#include "blackbox/noise.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "blackbox/verdict.h"

namespace modelseal::blackbox {
namespace {

using oracle::Arithmetic;

constexpr std::size_t kArithmeticBatch = 16;
constexpr unsigned kWeightDraws = 4;
constexpr std::size_t kArithmeticInputs = 48;  // enough to compare with the others, which take all

class Measurement {
  public:
    Measurement(Rung rung, Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                const Outputs& reference)
        : rung_(rung), probe_(probe), pixels_(pixels), boundaries_(boundaries) {
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
        FingerprintSummary::OnRuntime one{.rung = rung_, .name = name};
        for (std::size_t row = 0; row < outputs->count; ++row) {
            const double off = score(*outputs, row, boundaries_[row]).margin - reference_[row];
            one.largest = std::max(one.largest, std::abs(off));
            one.mean += std::abs(off);
            one.drift += off;
        }
        one.mean /= static_cast<double>(outputs->count);
        one.drift /= static_cast<double>(outputs->count);
        noise.largest = std::max(noise.largest, one.largest);
        if (only_orders_) {
            noise.orders = std::max(noise.orders, one.largest);
            noise.scale = std::max(noise.scale, one.mean);
        }
        noise.drift = std::max(noise.drift, std::abs(one.drift));
        noise.runtimes.push_back(std::move(one));
        return {};
    }
    Result<void> add(const oracle::Runtime& runtime) { return add(runtime, runtime.name(), pixels_); }
    // What is added from now on does more than sum in another order.
    void more_than_orders() { only_orders_ = false; }
    // On the CPU, which has the operators of every arithmetic, in small batches: the sums of one take memory.
    Result<void> add(Arithmetic arithmetic, unsigned draw = 0) {
        const oracle::Runtime runtime{
            .batch = kArithmeticBatch, .arithmetic = arithmetic, .draw = draw, .device = "cpu"};
        const auto count = std::min(pixels_.size(), kArithmeticInputs * probe_.elements());
        const std::vector<float> some(pixels_.begin(), pixels_.begin() + static_cast<std::ptrdiff_t>(count));
        return add(runtime, std::string(name_of(arithmetic)), some);
    }

    Noise noise;

  private:
    const Rung rung_;
    Probe& probe_;
    const std::vector<float>& pixels_;
    std::span<const Boundary> boundaries_;
    std::vector<double> reference_;
    bool only_orders_ = true;
};

// Every other element a unit in the last place higher, as another way to load or scale an image would make it.
std::vector<float> off_by_a_unit(std::vector<float> pixels, float high) {
    for (std::size_t i = 0; i < pixels.size(); i += 2) {
        pixels[i] = std::min(high, std::nextafter(pixels[i], std::numeric_limits<float>::infinity()));
    }
    return pixels;
}

std::vector<float> with_seven_digits(std::vector<float> pixels) {
    for (auto& pixel : pixels) pixel = std::strtof(fmt::format("{:.6e}", pixel).c_str(), nullptr);
    return pixels;
}

// The nearest value of float16, which has 11 bits from 2^-14 on, and below that steps of 2^-24.
float in_half_precision(float value) {
    constexpr int kBits = 11, kLeastExponent = -13;  // of frexp()
    int exponent = 0;
    std::frexp(value, &exponent);
    const int step = std::max(exponent, kLeastExponent) - kBits;
    return std::ldexp(std::nearbyint(std::ldexp(value, -step)), step);
}

std::vector<float> in_half_precision(std::vector<float> pixels) {
    for (auto& pixel : pixels) pixel = in_half_precision(pixel);
    return pixels;
}

}  // namespace

Result<Noise> fp32_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                         const Outputs& reference, unsigned threads) {
    Measurement measurement(Rung::fp32, probe, pixels, boundaries, reference);
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
    MODELSEAL_TRY(measurement.add(Arithmetic::permuted));
    measurement.more_than_orders();
    MODELSEAL_TRY(measurement.add({.batch = all}, "inputs with 7 digits", with_seven_digits(pixels)));
    for (const auto arithmetic : {Arithmetic::one_term, Arithmetic::winograd2, Arithmetic::winograd4,
                                  Arithmetic::winograd6, Arithmetic::rounded_steps}) {
        MODELSEAL_TRY(measurement.add(arithmetic));
    }
    // Weights move all margins together, one way or the other: the mean of one draw may be near 0 by chance.
    for (unsigned draw = 0; draw < kWeightDraws; ++draw)
        MODELSEAL_TRY(measurement.add(Arithmetic::rounded_weights, draw));
    return std::move(measurement.noise);
}

Result<Noise> mixed_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                          const Outputs& reference) {
    Measurement measurement(Rung::mixed, probe, pixels, boundaries, reference);
    const auto rounded = in_half_precision(pixels);
    for (const auto& device : probe.network().devices()) {
        const oracle::Runtime half{
            .batch = probe.batch(), .arithmetic = Arithmetic::half_weights, .device = device};
        MODELSEAL_TRY(measurement.add(half));
        MODELSEAL_TRY(measurement.add(half, half.name() + ", and the inputs", rounded));
    }
    // A network that cannot be run with rounded weights is none for this rung.
    if (measurement.noise.runtimes.empty()) return std::move(measurement.noise);
    MODELSEAL_TRY(measurement.add({.batch = probe.batch()}, "inputs in half precision", rounded));
    for (const auto arithmetic : {Arithmetic::tf32, Arithmetic::half, Arithmetic::bfloat16})
        MODELSEAL_TRY(measurement.add(arithmetic));
    return std::move(measurement.noise);
}

double spread_of(const Outputs& outputs) {
    double sum = 0;
    for (std::size_t row = 0; row < outputs.count; ++row) {
        const auto [least, most] = std::ranges::minmax(outputs.row(row));
        const auto low = static_cast<double>(least), high = static_cast<double>(most);
        sum += outputs.probabilities ? std::log(high / std::max(low, 1e-30)) : high - low;
    }
    return sum / static_cast<double>(outputs.count);
}

namespace {

// The margin at which (2 n exp(-margin / s))^k / k! is the half of what false alarms may be (verdict.h), if k mismatches are the
// share 1 / `part` of the pairs.
double floor_for(const Noise& noise, unsigned count, unsigned part) {
    const double wanted = std::max(1u, count / part);
    const double allowed = std::log(kFalseAlarms / 2) + std::lgamma(wanted + 1);
    return kStranger * noise.scale * (std::log(2.0 * count) - allowed / wanted);
}

}  // namespace

double fp32_floor(const Noise& noise, double spread, unsigned count) {
    return std::max({kOrderFactor * noise.orders, kNoiseFactor * noise.largest, floor_for(noise, count, 15),
                     kLeastFloor * spread});
}

double mixed_floor(const Noise& noise, double spread, unsigned count, double fp32_floor) {
    return std::max(
        {kNoiseFactor * noise.largest, floor_for(noise, count, 4), kLeastMixed * spread, 2 * fp32_floor});
}

}  // namespace modelseal::blackbox
