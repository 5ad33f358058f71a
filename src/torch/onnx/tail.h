// The end of a graph that makes labels of its numbers: ArgMax, tables of labels, maps from labels to scores. A
// class by itself has no distance from its boundary and no gradient; the numbers before it have both.
#pragma once

#include <optional>
#include <string>

#include "formats/onnx/program.h"

namespace modelseal::libtorch::onnx {

// Leaves out outputs that are labels, texts, maps or sequences. Maps (ZipMap) become the row of scores that they are made from;
// if no output has real numbers, so does every label. The result states in words what was done; nullopt if every
// output stays, or none would be left.
std::optional<std::string> cut_labels(formats::onnx::Graph& graph);

}  // namespace modelseal::libtorch::onnx
