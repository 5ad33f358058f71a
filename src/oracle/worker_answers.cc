#include "oracle/worker_answers.h"

#include <limits>

#include "util/checked.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

constexpr std::size_t kMostWorkerClasses = 1u << 24;
constexpr std::size_t kMostWorkerText = 4u << 10;
constexpr std::size_t kMostDevices = 64;
constexpr std::size_t kMostDimensions = 64;

std::string text_of_worker(const json& text) {
    if (!text.is_string()) return {};
    return util::printable(std::string_view(text.get_ref<const std::string&>()).substr(0, kMostWorkerText));
}

std::string text_in(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? std::string() : text_of_worker(*found);
}

std::optional<std::uint64_t> number_in(const json& object, const char* key, std::uint64_t most) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
    const auto number = found->get<std::uint64_t>();
    return number <= most ? std::optional(number) : std::nullopt;
}

const json& array_in(const json& object, const char* key, std::size_t most) {
    static const json kNone = json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() && found->size() <= most ? *found : kNone;
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
    const auto filter = answer.find("seccomp");
    return {.landlock = number_in(answer, "landlock", 1u << 16).value_or(0) > 0,
            .filter = filter != answer.end() && filter->is_boolean() && filter->get<bool>()};
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
    return opened;
}

std::optional<std::size_t> read_classes(const json& answer) {
    const auto found = number_in(answer, "classes", kMostWorkerClasses);
    return found && *found >= 2 ? std::optional(static_cast<std::size_t>(*found)) : std::nullopt;
}

Error read_error(const json& error) {
    const auto kind = number_in(error, "kind", static_cast<std::uint64_t>(ErrorKind::unsupported))
                          .value_or(static_cast<std::uint64_t>(ErrorKind::malformed));
    return {static_cast<ErrorKind>(kind), text_in(error, "message"), text_in(error, "hint")};
}

}  // namespace modelseal::oracle
