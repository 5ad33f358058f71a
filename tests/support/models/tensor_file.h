// safetensors files with given bytes, for tests that need values and types.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace modelseal::test {

struct TensorBytes {
    std::string name;
    std::string dtype;  // as safetensors spells it: "F32"
    std::vector<std::uint64_t> shape;
    std::string bytes;
};

template <class T>
std::string raw(const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

inline TensorBytes floats(std::string name, const std::vector<float>& values) {
    return {std::move(name), "F32", {values.size()}, raw(values)};
}

inline std::string tensor_file(const std::vector<TensorBytes>& tensors, const std::string& note = "") {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!note.empty()) header["__metadata__"] = {{"note", note}};
    std::string data;
    for (const auto& tensor : tensors) {
        const auto begin = data.size();
        data += tensor.bytes;
        header[tensor.name] = {
            {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    const auto text = header.dump();
    std::string file;
    for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>(text.size() >> (8 * i)));
    return file + text + data;
}

}  // namespace modelseal::test
