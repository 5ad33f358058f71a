// The text in which a cache keeps a report.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <modelseal/report.h>

namespace modelseal::jobs {

// Whether there is nothing in it but an intact seal that covers everything, not even a warning, which may be about what lies
// beside the model: what a cache may answer with.
bool may_be_kept(const CheckReport& report);

// Precondition: may_be_kept().
std::string kept_text(const CheckReport& report);
// Nothing for any other text.
std::optional<CheckReport> kept_report(std::string_view text);

}  // namespace modelseal::jobs
