// What a format adapter promises: hostile bytes in, checked views out.
//
// An adapter reads one file through a Source and tells where each tensor's bytes lie. Everything it does not
// name is frame: names, shapes, code, padding. It never executes, allocates only after a cap was compared, and
// refuses duplicates, overlaps and sizes that leave the file. References to other files are returned as text,
// never followed.
//
// Thread safety: adapters are stateless; a Source may be read from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal {

// Bytes that can be read at any place: a file, or memory in tests and fuzz targets.
class Source {
  public:
    virtual ~Source() = default;
    virtual const std::string& name() const = 0;  // for messages
    virtual std::uint64_t size() const = 0;       // bytes; fixed for the life of the Source
    // Fills `out` from `offset`, whole or with an Error (kind unreadable); never short. Thread-safe.
    virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// Caps against hostile sizes, with room for the largest models in use. A limit of 0 is none.
struct Limits {
    std::uint64_t metadata_bytes = 256u
                                   << 20;  // JSON header, pickle, one string: what is held in memory at once
    std::uint64_t tensors = 4u << 20;      // per file
    std::uint32_t rank = 64;
    std::uint32_t depth = 64;  // nested messages, containers, sub-graphs
    std::uint64_t name_bytes = 64u << 10;
};

// A CRC-32 (IEEE 802.3, little-endian) that the container keeps over bytes that hold tensors. It is a derived
// value: when a tensor is rewritten, every field is rewritten with it.
struct Checksum {
    std::uint64_t offset = 0;           // first byte covered, in the parsed file
    std::uint64_t bytes = 0;            // how many
    std::vector<std::uint64_t> fields;  // where the four bytes stand, in ascending order
};

// One file, understood.
struct Layout {
    std::string_view format;      // "safetensors", "onnx", "pytorch", "gguf"; static storage
    std::vector<Tensor> tensors;  // in file order; names are unique
    std::vector<Checksum> checksums;
    // Files that `Segment::file` i > 0 names, at i - 1; text as found in the file, unchecked: whoever opens
    // them keeps them inside the folder.
    std::vector<std::string> references;
    std::vector<std::string> warnings;  // what a careful reader would want to know; "pickle calls os.system"
};

struct Format {
    std::string_view name;
    bool (*recognises)(const Source&);  // by content, never by file name; cheap
    Result<Layout> (*parse)(const Source&, const Limits&);
};

// All formats, in the order in which they are asked.
std::span<const Format> all_formats();

// Asks each format in turn. Error kind `unsupported` if none recognises the bytes.
Result<Layout> parse_model_file(const Source& source, const Limits& limits = {});

}  // namespace modelseal
