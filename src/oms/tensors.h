// Digests of single tensors, so that a file that changed can be told from one with a changed tensor.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/progress.h"
#include "oms/statement.h"
#include <modelseal/format.h>
#include <modelseal/report.h>

namespace modelseal::oms {

// Of all tensors of the model at `path`, by the file that they begin in: its path in the model's folder, empty
// for the one file that was given. SHA-256 over the elements, dense and little-endian, in row-major order.
Result<std::map<std::string, TensorDigests>> digest_tensors(const std::filesystem::path& path, unsigned jobs,
                                                            const Limits& limits);

// What of `before` is not in `now` as it was, by name.
std::vector<TensorFinding> compare_tensors(const TensorDigests& before, const TensorDigests& now);

}  // namespace modelseal::oms
