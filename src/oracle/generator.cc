#include "oracle/generator.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::oracle {
namespace {

Error not_usable(std::string message) {
    return {ErrorKind::usage, std::move(message), {}};
}

bool all_finite(std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

Result<void> check_scale(std::span<const float> scale, const InputShape& input, const char* name) {
    const auto channels = static_cast<std::size_t>(input.shape.front());
    if (!scale.empty() && scale.size() != 1 && scale.size() != channels) {
        return not_usable(
            fmt::format("{} for the {}, not 1 or {}", util::counted(scale.size(), "value"), name, channels));
    }
    if (!all_finite(scale)) return not_usable(fmt::format("the {} is not finite", name));
    return {};
}

Result<void> check_options(const GeneratorOptions& options, const InputShape& input) {
    if (options.width == 0 || options.width > kMostGeneratorWidth) {
        return not_usable(
            fmt::format("the width of the generator is {}, not 1 to {}", options.width, kMostGeneratorWidth));
    }
    if (!std::isfinite(options.rate) || options.rate <= 0)
        return not_usable(fmt::format("the rate of the generator is {}, not above 0", options.rate));
    for (const double weight : {options.classification, options.variance}) {
        if (!std::isfinite(weight) || weight < 0)
            return not_usable(fmt::format("a term of the loss has the weight {}, not 0 or more", weight));
    }
    if (!std::isfinite(options.high - options.low) || options.low >= options.high) {
        return not_usable(
            fmt::format("the range of the images is {} to {}, not ascending", options.low, options.high));
    }
    MODELSEAL_TRY(check_scale(options.mean, input, "mean"));
    MODELSEAL_TRY(check_scale(options.std, input, "standard deviation"));
    if (std::ranges::find(options.std, 0.0f) != options.std.end())
        return not_usable("a standard deviation is 0");
    return {};
}

}  // namespace

Result<void> check_generator(const GeneratorOptions& options, std::span<const float> noise,
                             std::span<const std::int64_t> labels, const InputShape& input, std::size_t classes,
                             const std::string& who) {
    if (labels.empty()) return not_usable("no labels for a generator");
    if (noise.size() / kGeneratorNoise != labels.size() || noise.size() % kGeneratorNoise != 0) {
        return not_usable(fmt::format("{} of noise for {}; {} each are needed",
                                      util::counted(noise.size(), "value"),
                                      util::counted(labels.size(), "trigger"), kGeneratorNoise));
    }
    if (!all_finite(noise)) return not_usable("the noise of a generator is not finite");
    for (std::size_t at = 0; at < labels.size(); ++at) {
        if (labels[at] >= 0 && static_cast<std::uint64_t>(labels[at]) < classes) continue;
        return not_usable(fmt::format("{}: has {}; the label of trigger {} is {}", who,
                                      util::counted(classes, "class"), at, labels[at]));
    }
    return check_options(options, input);
}

}  // namespace modelseal::oracle
