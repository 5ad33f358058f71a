// The graph of an ONNX file as plain structures that can be run: nodes with all their attributes, inputs and
// outputs, and the places of the elements of each constant (onnx.proto, onnx-ml.proto).
//
// Memory stays below Limits::metadata_bytes, however small the file is; names are unique where the format
// requires it. Code that runs the graph checks whether a node's inputs are defined and what its operator
// means.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats::onnx {

// A TensorProto. Strings have no DType and no segment; they are kept here.
struct Constant {
    Tensor tensor;  // name, shape, segments as in a Layout; Segment::file i > 0 is Program::references[i - 1]
    bool is_text = false;
    std::vector<std::string> text;
};

struct Graph;

// AttributeProto.AttributeType, those that can be read.
enum class AttributeType : std::uint8_t {
    real = 1,
    integer = 2,
    string = 3,
    tensor = 4,
    graph = 5,
    reals = 6,
    integers = 7,
    strings = 8,
    tensors = 9,
    graphs = 10,
    type_proto = 13,  // its value is not kept
    type_protos = 14,
};

// A single value is a list of one.
struct Attribute {
    std::string name;
    AttributeType type = AttributeType::integer;
    std::string reference;  // in a function: the function's attribute that this one stands for; else empty
    std::vector<float> reals;
    std::vector<std::int64_t> integers;
    std::vector<std::string> strings;  // any bytes
    std::vector<Constant> tensors;
    std::vector<Graph> graphs;
};

struct Node {
    std::string name;    // for messages; may be empty
    std::string domain;  // "" for "ai.onnx" too
    std::string op_type;
    std::string overload;
    std::vector<std::string> inputs;   // empty: left out
    std::vector<std::string> outputs;  // empty: not used
    std::vector<Attribute> attributes;
    const Attribute* find(std::string_view attribute) const;
};

struct Dimension {
    std::int64_t extent = -1;  // -1: not fixed
    std::string symbol;        // "batch_size"; may be empty
};

enum class ValueKind : std::uint8_t { unknown, tensor, sequence, map, sparse, optional };

struct ValueInfo {
    std::string name;
    ValueKind kind = ValueKind::unknown;
    std::uint64_t data_type = 0;  // TensorProto.DataType of a tensor
    bool has_shape = false;
    std::vector<Dimension> shape;
};

struct Graph {
    std::string name;
    std::vector<Node> nodes;
    std::vector<ValueInfo> inputs;  // before IR version 4 initializers are among them
    std::vector<ValueInfo> outputs;
    std::vector<Constant> initializers;
};

using Opsets = std::map<std::string, std::int64_t>;  // version by domain; "" for "ai.onnx" too

struct Function {
    std::string domain;
    std::string name;
    std::string overload;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<std::string> attributes;  // that have no default
    std::vector<Attribute> defaults;
    std::vector<Node> nodes;
    Opsets opsets;
};

struct Program {
    std::int64_t ir_version = 0;
    std::string producer;
    Opsets opsets;
    Graph graph;
    std::vector<Function> functions;
    std::vector<std::pair<std::string, std::string>> metadata;  // keys are unique
    std::vector<std::string> references;                        // as Layout::references
};

// Reads a ModelProto. `unsupported` for sparse initializers and attributes.
Result<Program> read_program(const Source& source, const Limits& limits = {});

}  // namespace modelseal::formats::onnx
