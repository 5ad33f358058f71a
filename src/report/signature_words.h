// What a check of a signature found, in words and in JSON.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "report/report.h"
#include <modelseal/report.h>

namespace modelseal::report {

std::string_view word(SignatureFinding::Outcome outcome);
std::string_view word(SignatureFinding::FileFinding::Outcome outcome);

// "signature valid, 3 files are as signed"
std::string signature_headline(const SignatureFinding& signature);
// "signed by key 5b4f..., before 2026-05-04T10:00:00Z"; empty if it is not known.
std::string signer_text(const SignatureFinding& signature);

// The entry of `checks` in modelseal-check/1.
nlohmann::ordered_json signature_json(const SignatureFinding& signature);

// One line for what is valid; for anything else the files that are not as signed. Ends with a newline.
std::string signature_text(const std::string& target, const SignatureFinding& signature,
                           const TextStyle& style);

}  // namespace modelseal::report
