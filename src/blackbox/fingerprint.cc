#include "blackbox/fingerprint.h"

#include <algorithm>
#include <array>

#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

namespace {

// One value for all channels, or one each.
float of_channel(const std::vector<float>& values, std::size_t channel, float otherwise) {
    return values.empty() ? otherwise : values[values.size() == 1 ? 0 : channel];
}

float normalised(const Input& input, std::size_t channel, float pixel) {
    return (pixel - of_channel(input.mean, channel, 0.0f)) / of_channel(input.std, channel, 1.0f);
}

bool is_normalised(const Input& input) {
    return !input.mean.empty() || !input.std.empty();
}

}  // namespace

void normalise(const Input& input, std::span<float> pixels) {
    if (!is_normalised(input)) return;
    const auto channels = static_cast<std::size_t>(input.shape.shape.front());
    const auto plane = input.shape.elements() / channels;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = normalised(input, i / plane % channels, pixels[i]);
}

oracle::InputShape asked_shape(const Fingerprint& fingerprint) {
    constexpr unsigned kLevels = 256;
    const auto& input = fingerprint.input;
    auto shape = input.shape;
    if (fingerprint.grid != Grid::u8 || shape.shape.empty()) return shape;
    const bool by_channel = input.mean.size() > 1 || input.std.size() > 1;
    const auto lists = by_channel ? static_cast<std::size_t>(shape.shape.front()) : 1;
    for (std::size_t channel = 0; channel < lists; ++channel) {
        auto& values = shape.gray.emplace_back();
        for (unsigned level = 0; level < kLevels; ++level) {
            const float pixel = pixel_of(input, fingerprint.unit, level);
            values.push_back(is_normalised(input) ? normalised(input, channel, pixel) : pixel);
        }
    }
    return shape;
}

}  // namespace modelseal::blackbox

namespace modelseal {
namespace {

constexpr std::array<std::string_view, 4> kAccess = {"logits", "probabilities", "label", "values"};
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
