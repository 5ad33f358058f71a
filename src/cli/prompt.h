// A question on the terminal whose answer is not shown.
#pragma once

#include <optional>
#include <string>

#include <modelseal/result.h>

namespace modelseal::cli {

// Asks on the controlling terminal, whatever standard input and output are. Nothing if there is no terminal; an
// Error if the user closed the input. The caller wipes the answer.
Result<std::optional<std::string>> ask_hidden(const std::string& question);

}  // namespace modelseal::cli
