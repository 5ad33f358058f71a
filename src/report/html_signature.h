// The part of a page that tells of a signature.
#pragma once

#include <string>

#include <modelseal/report.h>

namespace modelseal::report {

// Facts, and the files that are not as signed with their tensors.
std::string signature_section(const SignatureFinding& finding);

}  // namespace modelseal::report
