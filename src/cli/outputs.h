// Guards the slip of the hand: an output never takes the place of an input.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage if `output` names the same file as one of `inputs`, by whatever path. Empty names are no
// files.
Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs);

}  // namespace modelseal::cli
