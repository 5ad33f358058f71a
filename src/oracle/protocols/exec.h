// Messages between modelseal and a program that answers queries: modelseal-exec(7).
//
// JSON lines:  > {"id":1,"shape":[2,3,32,32],"inputs":[[...],[...]]}
//              < {"id":1,"outputs":[[...],[...]]}, {"id":1,"labels":[3,5]} or {"id":1,"error":"..."}
// binary:      a frame is the length of its header and of its data, two little-endian 32-bit numbers, then both
//              > {"id":1,"shape":[2,3,32,32],"datatype":"FP32"}   < {"id":1,"shape":[2,10],"datatype":"FP32"}
//              Labels and errors are as in JSON lines, and such a frame has no data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/output_tensor.h"

namespace modelseal::oracle {

// Splits a command into words like a shell, without its other features: blanks separate, '...' and "..." keep
// together, a backslash takes the next character literally.
Result<std::vector<std::string>> split_command(std::string_view command);

std::string exec_line(std::uint64_t id, std::span<const std::int64_t> shape, std::span<const float> values);
std::string exec_frame(std::uint64_t id, std::span<const std::int64_t> shape, std::span<const float> values);

inline constexpr std::size_t kFramePrefix = 8;
inline constexpr std::size_t kMaxExecAnswer = 64u << 20;
inline constexpr std::size_t kMaxFrameHeader = 16u << 20;  // labels are in it

// Bytes of the complete frame that begins with `prefix`, kFramePrefix bytes; nullopt if it is larger than
// allowed.
std::optional<std::size_t> frame_bytes(std::string_view prefix);

struct ExecAnswer {
    std::string error;    // the program's error; then there is no output
    OutputTensor output;  // without a name
};

// Parses a complete line, with or without its end, or a complete frame. Error `malformed`.
Result<ExecAnswer> parse_exec_line(std::string_view line, std::uint64_t id, const std::string& source);
Result<ExecAnswer> parse_exec_frame(std::string_view frame, std::uint64_t id, const std::string& source);

}  // namespace modelseal::oracle
