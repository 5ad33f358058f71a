// Where a target stands among others: the groups that pages and summaries count and list, the worst first.
#pragma once

#include <array>
#include <string_view>

#include "report/words.h"
#include <modelseal/report.h>

namespace modelseal::report {

struct Standing {
    std::string_view id, title;  // "not-checked", "Could not be checked"
    Tone tone = Tone::plain;
    bool passes = false;
};

// The outcome of a policy counts, where there is one, and the verdict everywhere else.
inline constexpr std::array<Standing, 8> kStandings = {{
    {"denied", "Denied by the policy", Tone::bad},
    {"mismatch", "Does not match", Tone::bad},
    {"not-checked", "Could not be checked", Tone::bad},
    {"quarantined", "Quarantined by the policy", Tone::bad},
    {"nothing-found", "Nothing found to check", Tone::doubtful},
    {"warned", "Allowed with a warning", Tone::doubtful, true},
    {"allowed", "Allowed by the policy", Tone::good, true},
    {"intact", "Intact", Tone::good, true},
}};

// Its index in kStandings.
std::size_t standing_of(const CheckReport& report);

}  // namespace modelseal::report
