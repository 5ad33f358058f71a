// Small ONNX classifiers, 2 x 5 x 5 -> 3 classes, which differ in how they end.
#pragma once

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tests/support/models/onnx_builder.h"

namespace modelseal::test {

inline std::string raw_floats(const std::vector<float>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

inline std::vector<float> waves_of(std::size_t count, float scale) {
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = scale * std::sin(1.7f * static_cast<float>(i) + 0.3f);
    return numbers;
}

// A graph under construction: nodes in order, each with one output.
class SmallGraph {
  public:
    SmallGraph& floats(std::string_view name, std::initializer_list<std::uint64_t> shape,
                       const std::vector<float>& numbers) {
        tensors_.message(5, onnx::tensor(name, onnx::kFloat, shape).bytes(9, raw_floats(numbers)));
        return *this;
    }
    SmallGraph& tensor(const Proto& initializer) {
        tensors_.message(5, initializer);
        return *this;
    }
    SmallGraph& shape(std::string_view name, const std::vector<std::int64_t>& numbers) {
        Proto packed;
        for (const auto number : numbers) packed.number(static_cast<std::uint64_t>(number));
        return tensor(onnx::tensor(name, onnx::kInt64, {numbers.size()}).message(7, packed));
    }
    SmallGraph& node(std::string_view op, std::initializer_list<std::string_view> inputs,
                     std::string_view output, std::initializer_list<Proto> attributes = {},
                     std::string_view domain = "") {
        Proto node;
        for (const auto input : inputs) node.bytes(1, input);
        node.bytes(2, output).bytes(3, "n_" + std::string(output)).bytes(4, op);
        for (const auto& attribute : attributes) node.message(5, attribute);
        if (!domain.empty()) node.bytes(7, domain);
        nodes_.message(1, node);
        return *this;
    }
    // `y`: the output of the graph, with a stated number of classes, which `h` before it has as well.
    std::string build(std::string_view y, std::string_view h = "", std::uint64_t type = onnx::kFloat) const {
        Proto graph;
        graph.raw(nodes_.text()).bytes(2, "graph").raw(tensors_.text());
        graph.message(11, value("x", {2, 5, 5})).message(12, value(y, {3}, type));
        if (!h.empty()) graph.message(13, value(h, {3}));
        return onnx::model(graph)
            .message(8, Proto().bytes(1, "ai.onnx.ml").varint(2, 3))
            .message(14, onnx::entry("owner", "a test"))
            .text();
    }

  private:
    // Of a batch of any size.
    static Proto value(std::string_view name, std::initializer_list<std::uint64_t> extents,
                       std::uint64_t type = onnx::kFloat) {
        Proto shape;
        shape.message(1, Proto().bytes(2, "N"));
        for (const auto extent : extents) shape.message(1, Proto().varint(1, extent));
        const auto tensor = Proto().varint(1, type).message(2, shape);
        return Proto().bytes(1, name).message(2, Proto().message(1, tensor));
    }
    Proto tensors_, nodes_;
};

inline Proto integers_attribute(std::string_view name, std::initializer_list<std::uint64_t> numbers) {
    return Proto().bytes(1, name).packed(8, numbers).varint(20, 7);
}
inline Proto integer_attribute(std::string_view name, std::uint64_t number) {
    return Proto().bytes(1, name).varint(3, number).varint(20, 2);
}

// A normalized input, a convolution and tanh: the value "f" of 100 features.
inline SmallGraph small_features() {
    SmallGraph graph;
    graph.floats("mean", {1, 2, 1, 1}, {0.25f, 0.5f});
    graph.floats("w", {4, 2, 3, 3}, waves_of(72, 0.5f)).floats("c", {4}, waves_of(4, 0.1f));
    graph.node("Sub", {"x", "mean"}, "s");
    graph.node("Conv", {"s", "w", "c"}, "a", {integers_attribute("pads", {1, 1, 1, 1})});
    graph.node("Tanh", {"a"}, "t").node("Flatten", {"t"}, "f");
    return graph;
}

// Ends in a fully connected layer.
inline SmallGraph small_gemm() {
    auto graph = small_features();
    graph.floats("v", {3, 100}, waves_of(300, 0.3f)).floats("b", {3}, {0.1f, -0.2f, 0.3f});
    graph.node("Gemm", {"f", "v", "b"}, "y", {integer_attribute("transB", 1)});
    return graph;
}

// Ends as exports of Custom Vision do: in the name of the best class. `lookup`: ArrayFeatureExtractor or Gather.
inline std::string small_labels(std::string_view lookup = "ArrayFeatureExtractor") {
    auto graph = small_gemm();
    graph.node("Softmax", {"y"}, "loss", {integer_attribute("axis", 1)});
    graph.node("ArgMax", {"loss"}, "best", {integer_attribute("axis", 1)});
    Proto table = onnx::tensor("names", onnx::kString, {3});
    for (const auto* name : {"cat", "dog", "fox"}) table.bytes(6, name);
    graph.tensor(table);
    graph.node(lookup, {"names", "best"}, "classLabel", {}, lookup == "Gather" ? "" : "ai.onnx.ml");
    return graph.build("classLabel", "", onnx::kString);
}

}  // namespace modelseal::test
