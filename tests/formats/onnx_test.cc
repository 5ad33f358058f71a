#include <cstring>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/onnx_parse.h"

namespace modelseal::formats {
namespace {

using test::Proto;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test::onnx;

std::vector<std::string> names(const Proto& proto) {
    const auto layout = parsed(proto).value();
    std::vector<std::string> all;
    for (const auto& tensor : layout.tensors) all.push_back(tensor.name);
    return all;
}

bool recognised(const std::string& text) {
    return onnx::kFormat.recognises(MemorySource("m", test::as_bytes(text)));
}

TEST(Onnx, RawDataIsOneDenseSegment) {
    const auto text = model_of(tensor("w", kFloat, {2, 1}).bytes(9, "abcdefgh")).text();
    const auto layout = parsed(text).value();
    EXPECT_EQ(layout.format, "onnx");
    ASSERT_EQ(layout.tensors.size(), 1u);
    const auto& w = layout.tensors[0];
    EXPECT_EQ(w.name, "w");
    EXPECT_EQ(w.dtype, DType::f32);
    EXPECT_THAT(w.shape, ElementsAre(2, 1));
    ASSERT_EQ(w.segments.size(), 1u);
    EXPECT_EQ(w.segments[0].offset, text.find("abcdefgh"));
    EXPECT_EQ(w.segments[0].bytes, 8u);
    EXPECT_EQ(w.segments[0].elements, 2u);
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(Onnx, DimsMayBePackedOrNot) {
    const auto w = Proto().varint(1, 2).varint(1, 3).varint(2, kUint8).bytes(8, "w").bytes(9, "123456");
    EXPECT_THAT(parsed(model_of(w)).value().tensors[0].shape, ElementsAre(2, 3));
}

TEST(Onnx, ScalarsAndEmptyTensorsAreRead) {
    const auto layout =
        parsed(model(graph({tensor("s", kFloat, {}).bytes(9, "abcd"), tensor("e", kFloat, {0, 7}),
                            tensor("f", kFloat, {0}).bytes(9, "")})))
            .value();
    EXPECT_EQ(layout.tensors[0].elements, 1u);
    EXPECT_EQ(layout.tensors[1].elements, 0u);
    EXPECT_THAT(layout.tensors[1].segments, IsEmpty());
    EXPECT_THAT(layout.tensors[2].segments, IsEmpty());
}

TEST(Onnx, StringsAreFrame) {
    const auto strings = tensor("words", kString, {2}).bytes(6, "one").bytes(6, "two");
    EXPECT_THAT(names(model(graph({strings, small("w")}))), ElementsAre("w"));
}

TEST(Onnx, EveryElementTypeIsRead) {
    const std::map<std::uint64_t, DType> types = {
        {1, DType::f32},          {2, DType::u8},       {3, DType::i8},           {4, DType::u16},
        {5, DType::i16},          {6, DType::i32},      {7, DType::i64},          {9, DType::boolean},
        {10, DType::f16},         {11, DType::f64},     {12, DType::u32},         {13, DType::u64},
        {14, DType::c64},         {15, DType::c128},    {16, DType::bf16},        {17, DType::f8_e4m3fn},
        {18, DType::f8_e4m3fnuz}, {19, DType::f8_e5m2}, {20, DType::f8_e5m2fnuz}, {21, DType::u4},
        {22, DType::i4},          {23, DType::f4_e2m1}, {24, DType::f8_e8m0},     {25, DType::u2},
        {26, DType::i2}};
    for (const auto& [number, dtype] : types) {
        std::uint64_t bytes = 0;
        ASSERT_TRUE(storage_bytes(dtype, 5, bytes));
        const auto layout =
            parsed(model_of(tensor("w", number, {5}).bytes(9, std::string(bytes, 'x')))).value();
        EXPECT_EQ(layout.tensors[0].dtype, dtype) << number;
        EXPECT_EQ(layout.tensors[0].segments[0].bytes, bytes) << number;
    }
}

TEST(Onnx, InitializersOfTheMainGraphKeepTheirNames) {
    const auto constant = node("c", "Constant", {attribute("value", 5, small("ignored"))});
    const auto main_graph = Proto().message(1, constant).message(5, small("c_out")).message(5, small("x"));
    EXPECT_THAT(names(model(main_graph)), ElementsAre("c_out#2", "c_out", "x"));
}

TEST(Onnx, TensorsInAttributesAreNamedAfterTheirNode) {
    const auto other =
        node("n", "Other",
             {attribute("table", 5, small("t")), attribute("list", 10, small("")).message(10, small(""))});
    const auto constant = node("c", "Constant", {attribute("value", 5, small("t"))});
    const auto unnamed =
        Proto().bytes(2, "first").bytes(2, "second").bytes(4, "Other").message(5, attribute("a", 5, small("")));
    EXPECT_THAT(names(model(Proto().message(1, other).message(1, constant).message(1, unnamed))),
                ElementsAre("n/table", "n/list[0]", "n/list[1]", "c_out", "first/a"));
}

TEST(Onnx, AttributesMayStandBeforeTheNamesThatTheyAreCalledAfter) {
    const auto backwards = Proto().message(5, small("")).bytes(1, "value");
    const auto constant = Proto().message(5, backwards).bytes(4, "Constant").bytes(3, "n").bytes(2, "out");
    EXPECT_THAT(names(model(Proto().message(1, constant))), ElementsAre("out"));
}

TEST(Onnx, SubGraphsAreWalkedAtEveryDepth) {
    const auto innermost = node("loop", "Loop", {attribute("body", 6, graph({small("w")}))});
    const auto branch = graph({small("w")})
                            .message(1, innermost)
                            .message(1, node("k", "Constant", {attribute("value", 5, small(""))}));
    const auto decide = node("if", "If",
                             {attribute("then_branch", 6, branch),
                              attribute("many", 11, graph({small("a")})).message(11, graph({small("a")}))});
    EXPECT_THAT(names(model(graph({small("w")}).message(1, decide))),
                ElementsAre("w", "if/then_branch/w", "if/then_branch/loop/body/w", "if/then_branch/k_out",
                            "if/many[0]/a", "if/many[1]/a"));
}

TEST(Onnx, FunctionsAndTrainingGraphsAreWalked) {
    const auto constant = node("c", "Constant", {attribute("value", 5, small(""))});
    const auto function = Proto()
                              .bytes(1, "F")
                              .bytes(10, "my.domain")
                              .message(7, constant)
                              .message(11, attribute("default", 5, small("")));
    const auto overloaded = Proto().bytes(1, "F").bytes(10, "my.domain").bytes(13, "v2").message(7, constant);
    const auto training = Proto().message(1, graph({small("i")})).message(2, graph({small("a")}));
    EXPECT_THAT(names(model(graph({}))
                          .message(20, training)
                          .message(20, training)
                          .message(25, function)
                          .message(25, overloaded)),
                ElementsAre("training_info[0]/initialization/i", "training_info[0]/algorithm/a",
                            "training_info[1]/initialization/i", "training_info[1]/algorithm/a",
                            "my.domain::F/default", "my.domain::F/c_out", "my.domain::F:v2/c_out"));
}

TEST(Onnx, SparseTensorsAreTwoTensors) {
    const auto indices = tensor("", kInt64, {2}).packed(7, {1, 5});
    const auto sparse = Proto().message(1, small("s")).message(2, indices).packed(3, {9});
    const auto constant = node("c", "Constant", {attribute("sparse_value", 22, sparse)});
    const auto listed = node("n", "Other", {attribute("list", 23, sparse)});
    EXPECT_THAT(names(model(Proto().message(15, sparse).message(1, constant).message(1, listed))),
                ElementsAre("s", "s/indices", "c_out", "c_out/indices", "n/list[0]", "n/list[0]/indices"));
}

TEST(Onnx, EqualNamesAreNumberedInFileOrder) {
    const auto constant = node("c", "Constant", {attribute("value", 5, small(""))});
    const auto main_graph =
        Proto().message(1, constant).message(1, constant).message(5, small("c_out#2")).message(1, constant);
    EXPECT_THAT(names(model(main_graph)), ElementsAre("c_out", "c_out#3", "c_out#2", "c_out#4"));
}

TEST(Onnx, ExternalDataIsReferredToNotFollowed) {
    const auto layout =
        parsed(
            model(graph({external("a", {}),
                         external("b", {entry("offset", "4096"), entry("length", "8"), entry("checksum", "x")}),
                         tensor("c", kFloat, {1}).message(13, entry("location", "../other")).varint(14, 1)})))
            .value();
    EXPECT_THAT(layout.references, ElementsAre("w.bin", "../other"));
    EXPECT_EQ(layout.tensors[0].segments[0].file, 1u);
    EXPECT_EQ(layout.tensors[0].segments[0].offset, 0u);
    EXPECT_EQ(layout.tensors[0].segments[0].bytes, 8u);
    EXPECT_EQ(layout.tensors[1].segments[0].offset, 4096u);
    EXPECT_EQ(layout.tensors[2].segments[0].file, 2u);
}

TEST(Onnx, TensorsAtOnePlaceOfAnExternalFileAreAliases) {
    const auto at = [](std::string_view name, std::string_view offset) {
        return external(name, {entry("offset", offset)});
    };
    const auto layout = parsed(model(graph({at("a", "8"), at("b", "0"), at("c", "8"), at("d", "16")}))).value();
    ASSERT_EQ(layout.tensors.size(), 3u);
    EXPECT_EQ(layout.tensors[0].name, "a");
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("c"));
    EXPECT_EQ(layout.tensors[2].name, "d");
}

TEST(Onnx, ExternalEntriesOfATensorInsideTheFileAreOneWarning) {
    const auto w = [](std::string_view name) { return small(name).message(13, entry("location", "w.bin")); };
    const auto layout = parsed(model(graph({w("a"), w("b")}))).value();
    EXPECT_THAT(layout.references, IsEmpty());
    EXPECT_THAT(layout.warnings, ElementsAre(HasSubstr("tensor 'a' has external_data entries")));
}

TEST(Onnx, UnknownFieldsAreFrame) {
    const auto w = small("w").bytes(60, "x").varint(1000, 1);
    EXPECT_THAT(names(model(graph({w}).fixed64(99, 1)).bytes(77, "future")), ElementsAre("w"));
}

// Claims to hold a file of any size; counts what is read of it.
class HugeSource final : public Source {
  public:
    HugeSource(std::string front, std::uint64_t zeros, std::string back)
        : front_(std::move(front)), back_(std::move(back)), zeros_(zeros) {}
    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return front_.size() + zeros_ + back_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        read_ += out.size();
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto at = offset + i;
            const bool in_front = at < front_.size();
            const bool in_back = at >= front_.size() + zeros_;
            out[i] = static_cast<std::byte>(in_front  ? front_[at]
                                            : in_back ? back_[at - front_.size() - zeros_]
                                                      : 0);
        }
        return {};
    }
    std::uint64_t bytes_read() const { return read_; }

