// Shared by the readers of a program's parts.
#pragma once

#include <string>
#include <vector>

#include "formats/onnx/program.h"
#include "formats/onnx/tensor.h"

namespace modelseal::formats::onnx {

// A walk that copies values, and so counts the memory that they take.
struct ProgramReader {
    ProgramReader(const Source& source, const Limits& limits) : walk(source, limits) {}
    Walk walk;
    std::uint64_t held = 0;

    // Call before something of this size is kept.
    Result<void> hold(std::uint64_t bytes, std::uint64_t offset);
    Result<void> name(const protobuf::Field& field, std::string_view what, std::string& text);
    Result<void> names(const protobuf::Field& field, std::string_view what, std::vector<std::string>& texts);
    // Bytes of any kind and length.
    Result<std::string> text(const protobuf::Field& field, std::string_view what);
};

// "ai.onnx" is the long name of the domain "".
void normalise_domain(std::string& domain);

Result<Constant> read_constant(ProgramReader& reader, protobuf::Range message, const std::string& what);
Result<ValueInfo> read_value_info(ProgramReader& reader, protobuf::Range message);
// `depth`: how many messages deep this one is.
Result<Attribute> read_attribute(ProgramReader& reader, protobuf::Range message, std::uint32_t depth);
Result<Node> read_node(ProgramReader& reader, protobuf::Range message, std::uint32_t depth);
Result<Graph> read_graph(ProgramReader& reader, protobuf::Range message, std::uint32_t depth);
Result<Function> read_function(ProgramReader& reader, protobuf::Range message);
Result<void> read_opset(ProgramReader& reader, protobuf::Range message, Opsets& opsets);

}  // namespace modelseal::formats::onnx
