// One TensorProto: its fields, and the places of its elements.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/onnx/layout.h"
#include "formats/onnx/schema.h"
#include "formats/protobuf.h"

namespace modelseal::formats::onnx {

// Shared by every part of the walk.
struct Walk {
    Walk(const Source& source, const Limits& caps) : input(source), limits(caps), out(source, caps) {}
    protobuf::Input input;
    const Limits& limits;
    LayoutBuilder out;

    // A name from the file: UTF-8, and not longer than the limit.
    Result<void> read_name(const protobuf::Field& field, std::string_view what, std::string& text);
    // Refuses a message that lies `depth` messages deep if that is too deep to be read by recursion.
    Result<void> check_depth(std::uint32_t depth, protobuf::Range message) const;
    // Puts `name` into `seen`, or refuses it: "the WHAT 'x' appears twice".
    Result<void> add_distinct(std::set<std::string>& seen, const std::string& name, std::string_view what,
                              std::uint64_t offset) const;
};

// A TensorProto whose data are not interpreted yet.
struct TensorHeader {
    protobuf::Range message;
    std::string name;
    std::vector<std::uint64_t> dims;  // two's complement, not yet checked
    std::uint64_t data_type = 0;
    std::uint64_t data_location = 0;
    bool segment = false;
    std::optional<protobuf::Range> raw;
    std::uint64_t strings = 0;      // elements of string_data
    std::uint64_t data_fields = 0;  // bit per field number of a data field that holds something
    std::vector<std::pair<std::string, std::string>> external;  // keys are unique
};

Result<TensorHeader> read_header(Walk& walk, protobuf::Range message);

// The tensor with its segments; nullopt for a tensor of strings, which is checked and stays frame. `name` is
// its name, also in messages.
Result<std::optional<Tensor>> locate_tensor(Walk& walk, const TensorHeader& header, std::string name);

// Segments of the numbers in the repeated field `field` of the message: tensor_data.cc.
Result<void> locate_numbers(Walk& walk, const TensorHeader& header, std::uint32_t field, Tensor& tensor);

// The segment that the external_data entries describe: tensor_data.cc.
Result<void> locate_external(Walk& walk, const TensorHeader& header, std::uint64_t needed, Tensor& tensor);

// "source: tensor 'x': what (at offset N)".
Error tensor_error(const Walk& walk, const Tensor& tensor, std::uint64_t offset, const std::string& what,
                   ErrorKind kind = ErrorKind::malformed);

// The walk over everything in an ONNX model that can hold tensors.

// Walks a complete ModelProto and passes each tensor to walk.out. Malformed without ir_version and graph.
Result<void> walk_model(Walk& walk, protobuf::Range message);

}  // namespace modelseal::formats::onnx
