// Tensors in files: a name, an element type, a shape, and the place of the bytes.
//
// Nothing here owns or reads bytes; a Tensor is a plain value that stays valid after its file is closed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal {

// Element types of all supported formats. Values are written into seals: append, never renumber.
enum class DType : std::uint8_t {
    boolean = 0,
    u8 = 1,
    i8 = 2,
    u16 = 3,
    i16 = 4,
    u32 = 5,
    i32 = 6,
    u64 = 7,
    i64 = 8,
    f16 = 9,
    bf16 = 10,
    f32 = 11,
    f64 = 12,
    f8_e4m3fn = 13,
    f8_e4m3fnuz = 14,
    f8_e5m2 = 15,
    f8_e5m2fnuz = 16,
    f8_e8m0 = 17,
    f6_e2m3 = 18,
    f6_e3m2 = 19,
    f4_e2m1 = 20,
    u4 = 21,
    i4 = 22,
    u2 = 23,
    i2 = 24,
    u1 = 25,
    c32 = 26,  // complex, a pair of f16
    c64 = 27,
    c128 = 28,
    qint8 = 29,
    quint8 = 30,
    qint32 = 31,
    quint4x2 = 32,
    quint2x4 = 33,  // PyTorch quantized storages
    opaque = 34,    // bytes of an unknown type; one element is one byte
    // GGUF block types (ggml.h, enum ggml_type)
    q4_0 = 64,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q8_1,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    q8_k,
    iq2_xxs,
    iq2_xs,
    iq3_xxs,
    iq1_s,
    iq4_nl,
    iq3_s,
    iq2_s,
    iq4_xs,
    iq1_m,
    tq1_0,
    tq2_0,
    mxfp4,
    nvfp4,
    q1_0,
    q2_0,
};

struct DTypeInfo {
    std::string_view name;         // lower case, as in the JSON of `inspect`: "f32", "q4_k"
    std::uint32_t group_elements;  // elements that are stored together: 1, 2 for i4, 32 or 256 for GGUF blocks
    std::uint32_t group_bytes;     // bytes of such a group
};

// True if there is a DType of that value; for values from files.
bool is_dtype(std::uint8_t value);

// Total function: every DType has an entry.
const DTypeInfo& info(DType dtype);

// Bytes of `elements` elements that are stored densely; the last group may be partial only for sub-byte
// types, whose bytes are rounded up. Returns false on overflow of 64 bits.
bool storage_bytes(DType dtype, std::uint64_t elements, std::uint64_t& bytes);

enum class Encoding : std::uint8_t {
    dense,   // little-endian elements, `stride` bytes apart (stride == element size: contiguous)
    varint,  // protobuf base-128 varints, one an element (of sub-byte types one a group), each decoding to its
             // little-endian bits
};

// A run of consecutive elements in one file. A dense, contiguous run of sub-byte or block types starts on a
// group.
struct Segment {
    std::uint32_t file = 0;      // index into the model's files; 0 is the file that was parsed
    std::uint64_t offset = 0;    // of the first byte of the first element
    std::uint64_t bytes = 0;     // length in the file, from that byte to the end of the last element
    std::uint64_t elements = 0;  // how many elements the run holds
    // Bytes between element starts; 0: contiguous. Only for types of one element a group.
    std::uint32_t stride = 0;
    Encoding encoding = Encoding::dense;  // varint runs hold at most 8,192 elements each
};

struct Tensor {
    std::string name;  // as in the tools of the format, UTF-8
    DType dtype = DType::f32;
    std::vector<std::uint64_t> shape;  // row-major, empty for a scalar
    std::uint64_t elements = 0;        // in `segments` together; the product of `shape` unless the tensor is a
                                       // storage that is shared by several views
    std::vector<Segment> segments;     // in element order; they never overlap those of another tensor
    std::vector<std::string> aliases;  // further names of the same storage (tied or strided views)
};

}  // namespace modelseal
