// Digests of single tensors, so that a file that changed can be told from one with a changed tensor.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/progress.h"
#include "oms/statement.h"
#include "oms/tree.h"
#include <modelseal/format.h>
#include <modelseal/report.h>

namespace modelseal::oms {

// Of all tensors of the model at `path`, by the file that they begin in: its path in the model's folder, empty
// for the one file that was given. SHA-256 over the elements, dense and little-endian, in row-major order.
Result<std::map<std::string, TensorDigests>> digest_tensors(const std::filesystem::path& path, unsigned jobs,
                                                            const Limits& limits);

// A signature of one file says nothing of others that its tensors lie in, as those of a graph with external
// data do: ErrorKind::unsupported for such a file, whatever the signature. No error for what is no model.
Result<void> tensors_lie_inside(const Tree& tree, const std::string& name, const Limits& limits);

// What of `before` is not in `now` as it was, by name.
std::vector<TensorFinding> compare_tensors(const TensorDigests& before, const TensorDigests& now);

}  // namespace modelseal::oms
