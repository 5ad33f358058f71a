// Guards the slip of the hand: an output never takes the place of an input, of a key, or of anything else that
// exists only once.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage if `output` names the same file as one of `inputs`, by whatever path, or a
// file that no output replaces. Empty names are not files.
Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs);

}  // namespace modelseal::cli
