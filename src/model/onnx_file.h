// An ONNX file as a program together with the files that its constants lie in.
#pragma once

#include "formats/onnx_program.h"
#include "model/model.h"

namespace modelseal {

struct OnnxFile {
    formats::onnx::Program program;
    Model files;  // no tensors: Segment::file of the program's constants indexes `files.files`
};

// `files`: the graph first, then what open_model() found to belong to it, by path. A constant that leaves its
// file or lies in one that is not there is refused.
Result<OnnxFile> read_onnx_file(Model files, const Limits& limits = {});

}  // namespace modelseal
