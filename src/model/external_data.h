// Which files of a folder are models, and which are the external data of others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/part.h"

namespace modelseal {

struct ModelsAndData {
    std::vector<Part> models;
    std::set<std::string> data;  // paths
};

// A candidate is a model if no model names it as its external data; only models count, so a file that only
// data name is a model. `shards` are models already. ErrorKind::malformed for candidates that name one another
// in a circle. Linear (times a logarithm) in the number of names, however long a chain of files is.
Result<ModelsAndData> tell_models_from_data(std::vector<Part> candidates, const std::vector<Part>& shards);

}  // namespace modelseal
