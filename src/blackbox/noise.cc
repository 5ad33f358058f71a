#include "blackbox/noise.h"

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

double spread_of(const Outputs& outputs) {
    double sum = 0;
    for (std::size_t row = 0; row < outputs.count; ++row) {
        const auto [least, most] = std::ranges::minmax(outputs.row(row));
        const auto low = static_cast<double>(least), high = static_cast<double>(most);
        sum += outputs.probabilities ? std::log(high / std::max(low, 1e-30)) : high - low;
    }
    return sum / static_cast<double>(outputs.count);
}

double fp32_floor(const Noise& noise, double spread) {
    return std::max(kNoiseFactor * noise.largest, kLeastFloor * spread);
}

double mixed_floor(const Noise& noise, double spread, double fp32_floor) {
    return std::max({kNoiseFactor * noise.largest, kLeastMixed * spread, 2 * fp32_floor});
}

}  // namespace modelseal::blackbox
