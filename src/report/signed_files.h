// What an OpenSSF model signature lists, as `inspect` shows it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/inspection.h"

namespace modelseal::report {

// Name and value, ready to be printed; the names may repeat.
std::vector<std::pair<std::string, std::string>> signed_facts(const SignatureContents& signature);
std::string signed_table(const SignatureContents& signature, const TextStyle& style);
void add_signed(const SignatureContents& signature, nlohmann::ordered_json& out);

}  // namespace modelseal::report
