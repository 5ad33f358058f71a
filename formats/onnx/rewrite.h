// Writes an ONNX file again with other values of some of its tensors.
//
// Everything that is not named in Changes keeps its bytes: nodes, names, metadata, fields that are unknown
// here, and their order. A changed tensor keeps its type; its elements become raw_data. Tensors in external
// files come into the file, so that the result is a model by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats::onnx {

struct NewValues {
    std::vector<std::uint64_t> shape;
    std::vector<std::byte> bytes;  // little-endian, row-major, of the type that the file states
};

using Extents = std::map<std::size_t, std::uint64_t>;  // by axis

// All names are those of the main graph.
struct Changes {
    // An initializer, or the output of a Constant node with a tensor.
    std::map<std::string, NewValues> tensors = {};
    // Extents of the graph's inputs and outputs. A dimension that the file states by a symbol, or not at all,
    // stays as it is.
    std::map<std::string, Extents> extents = {};
    // Values whose value_info is left out; readers infer it.
    std::set<std::string> forgotten = {};
};

// Fills `out` from the external file that a tensor names by this text.
using ReadExternal =
    std::function<Result<void>(const std::string& location, std::uint64_t offset, std::span<std::byte> out)>;

// The new file. At most `most` bytes, and never 2 GiB, which readers of protobuf refuse: Error `unsupported`.
// `malformed` for a broken file; `internal` for a tensor that the file does not have, or of which `bytes` are
// not as many as type and shape need. Memory: the result, and the tensors that are new in it.
Result<std::vector<std::byte>> rewrite(const Source& source, const Changes& changes,
                                       const ReadExternal& external, std::uint64_t most,
                                       const Limits& limits = {});

}  // namespace modelseal::formats::onnx
