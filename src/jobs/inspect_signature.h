// inspect, for an OpenSSF model signature: its signer, and the files that it lists. Verifies nothing.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/inspect.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

// `text`: a Sigstore bundle. An Error if it is not a model signature.
Result<Inspection> inspect_signature(std::string_view text, const std::string& target);

}  // namespace modelseal::jobs
