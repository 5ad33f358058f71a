// Digests of single tensors, to name the tensors of a file that changed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "oms/statement.h"
#include <modelseal/format.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal::oms {

// For all tensors of the model at `path`, by the file in which they begin: its path in the model's folder,
// empty for a single file. SHA-256 over the elements, dense and little-endian, in row-major order.
Result<std::map<std::string, TensorDigests>> digest_tensors(const std::filesystem::path& path, unsigned jobs,
                                                            const Limits& limits);

// The same of a model that is open, for those of its tensors that are `chosen`.
using TensorChoice = std::function<bool(const Tensor&)>;
Result<std::map<std::string, TensorDigests>> digest_tensors(const model::Model& model, unsigned jobs,
                                                            const TensorChoice& chosen, Progress& progress);
// The file in which a tensor begins, by which both list it.
const std::string& file_of(const model::Model& model, const Tensor& tensor);

// The tensors of `before` that are missing from `now` or changed, and those that were added, by name.
std::vector<TensorFinding> compare_tensors(const TensorDigests& before, const TensorDigests& now);

}  // namespace modelseal::oms
