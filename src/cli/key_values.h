// KEY=VALUE options, as --stamp and --expect take them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage, naming the option, for a text without '=' or with nothing before it.
Result<std::vector<std::pair<std::string, std::string>>> key_values(const std::vector<std::string>& texts,
                                                                    const char* option);

}  // namespace modelseal::cli
