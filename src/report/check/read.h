// Reads the JSON of `check` back, so that results of many machines are shown by the same renderers as those of one.
#pragma once

#include <string_view>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::report {

// `json`: an object of the schema modelseal-check/1, from anywhere. What the JSON leaves out (margins and pictures of a
// fingerprint, codes of remedies) is absent; all else is as it was, so that text, page and JSON of both reports are the
// same. ErrorKind::malformed, which names the member, for anything that is not such an object; members that are not known
// are none of it.
Result<CheckReport> read_report(std::string_view json);

}  // namespace modelseal::report