  private:
    std::string name_ = "huge";
    std::string front_, back_;
    std::uint64_t zeros_;
    mutable std::uint64_t read_ = 0;
};

TEST(Onnx, RawDataAreNotReadWhileParsing) {
    constexpr std::uint64_t kElements = 1ull << 38;
    const auto header = tensor("w", kFloat, {kElements}).tag(9, 2).number(4 * kElements).text();
    const auto w = Proto().tag(5, 2).number(header.size() + 4 * kElements).raw(header).text();
    const auto after = Proto().message(5, small("v")).text();
    const auto front =
        Proto().varint(1, 8).tag(7, 2).number(w.size() + 4 * kElements + after.size()).raw(w).text();
    const HugeSource source(front, 4 * kElements, after);
    ASSERT_TRUE(onnx::kFormat.recognises(source));
    const auto layout = onnx::kFormat.parse(source, {}).value();
    EXPECT_EQ(layout.tensors[0].segments[0].bytes, 4 * kElements);
    EXPECT_EQ(layout.tensors[1].name, "v");
    EXPECT_LT(source.bytes_read(), 1u << 20);
}

TEST(OnnxRecognition, AModelIsRecognizedWhateverTheOrderOfItsFields) {
    const auto main_graph = graph({small("w")});
    EXPECT_TRUE(recognised(model(main_graph).text()));
    EXPECT_TRUE(recognised(Proto().message(7, main_graph).varint(1, 3).text()));
    EXPECT_TRUE(recognised(Proto().varint(1, 3).message(7, Proto()).text()));
}

