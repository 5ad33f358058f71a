// Small safetensors files for tests: u8 tensors of given lengths, filled with a running number.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace modelseal::test {

inline std::string safetensors(const std::vector<std::pair<std::string, std::uint64_t>>& tensors) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    std::string data;
    for (const auto& [name, bytes] : tensors) {
        const auto begin = data.size();
        for (std::uint64_t i = 0; i < bytes; ++i) data.push_back(static_cast<char>(data.size() * 7));
        header[name] = {{"dtype", "U8"}, {"shape", {bytes}}, {"data_offsets", {begin, data.size()}}};
    }
    const auto text = header.dump();
    std::string file;
    for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>(text.size() >> (8 * i)));
    return file + text + data;
}

}  // namespace modelseal::test
