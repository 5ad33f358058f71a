// Decides which files of a folder are models, and which are the external data of others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "formats/onnx/program.h"
#include "model/model.h"
#include "model/part.h"

namespace modelseal::model {

struct ModelsAndData {
    std::vector<Part> models;
    std::set<std::string> data;  // paths
};

// A candidate is a model if no model names it as its external data. Only models count, so a file that only
// data files name is a model. `shards` are models already. ErrorKind::malformed for candidates that name one
// another in a circle. Time O(n log n) in the number of names, however long a chain of files is.
Result<ModelsAndData> tell_models_from_data(std::vector<Part> candidates, const std::vector<Part>& shards);

// An ONNX file as a program, together with the files that its constants are in.

struct OnnxFile {
    formats::onnx::Program program;
    Model files;  // no tensors: Segment::file of the program's constants indexes `files.files`
};

// `files`: the graph first, then the other files of the model from open_model(), by path. Refuses a constant
// that leaves its file or is in a file that is missing.
Result<OnnxFile> read_onnx_file(Model files, const Limits& limits = {});

}  // namespace modelseal::model
