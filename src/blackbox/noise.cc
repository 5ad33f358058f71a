#include "blackbox/noise.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "blackbox/verdict.h"

namespace modelseal::blackbox {
namespace {

using oracle::Arithmetic;

constexpr unsigned kWeightDraws = 4;
constexpr double kPrior = 2;

// Of large inputs no more than are recorded at a time.
std::size_t small_batch(const Probe& probe) {
    constexpr std::size_t kSmall = 16;
    return std::min(kSmall, probe.batch());
}

// Mean over each group of neighbors.
std::vector<double> grouped(const std::vector<double>& offs, std::span<const std::size_t> groups) {
    if (groups.empty()) return offs;
    std::vector<double> means;
    std::size_t members = 0;
    for (std::size_t row = 0; row < offs.size(); ++row) {
        const bool first = row == 0 || groups[row] != groups[row - 1];
        if (first) means.push_back(0);
        members = first ? 1 : members + 1;
        means.back() += (offs[row] - means.back()) / static_cast<double>(members);
    }
    return means;
}

struct Sums {
    double largest = 0, mean = 0, drift = 0;
};
// `units`: empty for 1.
Sums summed(std::span<const double> offs, std::span<const double> units) {
    Sums sums;
    for (std::size_t row = 0; row < offs.size(); ++row) {
        const double off = units.empty() ? offs[row] : offs[row] / units[row];
        sums.largest = std::max(sums.largest, std::abs(off));
        sums.mean += std::abs(off) / static_cast<double>(offs.size());
        sums.drift += off / static_cast<double>(offs.size());
    }
    return sums;
}

class Measurement {
  public:
    Measurement(Rung rung, Probe& probe, const NoiseInputs& inputs, const std::set<std::string>& only)
        : rung_(rung), probe_(probe), inputs_(inputs), only_(only) {}

    // A runtime that this machine or network has not is passed over.
    Result<void> add(const oracle::Runtime& runtime, const std::string& name,
                     const std::vector<float>& pixels) {
        if (!only_.empty() && !only_.contains(name)) return {};
        auto outputs = probe_.outputs_as(pixels, runtime);
        if (!outputs && outputs.error().kind == ErrorKind::unsupported) return {};
        if (!outputs) return outputs.error();
        std::vector<double> offs;
        for (std::size_t row = 0; row < outputs->count; ++row)
            offs.push_back(score(*outputs, row, inputs_.boundaries[row]).margin - inputs_.margins[row]);
        offs = grouped(offs, inputs_.groups);
        const auto sums = summed(offs, {});
        tried.push_back(
            {.facts =
                 {.rung = rung_, .name = name, .largest = sums.largest, .mean = sums.mean, .drift = sums.drift},
             .offs = std::move(offs),
             .alike = alike_,
             .only_orders = only_orders_});
        return {};
    }
    Result<void> add(const oracle::Runtime& runtime) { return add(runtime, runtime.name(), inputs_.pixels); }
    // What is added from now on, or no more, moves margins of neighboring inputs alike.
    void moves_alike(bool alike) { alike_ = alike; }
    // What is added from now on does more than sum in another order.
    void more_than_orders() { only_orders_ = false; }
    // On the CPU, which has the operators of every arithmetic, in small batches: the sums of one take memory.
    Result<void> add(Arithmetic arithmetic) {
        const auto& pixels = inputs_.pixels;
        const auto count = std::min(pixels.size(), inputs_.few * probe_.elements());
        return add(arithmetic, {pixels.begin(), pixels.begin() + static_cast<std::ptrdiff_t>(count)});
    }
    // The same of all inputs.
    Result<void> add_to_all(Arithmetic arithmetic) { return add(arithmetic, inputs_.pixels); }
    // Other weights, and the usual operators.
    Result<void> add_rounded_weights(unsigned draw) {
        const oracle::Runtime runtime{
            .batch = probe_.batch(), .arithmetic = Arithmetic::rounded_weights, .draw = draw, .device = "cpu"};
        return add(runtime, std::string(name_of(runtime.arithmetic)), inputs_.pixels);
    }