TEST(OnnxRecognition, ATruncatedModelIsRecognizedAsADamagedModel) {
    const auto text = model(graph({small("w")})).text();
    const auto cut = text.substr(0, text.size() - 20);
    EXPECT_TRUE(recognised(cut));
    EXPECT_THAT(parsed(cut).error().message, HasSubstr("the file ends early"));
}

TEST(OnnxRecognition, OtherBytesAreNotAModel) {
    const auto main_graph = graph({small("w")});
    EXPECT_FALSE(recognised(""));
    EXPECT_FALSE(recognised("GGUF\3\0\0\0"));
    EXPECT_FALSE(recognised("PK\3\4"));
    EXPECT_FALSE(recognised("\x80\x02}q\x01."));
    EXPECT_FALSE(recognised(std::string("\x08\0\0\0\0\0\0\0{}      ", 16)));
    EXPECT_FALSE(recognised(std::string("\x08\x01\x3a\0\0\0\0\0{", 9)));
    EXPECT_FALSE(recognised("::: some text that begins with colons\n"));
    EXPECT_FALSE(recognised(Proto().message(7, main_graph).text()));
    EXPECT_FALSE(recognised(Proto().varint(1, 0).message(7, main_graph).text()));
    EXPECT_FALSE(recognised(Proto().varint(1, 1u << 20).message(7, main_graph).text()));
    EXPECT_FALSE(recognised(Proto().varint(1, 8).bytes(40, "x").message(7, main_graph).text()));
    EXPECT_FALSE(recognised(Proto().varint(1, 8).bytes(7, "not a graph").text()));
}

}  // namespace
}  // namespace modelseal::formats
