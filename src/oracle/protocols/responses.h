// Answers made offline: one file in a folder, in the order of the challenge's files.
//
//   responses.npy    float32 or float64 [count, classes], or int32 or int64 labels [count]
//   responses.json   {"outputs": [[..], ..]} or {"labels": [..]}
//   responses.csv    a line an input: its number or file name, then its outputs, or one label; in any order
#pragma once

#include <cstddef>
#include <filesystem>

#include "oracle/oracle.h"
#include <modelseal/format.h>

namespace modelseal::oracle {

// `unreadable` if there is no such file or more than one; `malformed` for another number of rows than `count`
// or of outputs than `classes`, duplicate rows, and numbers that are not finite. Time and memory are O(count
// x classes), whatever the file is.
Result<Answers> read_responses(const std::filesystem::path& folder, std::size_t count, std::size_t classes);

// The same for a file in memory; `source.name()` ends in .npy, .json or .csv.
Result<Answers> parse_responses(const Source& source, std::size_t count, std::size_t classes);

}  // namespace modelseal::oracle
