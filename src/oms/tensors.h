// Digests of single tensors, to name the tensors of a file that changed.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "oms/statement.h"
#include <modelseal/format.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal::oms {

// For all tensors of the model at `path`, by the file in which they begin: its path in the model's folder,
// empty for a single file. SHA-256 over the elements, dense and little-endian, in row-major order.
Result<std::map<std::string, TensorDigests>> digest_tensors(const std::filesystem::path& path, unsigned jobs,
                                                            const Limits& limits);

// The tensors of `before` that are missing from `now` or changed, and those that were added, by name.
std::vector<TensorFinding> compare_tensors(const TensorDigests& before, const TensorDigests& now);

}  // namespace modelseal::oms
