// Writes GGUF files, good ones by default; a test spoils one thing by changing a field before build().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bytes.h"

namespace modelseal::test {

struct GgufPair {
    std::string key;
    std::uint32_t type = 0;
    Bytes value;
};

struct GgufTensor {
    std::string name;
    std::vector<std::uint64_t> extents;  // as in the file, the fastest first
    std::uint32_t type = 0;              // enum ggml_type
    std::uint64_t offset = 0;            // in the data section
    std::optional<std::uint32_t> rank;   // instead of the number of extents
};

struct GgufFile {
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::vector<GgufPair> pairs;
    std::vector<GgufTensor> tensors;
    std::uint64_t alignment = 32;  // of the data section; the pair general.alignment is added by the test
    std::uint64_t data_bytes = 0;  // zeros behind the infos
    std::optional<std::uint64_t> tensor_count, pair_count;  // instead of the true ones

    Bytes build() const;
    std::uint64_t data_begin() const;  // where build() puts the data section
};

// Metadata values of each kind.
GgufPair gguf_u32(std::string key, std::uint32_t value);
GgufPair gguf_string(std::string key, std::string_view value);
// `elements` as in the file.
GgufPair gguf_array(std::string key, std::uint32_t type, std::uint64_t count, Bytes elements);

// Two f32 tensors of 4 x 3 and 5 elements and one q8_0 of 2 rows of 64, with a name and an array of strings.
GgufFile good_gguf();

}  // namespace modelseal::test
