// The protobuf wire format (protobuf.dev/programming-guides/encoding), read as positions in a file: a parser
// that copies values could not report where a tensor's bytes are.
//
//   message = *( tag payload )        tag = varint( number << 3 | wire )
//   payload = varint | 8 bytes | length bytes | 4 bytes
//
// The walk is stricter than most readers, because readers differ here: a singular field must not occur twice
// (some take the last, some merge), a known field must have its declared wire type (some skip it), and groups
// are refused. Unknown fields are skipped. Nothing here allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/reader.h"

namespace modelseal::formats::protobuf {

enum class Wire : std::uint8_t { varint, fixed64, bytes, group_begin, group_end, fixed32 };

// Half-open range of file offsets.
struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t size() const { return end - begin; }
};

enum class Times : std::uint8_t {
    once,
    often,
    numbers,  // repeated numbers, one a field or many packed into a field of bytes
};

struct FieldRule {
    std::uint32_t number;  // below 64
    Wire wire;
    Times times;
    std::string_view name;
};

// The rules for a message: the fields that readers of the format know.
struct Message {
    std::string_view name;
    std::span<const FieldRule> fields;
    const FieldRule* find(std::uint32_t number) const;
};

// One reader for the complete walk, so that there is one window, however deep the messages nest; and the few
// bytes around the last varint, for the next one.
class Input {
  public:
    explicit Input(const Source& from) : source(from), reader(from) {}
    const Source& source;
    Reader reader;

    // Makes bytes() valid for [at, at + count), which is inside the source; count is at most kNear.
    Result<void> load(std::uint64_t at, std::size_t count);
    const std::byte* bytes(std::uint64_t at) const { return near_.data() + (at - near_begin_); }

  private:
    static constexpr std::size_t kNear = 1024;
    std::array<std::byte, kNear> near_;
    std::uint64_t near_begin_ = 0;
    std::uint64_t near_end_ = 0;
};

struct Field {
    std::uint32_t number = 0;
    Wire wire = Wire::varint;
    bool known = false;       // the Message has a rule for it, and it obeys
    std::uint64_t tag = 0;    // where the field begins
    std::uint64_t value = 0;  // of a varint
    Range payload;            // after tag and length
};

// Walks the fields of one message. Walks over other ranges of the same Input may be interleaved with it.
class Fields {
  public:
    Fields(Input& input, Range range, const Message& message)
        : input_(input), message_(message), at_(range.begin), end_(range.end) {}

    // The next field, or nullopt at the end of the message. Its payload is inside the message.
    Result<std::optional<Field>> next();

  private:
    Result<void> read_payload(Field& field);
    Result<void> check_rule(Field& field);
    Error malformed(std::uint64_t offset, const std::string& what) const;

    Input& input_;
    const Message& message_;
    std::uint64_t at_;
    std::uint64_t end_;
    std::uint64_t seen_ = 0;  // bit per field number
};

struct Varint {
    std::uint64_t value = 0;
    std::uint64_t end = 0;  // offset of the next byte
};

// Reads a varint of at most ten bytes that starts at `at` and ends before `end`. Accepts longer spellings
// than needed, as every reader does.
Result<Varint> read_varint(Input& input, std::uint64_t at, std::uint64_t end);

// The payload of a string or bytes field.
Result<std::string> read_text(Input& input, const Field& field, std::uint64_t cap, std::string_view what);

}  // namespace modelseal::formats::protobuf
