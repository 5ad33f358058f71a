// Gathers the tensors of an ONNX file, gives them unique names and compares them with the caps.
//
// Names: an initializer of the main graph keeps its own. A tensor at a deeper level has a path:
// "NODE/ATTRIBUTE" for the tensor of an attribute, "NODE/then_branch/NAME" in a sub-graph,
// "DOMAIN::FUNCTION/NAME" in a function, "training_info[0]/algorithm/NAME" in a training graph. The value of
// a Constant node has the name of the node's output, and the indices of the sparse NAME are "NAME/indices". A
// node without a name goes by its first output. If two names are equal, the later in the file gets "#2",
// "#3", ...; initializers of the main graph never do.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats::onnx {

enum class Naming {
    own,   // an initializer of the main graph, checked to be unique there
    path,  // may get a number
};

class LayoutBuilder {
  public:
    LayoutBuilder(const Source& source, const Limits& limits) : source_(source), limits_(limits) {}

    // Call before each tensor, listed or not, and before each segment that does not merely continue a run of
    // full ones: this bounds the memory that a small file can take. `offset` is for the message.
    Result<void> count_tensor(std::uint64_t offset);
    Result<void> count_piece(std::uint64_t offset);

    // Segment::file for an external file; each text is kept once.
    std::uint32_t reference(const std::string& location);
    void warn_once(std::string text);
    Result<void> add(Tensor tensor, Naming naming, std::uint64_t offset);

    // The layout, or an Error if two tensors overlap in an external file. Tensors of one type at exactly the
    // same place there are one tensor with aliases.
    Result<Layout> finish(std::string_view format) &&;

  private:
    void name_tensors();
    Result<void> join_shared();

    const Source& source_;
    const Limits& limits_;
    Layout layout_;
    std::vector<Naming> naming_;                  // of each tensor
    std::map<std::string, std::uint32_t> files_;  // by location
    std::uint64_t tensors_ = 0;
    std::uint64_t pieces_ = 0;
    std::uint64_t name_bytes_ = 0;
};

}  // namespace modelseal::formats::onnx
