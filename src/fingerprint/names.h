// The words for access, grid, schedule and rung, in files and on the command line.
#pragma once

#include <optional>
#include <string_view>

#include <modelseal/fingerprint.h>

namespace modelseal::fingerprint {

std::string_view name_of(Access access);      // logits, probabilities, label
std::string_view name_of(Grid grid);          // none, u8
std::string_view name_of(Schedule schedule);  // keyed, paper
std::string_view name_of(Rung rung);          // exact, fp32, mixed

// Nothing for any other word.
std::optional<Access> access_of(std::string_view name);
std::optional<Grid> grid_of(std::string_view name);
std::optional<Schedule> schedule_of(std::string_view name);
std::optional<Rung> rung_of(std::string_view name);

}  // namespace modelseal::fingerprint
