
#include "tests/support/models/gguf_builder.h"

#include <utility>

namespace modelseal::test {
namespace {

void put_string(Bytes& bytes, std::string_view text) {
    put(bytes, std::uint64_t{text.size()});
    put(bytes, text);
}

Bytes front(const GgufFile& file) {
    Bytes bytes;
    put(bytes, std::string_view(file.magic));
    put(bytes, file.version);
    put(bytes, file.tensor_count.value_or(file.tensors.size()));
    put(bytes, file.pair_count.value_or(file.pairs.size()));
    for (const auto& pair : file.pairs) {
        put_string(bytes, pair.key);
        put(bytes, pair.type);
        bytes.insert(bytes.end(), pair.value.begin(), pair.value.end());
    }
    for (const auto& tensor : file.tensors) {
        put_string(bytes, tensor.name);
        put(bytes, tensor.rank.value_or(static_cast<std::uint32_t>(tensor.extents.size())));
        for (const auto extent : tensor.extents) put(bytes, extent);
        put(bytes, tensor.type);
        put(bytes, tensor.offset);
    }
    return bytes;
}

}  // namespace

std::uint64_t GgufFile::data_begin() const {
    const auto end = front(*this).size();
    return tensors.empty() ? end : (end + alignment - 1) / alignment * alignment;
}

Bytes GgufFile::build() const {
    auto bytes = front(*this);
    bytes.resize(static_cast<std::size_t>(data_begin() + data_bytes));
    return bytes;
}

GgufPair gguf_u32(std::string key, std::uint32_t value) {
    GgufPair pair{std::move(key), 4, {}};
    put(pair.value, value);
    return pair;
}

GgufPair gguf_string(std::string key, std::string_view value) {
    GgufPair pair{std::move(key), 8, {}};
    put_string(pair.value, value);
    return pair;
}

GgufPair gguf_array(std::string key, std::uint32_t type, std::uint64_t count, Bytes elements) {
    GgufPair pair{std::move(key), 9, {}};
    put(pair.value, type);
    put(pair.value, count);
    pair.value.insert(pair.value.end(), elements.begin(), elements.end());
    return pair;
}

GgufFile good_gguf() {
    GgufFile file;
    Bytes tokens;
    put_string(tokens, "a");
    put_string(tokens, "bc");
    file.pairs = {gguf_string("general.architecture", "test"), gguf_u32("test.block_count", 2),
                  gguf_array("tokenizer.ggml.tokens", 8, 2, tokens)};
    file.tensors = {{"w", {3, 4}, 0, 0, {}}, {"b", {5}, 0, 64, {}}, {"q", {64, 2}, 8, 96, {}}};
    file.data_bytes = 96 + 160;  // q: 4 blocks of 34 bytes, padded
    return file;
}

}  // namespace modelseal::test
