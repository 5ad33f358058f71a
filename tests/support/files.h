// Complete files as bytes, for tests that parse real and hostile ones.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/support/bytes.h"

namespace modelseal::test {

// Throws std::runtime_error if the file cannot be read.
Bytes load(const std::filesystem::path& path);

// Regular files at or below `folder`, sorted.
std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder);

}  // namespace modelseal::test