    std::vector<Tried> tried;

  private:
    Result<void> add(Arithmetic arithmetic, const std::vector<float>& pixels) {
        const oracle::Runtime runtime{.batch = small_batch(probe_), .arithmetic = arithmetic, .device = "cpu"};
        return add(runtime, std::string(name_of(arithmetic)), pixels);
    }

    const Rung rung_;
    Probe& probe_;
    const NoiseInputs& inputs_;
    const std::set<std::string>& only_;
    bool only_orders_ = true, alike_ = false;
};

// Every other element a unit in the last place higher, as another way to load or scale an image would make it.
std::vector<float> off_by_a_unit(std::vector<float> pixels, float high) {
    for (std::size_t i = 0; i < pixels.size(); i += 2) {
        pixels[i] = std::min(high, std::nextafter(pixels[i], std::numeric_limits<float>::infinity()));
    }
    return pixels;
}

std::vector<float> with_seven_digits(std::vector<float> pixels) {
    for (auto& pixel : pixels) {
        char text[32];
        const auto written = std::to_chars(text, std::end(text), pixel, std::chars_format::scientific, 6);
        std::from_chars(text, written.ptr, pixel);
    }
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

// Sums in another order.
Result<void> try_orders(Measurement& measurement, Probe& probe, unsigned threads) {
    const auto all = probe.batch();
    const oracle::Runtime runtimes[] = {
        {.threads = 1, .batch = 1},
        {.threads = std::min(2u, std::max(1u, threads)),
         .batch = probe.alone() ? 1 : std::min<std::size_t>(7, 2 * all)},
        {.threads = 0, .batch = all, .channels_last = true},
        {.threads = 1, .batch = small_batch(probe), .plain_kernels = true},
        {.threads = 1, .batch = small_batch(probe), .channels_last = true, .plain_kernels = true},
    };
    for (const auto& runtime : runtimes) MODELSEAL_TRY(measurement.add(runtime));
    const auto devices = probe.network().devices();
    for (std::size_t i = 1; i < devices.size(); ++i) {
        MODELSEAL_TRY(measurement.add({.batch = all, .device = devices[i]}));
        MODELSEAL_TRY(measurement.add({.batch = 1, .device = devices[i]}));
        MODELSEAL_TRY(measurement.add({.batch = all, .plain_kernels = true, .device = devices[i]}));
    }
    return measurement.add(Arithmetic::permuted);
}

}  // namespace

Result<std::vector<Tried>> try_fp32(Probe& probe, const NoiseInputs& inputs, unsigned threads,
                                    const std::set<std::string>& only) {
    Measurement measurement(Rung::fp32, probe, inputs, only);
    const auto& pixels = inputs.pixels;
    const auto all = probe.batch();
    MODELSEAL_TRY(try_orders(measurement, probe, threads));
    measurement.moves_alike(true);
    MODELSEAL_TRY(measurement.add({.batch = all}, "inputs off by a unit in the last place",
                                  off_by_a_unit(pixels, probe.input().high)));
    MODELSEAL_TRY(measurement.add({.batch = all}, "inputs with 7 digits", with_seven_digits(pixels)));
    measurement.more_than_orders();
    // Weights move all margins together, one way or the other: the mean of one draw may be near 0 by chance.
    for (unsigned draw = 0; draw < kWeightDraws; ++draw) MODELSEAL_TRY(measurement.add_rounded_weights(draw));
    measurement.moves_alike(false);
    // These are the noisiest of convolutions by far: how noisy an input is should follow from them, too.
    for (const auto arithmetic : {Arithmetic::winograd4, Arithmetic::winograd6}) {
        MODELSEAL_TRY(measurement.add_to_all(arithmetic));
    }
    for (const auto arithmetic : {Arithmetic::one_term, Arithmetic::winograd2, Arithmetic::rounded_steps}) {
        MODELSEAL_TRY(measurement.add(arithmetic));
    }
    return std::move(measurement.tried);
}

std::set<std::string> loud_ones(std::span<const Tried> tried, std::span<const double> units) {
    constexpr double kLoud = 1.0 / 3;
    double noisiest = 0;
    for (const auto& one : tried) noisiest = std::max(noisiest, summed(one.offs, units).mean);
    std::set<std::string> names;
    for (const auto& one : tried) {
        if (one.alike || summed(one.offs, units).mean >= kLoud * noisiest) names.insert(one.facts.name);
    }
    return names;
}

Result<std::vector<Tried>> try_mixed(Probe& probe, const NoiseInputs& inputs) {
    static const std::set<std::string> kAll;
    Measurement measurement(Rung::mixed, probe, inputs, kAll);
    const auto rounded = in_half_precision(inputs.pixels);
    for (const auto& device : probe.network().devices()) {
        const oracle::Runtime half{
            .batch = probe.batch(), .arithmetic = Arithmetic::half_weights, .device = device};
        MODELSEAL_TRY(measurement.add(half));
        MODELSEAL_TRY(measurement.add(half, half.name() + ", and the inputs", rounded));
    }
    // A network that cannot be run with rounded weights is none for this rung.
    if (measurement.tried.empty()) return std::move(measurement.tried);
    MODELSEAL_TRY(measurement.add({.batch = probe.batch()}, "inputs in half precision", rounded));
    for (const auto arithmetic : {Arithmetic::tf32, Arithmetic::half, Arithmetic::bfloat16})
        MODELSEAL_TRY(measurement.add(arithmetic));
    return std::move(measurement.tried);
}

// The mean square over the runtimes that took every input, each in units of its own: as if kPrior more had shown all
// inputs alike, since a dozen runtimes may be near each other by chance.
std::vector<double> units_of(std::span<const Tried> tried, std::size_t count) {
    std::vector<double> squares(count, kPrior);
    double counted = kPrior;
    for (const auto& one : tried) {
        double mean = 0;
        for (const double off : one.offs) mean += off * off / static_cast<double>(count);
        if (one.offs.size() != count || !(mean > 0)) continue;
        counted += 1;
        for (std::size_t i = 0; i < count; ++i) squares[i] += one.offs[i] * one.offs[i] / mean;
    }
    for (auto& square : squares) square = std::sqrt(square / counted);
    return squares;
}

Noise noise_over(std::span<const Tried> tried, std::vector<double> units) {
    Noise noise{.units = std::move(units)};
    for (const auto& one : tried) {
        const auto sums = summed(one.offs, noise.units);
        noise.largest = std::max(noise.largest, sums.largest);
        noise.wide = noise.wide || !one.only_orders;
        ++noise.tried.runtimes;
        noise.tried.evaluations += one.offs.size();
        if (!one.only_orders) continue;
        noise.orders = std::max(noise.orders, sums.largest);
        noise.scale = std::max(noise.scale, sums.mean);
    }
    return noise;
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

double spread_of_terms(const Outputs& outputs, std::span<const Boundary> boundaries) {
    double sum = 0;
    for (std::size_t row = 0; row < outputs.count; ++row) sum += size_of_terms(outputs, row, boundaries[row]);
    return 3 * sum / static_cast<double>(outputs.count);
}

namespace {

// The margin at which (2 n exp(-margin / s))^k / k! is half of what false alarms of rungs may be (verdict.h).
double floor_for(const Noise& noise, unsigned count, double mismatches) {
    const double allowed = std::log(share_of_rung(2, true)) + std::lgamma(mismatches + 1);
    return kStranger * noise.scale * (std::log(2.0 * count) - allowed / mismatches);
}

}  // namespace

double fp32_floor(const Noise& noise, double spread, unsigned count) {
    return std::max({(noise.wide ? kOrderFactor : kNarrowFactor) * noise.orders, kNoiseFactor * noise.largest,
                     floor_for(noise, count, 1), kLeastFloor * spread});
}

double mixed_floor(const Noise& noise, double spread, unsigned count, double fp32_floor) {
    return std::max({kNoiseFactor * noise.largest, floor_for(noise, count, std::max(1u, count / 4)),
                     kLeastMixed * spread, 2 * fp32_floor});
}

}  // namespace modelseal::blackbox
