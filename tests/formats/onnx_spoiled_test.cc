// Valid models spoiled in one place, and the message for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/onnx_parse.h"

namespace modelseal::formats {
namespace {

using test::Proto;
using testing::HasSubstr;
using namespace test::onnx;

struct OnnxCase {
    const char* what;
    Proto model;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
    Limits limits = {};
};

Proto two_floats() {
    return tensor("w", kFloat, {2}).floats(4, {1, 2});
}

Proto in_node(const Proto& inner_attribute) {
    return model(Proto().message(1, node("n", "Other", {inner_attribute})));
}

Proto many_attributes(int count) {
    auto n = node("n", "X", {});
    for (int i = 0; i < count; ++i) n.message(5, Proto().bytes(1, std::to_string(i)));
    return n;
}

Proto nested(int levels) {
    auto inner = graph({small("w")});
    for (int i = 0; i < levels; ++i) {
        inner = Proto().message(1, node("n", "If", {attribute("b", 6, inner)}));
    }
    return model(inner);
}

std::vector<OnnxCase> messages() {
    return {
        {"no version", Proto().message(7, graph({})), "the model has no ir_version"},
        {"no graph", Proto().varint(1, 8), "the model has no graph"},
        {"two graphs", model(graph({})).message(7, graph({})), "model: graph appears twice"},
        {"two versions", model(graph({})).varint(1, 9), "model: ir_version appears twice"},
        {"zeros behind", model(graph({})).raw(std::string(4, '\0')), "invalid field tag 0x0"},
        {"text behind", model(graph({})).raw("#!/bin/sh\n"), "m.onnx: model: "},
        {"a graph that is a number", Proto().varint(1, 8).varint(7, 1), "model: graph has wire type 0"},
        {"a node that is a number", model(Proto().varint(1, 1)), "graph: node has wire type 0"},
        {"two names of a node", model(Proto().message(1, node("n", "X", {}).bytes(3, "m"))),
         "node: name appears twice"},
        {"two values of an attribute", in_node(attribute("a", 5, small("")).message(5, small(""))),
         "attribute: t appears twice"},
        {"two sub-graphs of an attribute", in_node(attribute("a", 6, graph({})).message(6, graph({}))),
         "attribute: g appears twice"},
        {"one attribute twice",
         model(
             Proto().message(1, node("n", "X", {attribute("a", 5, small("")), attribute("a", 5, small(""))}))),
         "the attribute 'a' appears twice"},
        {"one initializer twice", model(graph({small("w"), small("w")})), "the initializer 'w' appears twice"},
        {"two initializers without a name", model(graph({small(""), small("")})),
         "the initializer '' appears twice"},
        {"a sparse and a dense initializer",
         model(graph({small("w")}).message(15, Proto().message(1, small("w")))),
         "the initializer 'w' appears twice"},
        {"a sparse initializer of indices only", model(Proto().message(15, Proto().message(2, small("i")))),
         "a sparse initializer has no values"},
        {"one function twice",
         model(graph({})).message(25, Proto().bytes(1, "F")).message(25, Proto().bytes(1, "F")),
         "the function 'F' appears twice"},
        {"too many functions",
         model(graph({})).message(25, Proto().bytes(1, "F")).message(25, Proto().bytes(1, "G")),
         "more than 1 functions",
         ErrorKind::malformed,
         {.tensors = 1}},
        {"too many attributes", model(Proto().message(1, many_attributes(4097))), "more than 4096 attributes"},
        {"too deep", nested(40), "messages are nested more than 64"},
        {"too deep for a low limit",
         nested(2),
         "messages are nested more than 6",
         ErrorKind::malformed,
         {.depth = 6}},
        {"too deep even without a limit",
         nested(40),
         "messages are nested more than 100",
         ErrorKind::malformed,
         {.depth = 0}},
        {"too many tensors",
         model(graph({small("a"), small("b")})),
         "more than 1 tensor",
         ErrorKind::malformed,
         {.tensors = 1}},
        {"too long a name",
         model_of(small("abcdefgh")),
         "a tensor's name of 8 bytes exceeds the limit of 7",
         ErrorKind::malformed,
         {.name_bytes = 7}},
        {"too long a path",
         in_node(attribute("abcd", 5, small(""))),
         "a tensor's name of 6 bytes exceeds the limit of",
         ErrorKind::malformed,
         {.name_bytes = 5}},
        {"names that are too long together",
         model(graph({small("abcd"), small("efgh")})),
         "the names of all tensors exceed 7 bytes",
         ErrorKind::malformed,
         {.metadata_bytes = 7}},
        {"a name that is not UTF-8", model_of(small("w\xff")), "a tensor's name is not UTF-8: 'w\\xff'"},
    };
}

std::vector<OnnxCase> tensors() {
    const auto bare = Proto().bytes(8, "w").bytes(9, "");
    return {
        {"no type", model_of(bare), "tensor 'w': has no data type"},
        {"a type of the future", model_of(tensor("w", 27, {1})), "tensor 'w': unknown data type 27",
         ErrorKind::unsupported},
        {"a negative type", model_of(tensor("w", ~0ull, {1})), "unknown data type", ErrorKind::unsupported},
        {"a negative dimension", model_of(tensor("w", kFloat, {2, ~0ull})), "has a dimension of -1"},
        {"a shape that overflows", model_of(tensor("w", kFloat, {1ull << 40, 1ull << 40})),
         "its size exceeds 64 bits"},
        {"a size that overflows", model_of(tensor("w", kDouble, {1ull << 62})), "its size exceeds 64 bits"},
        {"too many dimensions",
         model_of(tensor("w", kFloat, {1, 1, 1})),
         "more than 2 dimensions",
         ErrorKind::malformed,
         {.rank = 2}},
        {"too few raw bytes", model_of(tensor("w", kFloat, {2}).bytes(9, "1234567")),
         "tensor 'w': raw_data has 7 bytes, 2 elements of f32 need 8 (1 too few) (at offset "},
        {"too many raw bytes", model_of(tensor("w", kUint4, {3}).bytes(9, "123")),
         "raw_data has 3 bytes, 3 elements of u4 need 2 (1 too many"},
        {"no data", model_of(tensor("w", kFloat, {2})), "has no data, its shape needs 2 elements"},
        {"raw data twice", model_of(small("w").bytes(9, "12345678")), "tensor: raw_data appears twice"},
        {"two types", model_of(small("w").varint(2, kInt32)), "tensor: data_type appears twice"},
        {"two names", model_of(small("w").bytes(8, "v")), "tensor: name appears twice"},
        {"raw and typed data", model_of(small("w").floats(4, {1, 2})), "has both float_data and raw_data"},
        {"empty raw and typed data", model_of(two_floats().bytes(9, "")), "has both float_data and raw_data"},
        {"two kinds of typed data", model_of(two_floats().packed(5, {1, 2})),
         "has both float_data and int32_data"},
        {"the wrong field", model_of(tensor("w", kFloat, {2}).packed(5, {1, 2})),
         "int32_data cannot hold elements of f32"},
        {"too few floats", model_of(tensor("w", kFloat, {3}).floats(4, {1, 2})),
         "float_data has 2 elements, its shape needs 3 (1 too few"},
        {"too many varints", model_of(tensor("w", kInt64, {1}).packed(7, {1, 2})),
         "int64_data has 2 elements, its shape needs 1 (1 too many"},
        {"data for an empty shape", model_of(tensor("w", kInt64, {0}).packed(7, {1})),
         "int64_data has 1 element, its shape needs 0"},
        {"half a float", model_of(tensor("w", kFloat, {1}).bytes(4, "123456")),
         "6 bytes are not a multiple of the size of f32"},
        {"half a complex number a field", model_of(tensor("w", kComplex64, {1}).floats(4, {1}).floats(4, {2})),
         "a complex element is split between two fields", ErrorKind::unsupported},
        {"a value that the type does not have", model_of(tensor("w", kUint8, {2}).packed(5, {1, 256})),
         "element 1: the value 256 is out of range for u8"},
        {"a signed value that is not extended", model_of(tensor("w", kInt8, {1}).packed(5, {255})),
         "the value 255 is out of range for i8"},
        {"a longer spelling", model_of(tensor("w", kInt64, {1}).bytes(7, std::string("\x81\0", 2))),
         "element 0: a varint of 2 bytes encodes a value that needs 1"},
        {"a longer spelling, unpacked",
         model_of(tensor("w", kInt64, {1}).tag(7, 0).raw(std::string("\x81\0", 2))),
         "a varint of 2 bytes encodes a value that needs 1"},
        {"a varint that is cut", model_of(tensor("w", kInt64, {1}).bytes(7, "\x81")),
         "a varint ends after 1 byte"},
        {"a varint that never ends", model_of(tensor("w", kInt64, {1}).bytes(7, std::string(11, '\xff'))),
         "a varint has more than 64 bits"},
        {"a segment of a tensor", model_of(small("w").message(3, Proto().varint(1, 0))),
         "is a segment of a larger tensor, which is not supported", ErrorKind::unsupported},
        {"too few strings", model_of(tensor("w", kString, {2}).bytes(6, "one")),
         "string_data has 1 element, its shape needs 2"},
        {"raw strings", model_of(tensor("w", kString, {1}).bytes(9, "one")), "has strings outside string_data"},
        {"strings in a tensor of numbers", model_of(tensor("w", kFloat, {1}).bytes(6, "one")),
         "string_data cannot hold elements of f32"},
    };
}

std::vector<OnnxCase> externals() {
    const auto one = [](const Proto& more) { return model_of(external("w", {more})); };
    return {
        {"no location", model_of(tensor("w", kFloat, {2}).varint(14, 1)), "external data: no location"},
        {"an empty location",
         model_of(tensor("w", kFloat, {2}).message(13, entry("location", "")).varint(14, 1)),
         "external data: no location"},
        {"another location", one(entry("location", "v.bin")),
         "the key 'location' of external_data appears twice"},
        {"two keys in an entry", one(entry("offset", "0").bytes(1, "length")), "entry: key appears twice"},
        {"too long", one(entry("length", "9")), "external data: 9 bytes, but 2 elements of f32 need 8"},
        {"too short", one(entry("length", "4")), "external data: 4 bytes, but 2 elements of f32 need 8"},
        {"a length of nothing", one(entry("length", "")), "external data: length '' is not a number"},
        {"a negative offset", one(entry("offset", "-8")), "offset '-8' is not a number"},
        {"a hexadecimal offset", one(entry("offset", "0x8")), "offset '0x8' is not a number"},
        {"a space before the offset", one(entry("offset", " 8")), "offset ' 8' is not a number"},
        {"an offset of nothing", one(entry("offset", "")), "offset '' is not a number"},
        {"an offset of more than 64 bits", one(entry("offset", "18446744073709551616")), "is not a number"},
        {"an end of more than 64 bits", one(entry("offset", "18446744073709551610")),
         "external data: offset 18446744073709551610 plus length exceeds 64 bits"},
        {"data inside too", model_of(external("w", {}).bytes(9, "12345678")),
         "has data in the model file and in an external file"},
        {"an unknown location", model_of(small("w").varint(14, 2)), "unknown data location 2",
         ErrorKind::unsupported},
        {"two locations of data", model_of(small("w").varint(14, 0).varint(14, 1)),
         "tensor: data_location appears twice"},
        {"tensors that overlap", model(graph({external("a", {entry("offset", "4")}), external("b", {})})),
         "tensor 'a' overlaps tensor 'b' at offset 4 of 'w.bin'"},
        {"one place with two types",
         model(graph({external("a", {}),
                      tensor("b", kInt32, {2}).message(13, entry("location", "w.bin")).varint(14, 1)})),
         "tensor 'b' overlaps tensor 'a' at offset 0 of 'w.bin'"},
    };
}

void refuse(const std::vector<OnnxCase>& rows) {
    for (const auto& row : rows) {
        const auto layout = parsed(row.model, row.limits);
        ASSERT_FALSE(layout.ok()) << row.what;
        EXPECT_THAT(layout.error().message, HasSubstr(row.message)) << row.what;
        EXPECT_THAT(layout.error().message, HasSubstr("m.onnx: ")) << row.what;
        EXPECT_EQ(layout.error().kind, row.kind) << row.what;
    }
}

TEST(OnnxSpoiled, MessagesAreRefusedWithTheReason) {
    refuse(messages());
}

TEST(OnnxSpoiled, TensorsAreRefusedWithTheReason) {
    refuse(tensors());
}

TEST(OnnxSpoiled, ExternalDataIsRefusedWithTheReason) {
    refuse(externals());
}

TEST(OnnxSpoiled, NoTruncatedModelParsesAsACompleteOne) {
    const auto constant = node("c", "Constant", {attribute("value", 5, two_floats())});
    const auto text =
        Proto().varint(1, 8).message(7, graph({small("w"), external("x", {})}).message(1, constant)).text();
    ASSERT_TRUE(parsed(text).ok());
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_FALSE(parsed(text.substr(0, length)).ok()) << length;
    }
}

TEST(OnnxSpoiled, AnyByteMayChangeAndTheContractHolds) {
    const auto constant =
        node("c", "Constant", {attribute("value", 5, tensor("t", kInt64, {2}).packed(7, {1, 2}))});
    const auto text =
        model(graph({small("w"), two_floats(), external("x", {entry("offset", "8")})}).message(1, constant))
            .text();
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = text;
            changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
            const auto layout = parsed(changed);
            if (!layout.ok()) {
                EXPECT_NE(layout.error().kind, ErrorKind::internal);
            }
        }
    }
}

}  // namespace
}  // namespace modelseal::formats
