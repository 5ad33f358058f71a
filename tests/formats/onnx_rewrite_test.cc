// What a rewritten ONNX file has, and that everything else keeps its bytes.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/program.h"
#include "formats/onnx/rewrite.h"
#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/hex.h"
#include "tests/support/models/onnx_builder.h"

namespace modelseal::formats::onnx {
namespace {

using test::Proto;
using testing::HasSubstr;
namespace build = test::onnx;

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

Result<void> no_external(const std::string&, std::uint64_t, std::span<std::byte>) {
    return Error{ErrorKind::internal, "there is no external file", {}};
}

// Every byte of an external file is its offset plus one.
Result<void> counting_external(const std::string& location, std::uint64_t offset, std::span<std::byte> out) {
    if (location != "w.bin") return Error{ErrorKind::malformed, "another file", {}};
    for (auto& byte : out) byte = static_cast<std::byte>(++offset);
    return {};
}

Result<std::string> rewritten(const Proto& model, const Changes& changes,
                              const ReadExternal& external = no_external, std::uint64_t most = kNoLimit) {
    const MemorySource source("m.onnx", test::as_bytes(model.text()));
    MODELSEAL_TRY_ASSIGN(const auto bytes, rewrite(source, changes, external, most));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <class T>
NewValues values(std::vector<std::uint64_t> shape, std::vector<T> numbers) {
    std::vector<std::byte> bytes(numbers.size() * sizeof(T));
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    return {std::move(shape), std::move(bytes)};
}

std::string raw(const std::vector<float>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

Proto value_info(std::string_view name, std::initializer_list<Proto> dimensions) {
    Proto shape;
    for (const auto& dimension : dimensions) shape.message(1, dimension);
    const auto tensor = Proto().varint(1, build::kFloat).message(2, shape);
    return Proto().bytes(1, name).message(2, Proto().message(1, tensor)).bytes(3, "a note");
}

// An unknown field before, between and after known ones.
Proto unknown() {
    return Proto().bytes(50, "unknown").fixed32(51, 7);
}

TEST(OnnxRewrite, WithoutChangesKeepsEveryByte) {
    auto graph = build::graph({build::small("w"), build::tensor("v", build::kFloat, {1}).floats(4, {1})});
    graph.message(1, build::node("n", "If", {build::attribute("b", 6, build::graph({build::small("w")}))}));
    graph.raw(unknown().text());
    const auto model = build::model(graph).raw(unknown().text());
    EXPECT_EQ(rewritten(model, {}).value(), model.text());
}

TEST(OnnxRewrite, ReplacesOneInitializerAndKeepsTheRest) {
    const auto with = [](const Proto& tensor) {
        auto graph = Proto().raw(unknown().text()).bytes(2, "graph").message(5, build::small("a"));
        graph.message(5, tensor).message(5, build::small("c"));
        // The same name one level deeper is another tensor.
        graph.message(1, build::node("n", "If", {build::attribute("b", 6, build::graph({build::small("w")}))}));
        return build::model(graph).raw(unknown().text());
    };
    const auto old = build::tensor("w", build::kFloat, {2, 2}).floats(4, {1, 2, 3, 4}).bytes(12, "a note");
    const auto same_shape = rewritten(with(old), {.tensors = {{"w", values<float>({2, 2}, {5, 6, 7, 8})}}});
    EXPECT_EQ(
        same_shape.value(),
        with(build::tensor("w", build::kFloat, {2, 2}).bytes(12, "a note").bytes(9, raw({5, 6, 7, 8}))).text());
    const auto wider = rewritten(with(old), {.tensors = {{"w", values<float>({3, 2}, {5, 6, 7, 8, 9, 10})}}});
    EXPECT_EQ(wider.value(), with(Proto()
                                      .packed(1, {3, 2})
                                      .varint(2, build::kFloat)
                                      .bytes(8, "w")
                                      .bytes(12, "a note")
                                      .bytes(9, raw({5, 6, 7, 8, 9, 10})))
                                 .text());
}

TEST(OnnxRewrite, KeepsTheTypeOfHalfPrecisionAndOfIntegers) {
    const auto model =
        build::model(build::graph({build::tensor("h", build::kFloat16, {2}).packed(5, {0x3c00, 0x4000}),
                                   build::tensor("i", build::kInt64, {2}).packed(7, {1, 10})}));
    const auto changed = rewritten(model, {.tensors = {{"h", values<std::uint16_t>({3}, {1, 2, 3})},
                                                       {"i", values<std::int64_t>({2}, {1, 11})}}});
    const MemorySource source("m.onnx", test::as_bytes(changed.value()));
    const auto program = read_program(source);
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto& half = program->graph.initializers.at(0).tensor;
    EXPECT_EQ(half.dtype, DType::f16);
    EXPECT_EQ(half.shape, (std::vector<std::uint64_t>{3}));
    EXPECT_EQ(half.segments.at(0).bytes, 6u);
    EXPECT_EQ(program->graph.initializers.at(1).tensor.dtype, DType::i64);
}

TEST(OnnxRewrite, ReplacesTheValueOfAConstantNode) {
    const auto with = [](const Proto& tensor) {
        return build::model(
            Proto().message(1, build::node("k", "Constant", {build::attribute("value", 5, tensor)})));
    };
    const auto old = build::tensor("", build::kFloat, {1}).floats(4, {1});
    const auto changed = rewritten(with(old), {.tensors = {{"k_out", values<float>({1}, {2})}}});
    EXPECT_EQ(changed.value(), with(build::tensor("", build::kFloat, {1}).bytes(9, raw({2}))).text());
    // The same in a node of another operator is an attribute, not a value.
    const auto other =
        build::model(Proto().message(1, build::node("k", "Other", {build::attribute("value", 5, old)})));
    EXPECT_EQ(rewritten(other, {.tensors = {{"k_out", values<float>({1}, {2})}}}).error().kind,
              ErrorKind::internal);
}

TEST(OnnxRewrite, ChangesStatedExtentsAndKeepsSymbols) {
    const auto with = [](std::uint64_t classes, bool inner) {
        const auto batch = Proto().bytes(2, "N");
        const auto extent = Proto().varint(1, classes).bytes(3, "CHANNEL");
        auto graph = build::graph({build::small("w")});
        graph.message(11, value_info("x", {batch, Proto().varint(1, 10)}));
        graph.message(12, value_info("y", {batch, extent}));
        if (inner) graph.message(13, value_info("h", {batch, Proto().varint(1, 10)}));
        graph.message(13, value_info("g", {batch, Proto().varint(1, 10)}));
        return build::model(graph);
    };
    const auto changed =
        rewritten(with(10, true), {.extents = {{"y", {{0, 4}, {1, 11}, {7, 1}}}}, .forgotten = {"h", "x"}});
    EXPECT_EQ(changed.value(), with(11, false).text());
}

TEST(OnnxRewrite, BringsExternalDataIntoTheFile) {
    const auto with = [](const Proto& first, const Proto& second, const Proto& deep) {
        auto graph = build::graph({first, second});
        graph.message(1, build::node("n", "If", {build::attribute("b", 6, build::graph({deep}))}));
        return build::model(graph);
    };
    const auto at = [](const char* offset) { return build::entry("offset", offset); };
    const auto old = with(build::external("a", {at("8")}), build::external("b", {at("0")}),
                          build::external("c", {at("16")}));
    const auto changed = rewritten(old, {.tensors = {{"b", values<float>({2}, {3, 4})}}}, counting_external);
    const auto inside = [](std::string_view name, std::string_view bytes) {
        return build::tensor(name, build::kFloat, {2}).bytes(9, bytes);
    };
    EXPECT_EQ(changed.value(), with(inside("a", "\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"), inside("b", raw({3, 4})),
                                    inside("c", "\x11\x12\x13\x14\x15\x16\x17\x18"))
                                   .text());
}

TEST(OnnxRewrite, RefusesWhatDoesNotFit) {
    const auto model = build::model_of(build::small("w"));
    const auto error = [&](const Changes& changes, std::uint64_t most = kNoLimit) {
        return rewritten(model, changes, no_external, most).error();
    };
    EXPECT_THAT(error({.tensors = {{"v", values<float>({1}, {1})}}}).message,
                HasSubstr("tensor 'v' is not in the file"));
    EXPECT_THAT(error({.tensors = {{"w", values<float>({3}, {1, 2})}}}).message,
                HasSubstr("tensor 'w' has new values of another size"));
    const auto large = error({}, model.text().size() - 1);
    EXPECT_EQ(large.kind, ErrorKind::unsupported);
    EXPECT_THAT(large.message, HasSubstr("the new file would have more than"));
    EXPECT_TRUE(rewritten(model, {}, no_external, model.text().size()).ok());
}

// 2 GiB in an external file, of which nothing is read.
TEST(OnnxRewrite, RefusesExternalDataOfTwoGibibytes) {
    const auto tensor = build::tensor("w", build::kFloat, {1u << 29})
                            .message(13, build::entry("location", "w.bin"))
                            .varint(14, 1);
    const auto error = rewritten(build::model_of(tensor), {}).error();
    EXPECT_EQ(error.kind, ErrorKind::unsupported);
    EXPECT_FALSE(error.hint.empty());
}

TEST(OnnxRewrite, RefusesBrokenFiles) {
    const Changes changes = {.tensors = {{"w", values<float>({2}, {1, 2})}}};
    const auto kind = [&](const Proto& model) { return rewritten(model, changes).error().kind; };
    EXPECT_EQ(kind(build::model(build::graph({build::small("w"), build::small("w")}))), ErrorKind::malformed);
    EXPECT_EQ(kind(build::model_of(build::small("w").bytes(9, "twice"))), ErrorKind::malformed);
    EXPECT_EQ(kind(build::model_of(build::tensor("w", build::kFloat, {3}).bytes(9, "few"))),
              ErrorKind::malformed);
    EXPECT_EQ(kind(build::model(Proto().varint(5, 1))), ErrorKind::malformed);
    auto cut = build::model_of(build::small("w")).text();
    cut.pop_back();
    EXPECT_EQ(kind(Proto().raw(cut)), ErrorKind::malformed);
    auto deep = build::graph({build::small("w")});
    for (int i = 0; i < 200; ++i)
        deep = Proto().message(1, build::node("n", "If", {build::attribute("b", 6, deep)}));
    EXPECT_EQ(kind(build::model(deep)), ErrorKind::malformed);
}

TEST(OnnxRewrite, KeepsEveryByteOfRealFiles) {
    MODELSEAL_NEED_DATA();
    for (const auto* name : {"mnist-8/model.onnx", "cifar10-resnet20.onnx", "burn-mnist.onnx",
                             "winml-mnist-cnn.onnx", "mobilenetv2-int8-qdq-imagenet/model.onnx"}) {
        const auto file = test::load(test::data_folder() / "models/onnx" / name);
        const MemorySource source(name, file);
        const auto same = rewrite(source, {}, no_external, kNoLimit);
        ASSERT_TRUE(same.ok()) << same.error().message;
        EXPECT_TRUE(*same == file) << name;
    }
}

}  // namespace
}  // namespace modelseal::formats::onnx
