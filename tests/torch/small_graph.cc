#include "tests/torch/small_graph.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "formats/reader.h"

namespace modelseal::test {

namespace onnx {

std::string floats(std::initializer_list<float> numbers) {
    Proto raw;
    for (const auto number : numbers) raw.little_endian(std::bit_cast<std::uint32_t>(number), 4);
    return raw.text();
}

std::string some_floats(int count) {
    Proto raw;
    for (int i = 0; i < count; ++i) {
        const auto number = 0.3F * std::sin(1.7F * static_cast<float>(i) + 0.4F) + (i % 2 == 0 ? 0.2F : -0.2F);
        raw.little_endian(std::bit_cast<std::uint32_t>(number), 4);
    }
    return raw.text();
}

Proto weights(std::string_view name, std::initializer_list<std::uint64_t> dims) {
    int count = 1;
    for (const auto extent : dims) count *= static_cast<int>(extent);
    return tensor(name, kFloat, dims).bytes(9, some_floats(count));
}

Proto integers(std::string_view name, std::initializer_list<std::uint64_t> numbers) {
    return tensor(name, kInt64, {numbers.size()}).packed(7, numbers);
}

Proto integer(std::string_view name, std::uint64_t value) {
    return Proto().bytes(1, name).varint(3, value).varint(20, 2);
}

Proto real(std::string_view name, float value) {
    return Proto().bytes(1, name).fixed32(2, std::bit_cast<std::uint32_t>(value)).varint(20, 1);
}

Proto list(std::string_view name, std::initializer_list<std::uint64_t> values) {
    return Proto().bytes(1, name).packed(8, values).varint(20, 7);
}

Proto text(std::string_view name, std::string_view value) {
    return Proto().bytes(1, name).bytes(4, value).varint(20, 3);
}

Proto node(std::string_view op, const std::vector<const char*>& inputs, const char* output,
           const std::vector<Proto>& attributes, const char* domain) {
    Proto proto;
    for (const auto* input : inputs) proto.bytes(1, input);
    proto.bytes(2, output).bytes(4, op);
    for (const auto& attribute : attributes) proto.message(5, attribute);
    if (*domain != 0) proto.bytes(7, domain);
    return proto;
}

}  // namespace onnx

std::vector<std::byte> file_of(const Family& family) {
    Proto graph;
    for (const auto& one : family.nodes) graph.message(1, one);
    graph.bytes(2, "g");
    for (const auto& constant : family.constants) graph.message(5, constant);
    graph.message(11, Proto().bytes(1, "x").message(2, Proto().message(1, Proto().varint(1, 1))));
    graph.message(12, Proto().bytes(1, "y"));
    const auto model = Proto()
                           .varint(1, 10)
                           .message(7, graph)
                           .message(8, Proto().varint(2, 27))
                           .message(8, Proto().bytes(1, "ai.onnx.ml").varint(2, 4))
                           .text();
    const auto raw = std::as_bytes(std::span(model));
    return {raw.begin(), raw.end()};
}

Result<std::unique_ptr<libtorch::onnx::Interpreter>> try_open(const std::vector<std::byte>& bytes) {
    auto source = std::make_unique<formats::MemorySource>("model.onnx", bytes);
    model::OnnxFile file;
    MODELSEAL_TRY_ASSIGN(file.program, formats::onnx::read_program(*source));
    file.files.path = "model.onnx";
    file.files.files.push_back({{}, std::move(source), {}});
    return libtorch::onnx::Interpreter::open(std::move(file), at::kCPU, 1u << 24);
}

std::unique_ptr<libtorch::onnx::Interpreter> open(const Family& family, std::vector<std::byte>& bytes) {
    bytes = file_of(family);
    auto opened = try_open(bytes);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? std::move(opened).value() : nullptr;
}

}  // namespace modelseal::test
