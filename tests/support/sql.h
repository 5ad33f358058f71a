// Access to a ledger with SQLite and without the key.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace modelseal::test {

// Runs the statements, with no protection on, and throws std::runtime_error if one fails. Returns the rows,
// their columns joined with '|'; blobs are for hex() to show.
std::vector<std::string> sql(const std::filesystem::path& file, const std::string& statements);

}  // namespace modelseal::test
