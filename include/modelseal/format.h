// The contract of a format adapter: hostile bytes in, checked views out.
//
// An adapter reads one file through a Source and reports where each tensor's bytes are. Everything it does
// not name is frame: names, shapes, code, padding. It never executes anything, allocates only after comparing
// with a cap, and refuses duplicates, overlaps and sizes that leave the file. References to other files are
// returned as text, never followed.
//
// Thread safety: adapters are stateless; a Source may be read from several threads at once.
#pragma once

#include <chrono>
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

// Bytes with random access: a file, or memory in tests and fuzz targets.
class Source {
  public:
    virtual ~Source() = default;
    virtual const std::string& name() const = 0;  // for messages
    virtual std::uint64_t size() const = 0;       // bytes; fixed for the life of the Source
    // Fills `out` from `offset`, completely or with an Error (kind unreadable). Thread-safe.
    virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// Which symbolic links in a model's folder are followed.
enum class Links {
    refused,  // a model with links is an Error (unsupported)
    // Links to regular files in the folder. In a cache of Hugging Face, NAME/snapshots/REVISION, they may lead to
    // NAME/blobs; in a mounted ConfigMap of Kubernetes, to its folder "..data". Others are refused.
    inside,
};

// Caps against hostile sizes, with room for the largest models in use. A limit of 0 means none.
struct Limits {
    std::uint64_t metadata_bytes = 256u << 20;  // JSON header, pickle, one string: held in memory at once
    std::uint64_t tensors = 4u << 20;           // per file
    std::uint32_t rank = 64;
    std::uint32_t depth = 64;  // nested messages, containers, sub-graphs
    std::uint64_t name_bytes = 64u << 10;
    Links links = Links::refused;
    // From then on, files of a model are not read any more: what reads them ends with an Error (unreadable).
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// A CRC-32 (IEEE 802.3, little-endian) that the container keeps over bytes of tensors. It is a derived value:
// if a tensor is rewritten, every field is rewritten with it.
struct Checksum {
    std::uint64_t offset = 0;           // first byte covered, in the parsed file
    std::uint64_t bytes = 0;            // how many
    std::vector<std::uint64_t> fields;  // offsets of the four bytes, in ascending order
};

// The parsed layout of one file.
struct Layout {
    std::string_view format;      // "safetensors", "onnx", "pytorch", "gguf"; static storage
    std::vector<Tensor> tensors;  // in file order; names are unique
    std::vector<Checksum> checksums;
    // The file of `Segment::file` i > 0 is at i - 1; text as found in the file, unchecked: code that opens
    // such a file must keep it inside the folder.
    std::vector<std::string> references;
    std::vector<std::string> warnings;  // warnings for a careful reader: "pickle calls os.system"
};

struct Format {
    std::string_view name;
    bool (*recognises)(const Source&);  // by content, never by file name; cheap
    Result<Layout> (*parse)(const Source&, const Limits&);
};

// All formats, in the order in which they are tried.
std::span<const Format> all_formats();

// Tries each format in order. Error kind `unsupported` if none recognizes the bytes.
Result<Layout> parse_model_file(const Source& source, const Limits& limits = {});

}  // namespace modelseal
