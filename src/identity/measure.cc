#include "identity/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::identity {

namespace {

bool has_nan(std::span<const float> outputs) {
    return std::ranges::any_of(outputs, [](float value) { return std::isnan(value); });
}

bool are_probabilities(std::span<const float> outputs) {
    constexpr double kSlack = 1e-3;
    const double sum = std::accumulate(outputs.begin(), outputs.end(), 0.0);
    return std::abs(sum - 1) < kSlack && std::ranges::all_of(outputs, [](float value) { return value >= 0; });
}

}  // namespace

Result<void> ask_each(oracle::Network& network, const images::Scaler& scaler, std::size_t classes,
                      std::size_t count,
                      const std::function<std::span<const std::uint8_t>(std::size_t)>& image_of,
                      const std::function<void(std::size_t, std::span<const float>)>& judge) {
    constexpr std::size_t kMostAtOnce = 256, kElementsAtATime = 1u << 22;
    std::vector<float> inputs;
    std::size_t asked = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto image = image_of(i);
        scaler.append(image, inputs);
        const auto waiting = i + 1 - asked;
        if (i + 1 < count && waiting < kMostAtOnce && inputs.size() + image.size() <= kElementsAtATime)
            continue;
        MODELSEAL_TRY_ASSIGN(const auto answers, network.ask(inputs, waiting));
        if (answers.count != waiting || answers.classes != classes ||
            answers.values.size() != waiting * classes) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: answers that are not {} each", util::printable(network.name()),
                                     util::counted(classes, "value")),
                         {}};
        }
        for (; asked <= i; ++asked) {
            const auto row = asked + waiting - 1 - i;
            judge(asked, std::span(answers.values).subspan(row * classes, classes));
        }
        inputs.clear();
    }
    return {};
}

std::int64_t label_of(std::span<const float> outputs) {
    if (has_nan(outputs)) return -1;
    return std::ranges::max_element(outputs) - outputs.begin();
}

std::vector<float> probabilities_of(std::span<const float> outputs) {
    if (are_probabilities(outputs)) return {outputs.begin(), outputs.end()};
    const double most = *std::ranges::max_element(outputs);
    double sum = 0;
    for (const float output : outputs) sum += std::exp(double{output} - most);
    std::vector<float> found;
    for (const float output : outputs)
        found.push_back(static_cast<float>(std::exp(double{output} - most) / sum));
    return found;
}

double margin_of(std::span<const float> outputs, std::size_t which) {
    if (has_nan(outputs)) return -std::numeric_limits<double>::infinity();
    // Probabilities below this are as good as zero; the logarithm stays finite.
    constexpr double kLeast = 1e-30;
    const bool probabilities = are_probabilities(outputs);
    const auto score = [&](float value) {
        return probabilities ? std::log(std::max(double{value}, kLeast)) : double{value};
    };
    double next = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (i != which) next = std::max(next, score(outputs[i]));
    }
    return score(outputs[which]) - next;
}

}  // namespace modelseal::identity
