#include <array>

#include <modelseal/fingerprint.h>

namespace modelseal {
namespace {

constexpr std::array<std::string_view, 3> kAccess = {"logits", "probabilities", "label"};
constexpr std::array<std::string_view, 2> kGrid = {"none", "u8"};
constexpr std::array<std::string_view, 2> kSchedule = {"keyed", "paper"};
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

}  // namespace modelseal
