#include "blackbox/fingerprint.h"

#include <algorithm>
#include <array>

#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

void normalise(const Input& input, std::span<float> pixels) {
    if (input.mean.empty() && input.std.empty()) return;
    const auto channels = static_cast<std::size_t>(input.shape.shape.front());
    const auto plane = input.shape.elements() / channels;
    const auto of = [](const std::vector<float>& values, std::size_t channel, float otherwise) {
        return values.empty() ? otherwise : values[values.size() == 1 ? 0 : channel];
    };
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const auto channel = i / plane % channels;
        pixels[i] = (pixels[i] - of(input.mean, channel, 0.0f)) / of(input.std, channel, 1.0f);
    }
}

}  // namespace modelseal::blackbox

namespace modelseal {
namespace {

constexpr std::array<std::string_view, 3> kAccess = {"logits", "probabilities", "label"};
constexpr std::array<std::string_view, 2> kGrid = {"none", "u8"};
constexpr std::array<std::string_view, 4> kSchedule = {"keyed", "paper", "dbi", "aid"};
constexpr std::array<std::string_view, 2> kMethod = {"pairs", "generator"};
constexpr std::array<std::string_view, 4> kArm = {"both", "classification", "variance", "none"};
constexpr std::array<std::string_view, 3> kRung = {"exact", "fp32", "mixed"};

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(Access access) {
    return kAccess[static_cast<std::size_t>(access)];
}
std::string_view name_of(Grid grid) {
    return kGrid[static_cast<std::size_t>(grid)];
}
std::string_view name_of(Schedule schedule) {
    return kSchedule[static_cast<std::size_t>(schedule)];
}
std::string_view name_of(Rung rung) {
    return kRung[static_cast<std::size_t>(rung)];
}

std::string_view name_of(FingerprintMethod method) {
    return kMethod[static_cast<std::size_t>(method)];
}
std::string_view name_of(Arm arm) {
    return kArm[static_cast<std::size_t>(arm)];
}

std::optional<Access> access_of(std::string_view name) {
    return find<Access>(kAccess, name);
}
std::optional<Grid> grid_of(std::string_view name) {
    return find<Grid>(kGrid, name);
}
std::optional<Schedule> schedule_of(std::string_view name) {
    return find<Schedule>(kSchedule, name);
}
std::optional<Rung> rung_of(std::string_view name) {
    return find<Rung>(kRung, name);
}
std::optional<FingerprintMethod> method_of(std::string_view name) {
    return find<FingerprintMethod>(kMethod, name);
}
std::optional<Arm> arm_of(std::string_view name) {
    return find<Arm>(kArm, name);
}

}  // namespace modelseal
