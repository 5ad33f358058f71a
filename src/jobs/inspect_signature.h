// inspect, of an OpenSSF model signature: who says what of which files. Verifies nothing.
#pragma once

#include <string>
#include <string_view>

#include "report/inspection.h"
#include <modelseal/result.h>

namespace modelseal::jobs {

// `text`: a Sigstore bundle. An Error if it is no model signature.
Result<Inspection> inspect_signature(std::string_view text, const std::string& target);

}  // namespace modelseal::jobs
