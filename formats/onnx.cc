// ONNX: a protobuf message ModelProto (https://onnx.ai/onnx/repo-docs/IR.html), in which tensors lie as
// initializers and in attributes, or beside it in files of external data.
//
//   ModelProto  = ir_version graph functions* training_info*          NodeProto      = attribute*
//   GraphProto  = node* initializer* sparse_initializer*              AttributeProto = t | g | tensors | graphs
//   | ... TensorProto = dims data_type ( raw_data | float_data | int32_data | ... | external_data )
//
// A walker of our own instead of the generated code: that copies values and drops where they came from.
#include "formats/leaves.h"
#include "formats/onnx_graph.h"

namespace modelseal::formats {
namespace {

using protobuf::Field;
using protobuf::Fields;
using protobuf::Input;

constexpr std::uint64_t kMaxIrVersion = 255;  // 13 in 2025, one more in most years
constexpr int kMaxFields = 1024;              // looked at in order to recognise a model

bool plausible_version(std::uint64_t version) {
    return version >= 1 && version <= kMaxIrVersion;
}

// Whether the bytes from `begin` look like the first field of a graph.
bool begins_as_graph(Input& input, std::uint64_t begin) {
    const auto end = input.source.size();
    if (begin >= end) return false;
    const auto tag = protobuf::read_varint(input, begin, end);
    if (!tag) return false;
    const auto* rule = onnx::graph::kMessage.find(static_cast<std::uint32_t>(tag->value >> 3));
    return tag->value < 512 && rule != nullptr && static_cast<std::uint64_t>(rule->wire) == (tag->value & 7);
}

// There is no magic number. Writers put ir_version first and the graph behind a few strings: so a plausible
// version, then nothing but known fields up to a graph that begins as one. A graph may leave the file: that is
// a model which was cut, and parse_onnx() says so. Where the order is another, all fields are looked at.
bool recognises_onnx(const Source& source) {
    Input input(source);
    bool version = false;
    bool graph = false;
    std::uint64_t at = 0;
    Fields fields(input, {0, source.size()}, onnx::model::kMessage);
    for (int count = 0; count < kMaxFields; ++count) {
        const auto next = fields.next();
        if (!next) {
            // Was it a graph that is longer than the file?
            const auto tag = protobuf::read_varint(input, at, source.size());
            if (!version || !tag || tag->value != (onnx::model::graph << 3 | 2)) return false;
            const auto length = protobuf::read_varint(input, tag->end, source.size());
            return length && begins_as_graph(input, length->end);
        }
        if (!next->has_value()) return version && graph;
        const Field& field = **next;
        if (!field.known) return false;
        if (field.number == onnx::model::ir_version) {
            if (!plausible_version(field.value)) return false;
            version = true;
        }
        if (field.number == onnx::model::graph) {
            if (field.payload.size() != 0) {
                if (!begins_as_graph(input, field.payload.begin)) return false;
                if (version) return true;
            }
            graph = true;
        }
        at = field.payload.end;
    }
    return version && graph;
}

Result<Layout> parse_onnx(const Source& source, const Limits& limits) {
    onnx::Walk walk(source, limits);
    MODELSEAL_TRY(onnx::walk_model(walk, {0, source.size()}));
    return std::move(walk.out).finish(kOnnx.name);
}

}  // namespace

const Format kOnnx = {"onnx", recognises_onnx, parse_onnx};

}  // namespace modelseal::formats
