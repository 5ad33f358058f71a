// A small ONNX network with rectified units: 6 numbers -> product -> units -> product -> 4 classes.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/models/onnx_builder.h"

namespace modelseal::test {

struct RectifiedNetwork {
    static constexpr std::size_t kInputs = 6, kUnits = 16, kClasses = 4;
    std::vector<Proto> bend{bend_of("Relu")};  // nodes from h to r
    std::vector<float> first = waves(kInputs * kUnits, 1.3f), second = waves(kUnits * kClasses, 0.9f);

    static Proto bend_of(std::string_view op) { return Proto().bytes(1, "h").bytes(2, "r").bytes(4, op); }

    std::string build() const {
        const auto product = [](const char* a, const char* b, const char* c) {
            return Proto().bytes(1, a).bytes(1, b).bytes(2, c).bytes(4, "MatMul");
        };
        const auto weights = [](const char* name, std::size_t rows, std::size_t columns,
                                const std::vector<float>& values) {
            Proto raw;
            for (const float value : values) raw.little_endian(std::bit_cast<std::uint32_t>(value), 4);
            return onnx::tensor(name, onnx::kFloat, {rows, columns}).bytes(9, raw.text());
        };
        Proto graph;
        graph.message(1, product("x", "w1", "h"));
        for (const auto& node : bend) graph.message(1, node);
        graph.message(1, product("r", "w2", "y")).bytes(2, "g");
        graph.message(5, weights("w1", kInputs, kUnits, first));
        graph.message(5, weights("w2", kUnits, kClasses, second));
        const auto zero = std::string(4, '\0');
        graph.message(5, onnx::tensor("zero", onnx::kFloat, {}).bytes(9, zero));
        graph.message(11, Proto().bytes(1, "x").message(2, Proto().message(1, Proto().varint(1, 1))));
        graph.message(12, Proto().bytes(1, "y"));
        return Proto().varint(1, 10).message(7, graph).message(8, Proto().varint(2, 23)).text();
    }

    // The units of an input before they are rectified.
    std::array<double, kUnits> units(std::span<const float> input) const {
        std::array<double, kUnits> sums{};
        for (std::size_t i = 0; i < kInputs; ++i) {
            for (std::size_t u = 0; u < kUnits; ++u)
                sums[u] += static_cast<double>(input[i]) * static_cast<double>(first[i * kUnits + u]);
        }
        return sums;
    }

  private:
    static std::vector<float> waves(std::size_t count, float scale) {
        std::vector<float> values(count);
        for (std::size_t i = 0; i < count; ++i)
            values[i] = scale * std::sin(2.3f * static_cast<float>(i) + 0.4f);
        return values;
    }
};

}  // namespace modelseal::test
