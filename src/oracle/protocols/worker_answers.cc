#include "oracle/protocols/worker_answers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/json_text.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

constexpr std::size_t kMostWorkerClasses = 1u << 24;
constexpr std::size_t kMostWorkerText = 4u << 10;
constexpr std::size_t kMostDevices = 64;
constexpr std::size_t kMostWarnings = 16;
constexpr std::uint64_t kMostCoveredTensors = 1u << 16;
constexpr std::size_t kMostDimensions = 64;

std::string text_of_worker(const json& text) {
    if (!text.is_string()) return {};
    return util::printable(std::string_view(text.get_ref<const std::string&>()).substr(0, kMostWorkerText));
}

std::string text_in(const json& object, const char* key) {
    const auto* text = member(object, key, &json::is_string);
    return text == nullptr ? std::string() : text_of_worker(*text);
}

std::optional<std::uint64_t> number_in(const json& object, const char* key, std::uint64_t most) {
    const auto* found = member(object, key, &json::is_number_unsigned);
    if (found == nullptr || found->get<std::uint64_t>() > most) return std::nullopt;
    return found->get<std::uint64_t>();
}

const json& array_in(const json& object, const char* key, std::size_t most) {
    static const json kNone = json::array();
    const auto* found = member(object, key, &json::is_array);
    return found != nullptr && found->size() <= most ? *found : kNone;
}

// Empty if any extent is not one, or there are none.
std::vector<std::int64_t> shape_in(const json& answer) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::int64_t> shape;
    std::uint64_t elements = 1;
    for (const auto& extent : array_in(answer, "input_shape", kMostDimensions)) {
        if (!extent.is_number_unsigned()) return {};
        const auto value = extent.get<std::uint64_t>();
        if (value == 0 || value > kMost || !util::checked_mul(elements, value, elements) || elements > kMost) {
            return {};
        }
        shape.push_back(static_cast<std::int64_t>(value));
    }
    return shape;
}

Error wrong(const char* part) {
    return {ErrorKind::malformed, part, {}};
}

}  // namespace

EnteredSandbox read_entered(const json& answer) {
    const auto* filter = member(answer, "seccomp", &json::is_boolean);
    return {.landlock = number_in(answer, "landlock", 1u << 16).value_or(0) > 0,
            .filter = filter != nullptr && filter->get<bool>()};
}

Result<OpenedNetwork> read_opened(const json& answer) {
    OpenedNetwork opened;
    opened.runtime = text_in(answer, "runtime");
    opened.input.name = text_in(answer, "input_name");
    opened.input.shape = shape_in(answer);
    if (opened.input.shape.empty()) return wrong("shape");
    const auto& range = array_in(answer, "input_range", 2);
    if (range.size() == 2 && range[0].is_number() && range[1].is_number()) {
        opened.input.range = {range[0].get<float>(), range[1].get<float>()};
    }
    for (const auto& device : array_in(answer, "devices", kMostDevices)) {
        if (!device.is_string()) return wrong("devices");
        opened.devices.push_back(text_of_worker(device));
    }
    if (opened.devices.empty()) return wrong("devices");
    for (const auto& warning : array_in(answer, "warnings", kMostWarnings)) {
        if (!warning.is_string()) return wrong("warnings");
        opened.warnings.push_back(text_of_worker(warning));
    }
    const auto* alone = member(answer, "alone", &json::is_boolean);
    opened.alone = alone != nullptr && alone->get<bool>();
    return opened;
}

std::optional<std::size_t> read_classes(const json& answer) {
    const auto found = number_in(answer, "classes", kMostWorkerClasses);
    return found && *found >= 2 ? std::optional(static_cast<std::size_t>(*found)) : std::nullopt;
}

std::optional<NetworkOutputs> read_outputs(const json& answer) {
    const auto count = number_in(answer, "count", kMostWorkerClasses);
    const auto* classifies = member(answer, "classifies", &json::is_boolean);
    if (!count || *count == 0 || classifies == nullptr) return std::nullopt;
    return NetworkOutputs{static_cast<std::size_t>(*count), classifies->get<bool>()};
}

std::optional<std::uint64_t> read_tensors(const json& answer) {
    return number_in(answer, "tensors", kMostCoveredTensors);
}

std::vector<CoveredWeights> read_covered(const json& answer) {
    std::vector<CoveredWeights> all;
    for (const auto& json : array_in(answer, "covered", kCoveredAtOnce)) {
        const auto weights = number_in(json, "weights", Network::kMostCovered);
        const auto noticed = number_in(json, "noticed", weights.value_or(0));
        const auto dead = number_in(json, "dead", weights.value_or(0));
        if (!weights || !noticed || !dead || *noticed + *dead > *weights) return {};
        all.push_back({.name = text_in(json, "name"), .weights = *weights, .noticed = *noticed, .dead = *dead});
    }
    return all;
}

std::optional<GeneratorStep> read_generator_step(const json& answer, std::uint64_t count) {
    const auto loss = answer.find("loss");
    const auto matched = number_in(answer, "matched", count);
    if (loss == answer.end() || !matched) return std::nullopt;
    GeneratorStep step{.loss = std::numeric_limits<double>::quiet_NaN(), .matched = *matched};
    if (loss->is_number()) step.loss = loss->get<double>();
    if (!loss->is_number() && !loss->is_null()) return std::nullopt;
    return std::isinf(step.loss) ? std::nullopt : std::optional(step);
}

std::optional<TrainedStep> read_trained(const json& answer, std::size_t count) {
    const auto matched = number_in(answer, "matched", count);
    const auto* loss = member(answer, "loss", &json::is_number);
    if (!matched) return std::nullopt;
    if (loss != nullptr) return TrainedStep{loss->get<double>(), *matched};
    const auto word = text_in(answer, "loss");
    using Limits = std::numeric_limits<double>;
    if (word == "nan") return TrainedStep{Limits::quiet_NaN(), *matched};
    if (word == "inf") return TrainedStep{Limits::infinity(), *matched};
    if (word == "-inf") return TrainedStep{-Limits::infinity(), *matched};
    return std::nullopt;
}

std::optional<std::uint64_t> read_saved(const json& answer) {
    const auto bytes = number_in(answer, "bytes", std::numeric_limits<std::int64_t>::max());
    return bytes && *bytes > 0 ? bytes : std::nullopt;
}

Error read_error(const json& error) {
    const auto kind = number_in(error, "kind", static_cast<std::uint64_t>(ErrorKind::unsupported))
                          .value_or(static_cast<std::uint64_t>(ErrorKind::malformed));
    const auto remedy = number_in(error, "remedy", static_cast<std::uint64_t>(kLastRemedy)).value_or(0);
    return {static_cast<ErrorKind>(kind), text_in(error, "message"), text_in(error, "hint"),
            static_cast<Remedy>(remedy)};
}

}  // namespace modelseal::oracle
