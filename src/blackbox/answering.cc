#include "blackbox/answering.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

namespace modelseal::blackbox {
namespace {

constexpr std::size_t kTogether = 8, kRepeated = 2;
constexpr std::size_t kMostElements = 1u << 22;  // of all of them

// Nothing here is secret: what is found out is a fact about the network.
std::vector<float> of_rising_contrast(const Input& input, std::size_t count) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> share(0, 1);
    std::vector<float> pixels;
    for (std::size_t i = 1; i <= count; ++i) {
        const float range = (input.high - input.low) * static_cast<float>(i) / static_cast<float>(count);
        for (std::size_t at = 0; at < input.shape.elements(); ++at)
            pixels.push_back(input.low + range * share(random));
    }
    normalise(input, pixels);
    return pixels;
}

bool differ(const oracle::Answers& before, const oracle::Answers& after) {
    if (before.values.size() != after.values.size() || before.labels != after.labels) return true;
    const auto width = before.count > 0 ? before.values.size() / before.count : 0;
    for (std::size_t row = 0; row < before.count && width > 0; ++row) {
        const auto one = std::span(before.values).subspan(row * width, width);
        const auto other = std::span(after.values).subspan(row * width, width);
        const auto [least, most] = std::ranges::minmax(one);
        // A single number spreads from zero.
        const double spread = width > 1 ? most - least : std::abs(most);
        for (std::size_t at = 0; at < width; ++at) {
            if (std::abs(static_cast<double>(one[at]) - other[at]) > kOtherwise * spread) return true;
        }
    }
    return false;
}

}  // namespace

Result<void> must_repeat_itself(oracle::Network& network, const Input& input) {
    const auto pixels = of_rising_contrast(input, kRepeated);
    MODELSEAL_TRY_ASSIGN(const auto first, network.ask_as(pixels, kRepeated, {.batch = 1}));
    MODELSEAL_TRY_ASSIGN(const auto again, network.ask_as(pixels, kRepeated, {.batch = 1}));
    if (!differ(first, again)) return {};
    return Error{ErrorKind::unsupported,
                 network.name() +
                     ": answers the same inputs otherwise when asked again: it keeps a state "
                     "from call to call, or draws random numbers",
                 "export it for inference, and with its state as an input and an output"};
}

Result<bool> must_be_asked_alone(oracle::Network& network, const Input& input) {
    if (!input.shape.parts.empty()) return false;  // sets of several inputs are run one by one
    if (network.is_run_alone()) return true;
    const auto count = std::min(kTogether, kMostElements / input.shape.elements());
    if (count < 2) return false;
    const auto pixels = of_rising_contrast(input, count);
    MODELSEAL_TRY_ASSIGN(const auto alone, network.ask_as(pixels, count, {.batch = 1}));
    MODELSEAL_TRY_ASSIGN(const auto together, network.ask_as(pixels, count, {.batch = count}));
    return differ(alone, together);
}

}  // namespace modelseal::blackbox
