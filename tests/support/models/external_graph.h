// Graphs of u8 tensors that all lie in other files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/models/onnx_builder.h"

namespace modelseal::test {

struct External {
    std::string name;
    std::string location;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 8;
};

inline std::string graph_of(const std::vector<External>& tensors) {
    Proto graph;
    graph.bytes(2, "graph");
    for (const auto& tensor : tensors) {
        auto proto = onnx::tensor(tensor.name, onnx::kUint8, {tensor.bytes});
        proto.message(13, onnx::entry("location", tensor.location));
        proto.message(13, onnx::entry("offset", std::to_string(tensor.offset)));
        graph.message(5, proto.varint(14, 1));
    }
    return std::string(onnx::model(graph).text());
}

}  // namespace modelseal::test
