// An ONNX file as a program together with the files that its constants lie in.
#pragma once

#include <filesystem>

#include "formats/onnx_program.h"
#include "model/model.h"

namespace modelseal {

struct OnnxFile {
    formats::onnx::Program program;
    Model files;  // no tensors: Segment::file of the program's constants indexes `files.files`
};

// External data is opened by the rules of open_model(): inside the file's folder, never through a link. A
// constant that leaves its file is refused.
Result<OnnxFile> open_onnx_file(const std::filesystem::path& path, const Limits& limits = {});

}  // namespace modelseal
