#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/program.h"
#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/hex.h"
#include "tests/support/models/onnx_builder.h"

namespace modelseal::formats::onnx {
namespace {

using test::Proto;
using testing::ElementsAre;
using testing::HasSubstr;
namespace build = test::onnx;

Result<Program> read(const Proto& model, const Limits& limits = {}) {
    const MemorySource source("m.onnx", test::as_bytes(model.text()));
    return read_program(source, limits);
}

Proto value(std::string_view name, const Proto& tensor_type) {
    return Proto().bytes(1, name).message(2, Proto().message(1, tensor_type));
}

Proto typed(std::string_view name, std::uint64_t type, std::uint32_t field) {
    Proto attribute;
    attribute.bytes(1, name).varint(20, type);
    switch (field) {
        case 2:
            return attribute.fixed32(2, 0x3f000000);
        case 3:
            return attribute.varint(3, ~std::uint64_t{0});
        case 4:
            return attribute.bytes(4, "text");
        case 5:
            return attribute.message(5, build::small("t"));
        case 6:
            return attribute.message(6, build::graph({build::small("inner")}));
        case 7:
            return attribute.floats(7, {1.5F, 2});
        case 8:
            return attribute.packed(8, {1, 2, 3});
        case 9:
            return attribute.bytes(9, "a").bytes(9, "");
        default:
            return attribute;
    }
}

Proto graph_of_node(const Proto& node) {
    return Proto().message(1, node);
}

TEST(OnnxProgram, HoldsInputsOutputsAndSymbols) {
    const auto shape = Proto()
                           .message(1, Proto().bytes(2, "N"))
                           .message(1, Proto().varint(1, 3))
                           .message(1, Proto().varint(1, ~std::uint64_t{0}));
    auto graph = build::graph({build::small("w")});
    graph.message(11, value("x", Proto().varint(1, 1).message(2, shape)));
    graph.message(12, value("y", Proto().varint(1, 10)));
    const auto program = read(build::model(graph));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto& inputs = program->graph.inputs;
    ASSERT_EQ(inputs.size(), 1U);
    EXPECT_EQ(inputs[0].name, "x");
    EXPECT_EQ(inputs[0].kind, ValueKind::tensor);
    ASSERT_EQ(inputs[0].shape.size(), 3U);
    EXPECT_EQ(inputs[0].shape[0].symbol, "N");
    EXPECT_EQ(inputs[0].shape[0].extent, -1);
    EXPECT_EQ(inputs[0].shape[1].extent, 3);
    EXPECT_EQ(inputs[0].shape[2].extent, -1);
    EXPECT_EQ(program->graph.outputs.at(0).data_type, 10U);
    EXPECT_FALSE(program->graph.outputs[0].has_shape);
    EXPECT_EQ(program->graph.initializers.at(0).tensor.segments.at(0).bytes, 8U);
    EXPECT_EQ(program->opsets.at(""), 17);
}

TEST(OnnxProgram, HoldsEveryKindOfAttribute) {
    Proto node;
    node.bytes(1, "x").bytes(1, "").bytes(2, "y").bytes(4, "Op").bytes(7, "ai.onnx");
    for (const auto& [name, type] :
         {std::pair{"f", 1}, {"i", 2}, {"s", 3}, {"t", 4}, {"g", 5}, {"fs", 6}, {"is", 7}, {"ss", 8}}) {
        node.message(5, typed(name, static_cast<std::uint64_t>(type), static_cast<std::uint32_t>(type + 1)));
    }
    const auto program = read(build::model(graph_of_node(node)));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto& read_node = program->graph.nodes.at(0);
    EXPECT_EQ(read_node.domain, "");
    EXPECT_THAT(read_node.inputs, ElementsAre("x", ""));
    EXPECT_THAT(read_node.find("f")->reals, ElementsAre(0.5F));
    EXPECT_THAT(read_node.find("i")->integers, ElementsAre(-1));
    EXPECT_THAT(read_node.find("s")->strings, ElementsAre("text"));
    EXPECT_THAT(read_node.find("t")->tensors.at(0).tensor.shape, ElementsAre(2U));
    EXPECT_EQ(read_node.find("g")->graphs.at(0).initializers.at(0).tensor.name, "inner");
    EXPECT_THAT(read_node.find("fs")->reals, ElementsAre(1.5F, 2.0F));
    EXPECT_THAT(read_node.find("is")->integers, ElementsAre(1, 2, 3));
    EXPECT_THAT(read_node.find("ss")->strings, ElementsAre("a", ""));
    EXPECT_EQ(read_node.find("none"), nullptr);
}

TEST(OnnxProgram, ReadsNumbersThatAreLeftOutAsZero) {
    const auto program = read(build::model(
        graph_of_node(build::node("n", "Op", {typed("i", 2, 0), typed("f", 1, 0), typed("s", 3, 0)}))));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto& node = program->graph.nodes.at(0);
    EXPECT_THAT(node.find("i")->integers, ElementsAre(0));
    EXPECT_THAT(node.find("f")->reals, ElementsAre(0.0F));
    EXPECT_THAT(node.find("s")->strings, ElementsAre(""));
}

TEST(OnnxProgram, HoldsFunctionsMetadataAndReferences) {
    auto graph = build::graph({build::external("w", {})});
    const auto function = Proto()
                              .bytes(1, "F")
                              .bytes(4, "a")
                              .bytes(5, "b")
                              .bytes(6, "alpha")
                              .message(7, build::node("n", "Relu", {}))
                              .message(9, Proto().bytes(1, "ai.onnx").varint(2, 18))
                              .bytes(10, "local");
    const auto program =
        read(build::model(graph).message(25, function).message(14, build::entry("author", "someone")));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto& read_function = program->functions.at(0);
    EXPECT_EQ(read_function.domain, "local");
    EXPECT_THAT(read_function.attributes, ElementsAre("alpha"));
    EXPECT_EQ(read_function.opsets.at(""), 18);
    EXPECT_EQ(read_function.nodes.at(0).op_type, "Relu");
    EXPECT_THAT(program->references, ElementsAre("w.bin"));
    EXPECT_EQ(program->graph.initializers.at(0).tensor.segments.at(0).file, 1U);
    EXPECT_THAT(program->metadata, ElementsAre(std::pair<std::string, std::string>("author", "someone")));
}

TEST(OnnxProgram, HoldsTextOfConstants) {
    auto tensor = build::tensor("s", build::kString, {2});
    tensor.bytes(6, "one").bytes(6, "two");
    const auto program = read(build::model_of(tensor));
    ASSERT_TRUE(program.ok()) << program.error().message;
    EXPECT_TRUE(program->graph.initializers.at(0).is_text);
    EXPECT_THAT(program->graph.initializers.at(0).text, ElementsAre("one", "two"));
}

struct Spoiled {
    const char* what;
    Proto model;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
    Limits limits = {};
};

Proto of_attribute(const Proto& attribute) {
    return build::model(graph_of_node(build::node("n", "Op", {attribute})));
}

Proto nested(int levels) {
    auto inner = build::graph({});
    for (int i = 0; i < levels; ++i) {
        inner = graph_of_node(build::node("n", "If", {build::attribute("b", 6, inner)}));
    }
    return build::model(inner);
}

Proto many_nodes(int count) {
    Proto graph;
    for (int i = 0; i < count; ++i) graph.message(1, Proto());
    return build::model(graph);
}

std::vector<Spoiled> spoiled() {
    const auto function = Proto().bytes(1, "F");
    return {
        {"no version", Proto().message(7, build::graph({})), "the model has no ir_version"},
        {"no graph", Proto().varint(1, 8), "the model has no graph"},
        {"a sparse initializer", build::model(Proto().message(15, Proto().message(1, build::small("w")))),
         "a sparse initializer", ErrorKind::unsupported},
        {"a sparse attribute", of_attribute(build::attribute("a", 22, Proto())),
         "attributes with sparse tensors are not supported", ErrorKind::unsupported},
        {"one initializer twice", build::model(build::graph({build::small("w"), build::small("w")})),
         "the initializer 'w' appears twice"},
        {"one input twice",
         build::model(Proto().message(11, value("x", Proto())).message(11, value("x", Proto()))),
         "the input 'x' appears twice"},
        {"one value computed twice",
         build::model(Proto().message(1, build::node("n", "A", {})).message(1, build::node("n", "B", {}))),
         "the value 'n_out' appears twice"},
        {"a value computed over an initializer",
         build::model(build::graph({build::small("n_out")}).message(1, build::node("n", "A", {}))),
         "the value 'n_out' is both computed and an input"},
        {"one attribute twice",
         build::model(graph_of_node(build::node("n", "A", {typed("a", 2, 3), typed("a", 1, 2)}))),
         "the attribute 'a' appears twice"},
        {"an attribute of another type", of_attribute(typed("a", 1, 3)),
         "attribute 'a': its type is 1, but its value is of type 2"},
        {"an attribute of two values", of_attribute(typed("a", 2, 3).fixed32(2, 0)),
         "attribute 'a': its type is 2, but its value is of type 1"},
        {"an attribute of an unknown type", of_attribute(typed("a", 15, 0)), "attribute 'a': unknown type 15"},
        {"an attribute of nothing", of_attribute(Proto().bytes(1, "a")),
         "attribute 'a': has neither type nor value"},
        {"a tensor attribute without tensor", of_attribute(typed("a", 4, 0)), "attribute 'a': has no value"},
        {"floats of five bytes", of_attribute(Proto().bytes(1, "a").bytes(7, "12345")),
         "attribute: 5 bytes are not a multiple of 4 for floats"},
        {"two types of one value",
         build::model(Proto().message(
             11, Proto().bytes(1, "x").message(2, Proto().message(1, Proto()).message(4, Proto())))),
         "value 'x' has two types"},
        {"too many dimensions",
         build::model(Proto().message(
             11, value("x", Proto().message(2, Proto().message(1, Proto()).message(1, Proto()))))),
         "value 'x': more than 1 dimension",
         ErrorKind::malformed,
         {.rank = 1}},
        {"two versions of one domain",
         build::model(build::graph({})).message(8, Proto().bytes(1, "ai.onnx").varint(2, 9)),
         "opset_import has the versions 17 and 9 for the domain ''"},
        {"one function twice", build::model(build::graph({})).message(25, function).message(25, function),
         "the function '::F:' appears twice"},
        {"one key of metadata twice",
         build::model(build::graph({})).message(14, build::entry("k", "a")).message(14, build::entry("k", "b")),
         "the key of metadata_props 'k' appears twice"},
        {"deeper than allowed", nested(40), "messages are nested more than 64"},
        {"more nodes than memory for them",
         many_nodes(100),
         "the graph has more than 8,192 bytes",
         ErrorKind::malformed,
         {.metadata_bytes = 8192}},
    };
}

TEST(OnnxProgram, ReportsInvalidGraphsWithTheReason) {
    for (const auto& row : spoiled()) {
        const auto program = read(row.model, row.limits);
        ASSERT_FALSE(program.ok()) << row.what;
        EXPECT_THAT(program.error().message, HasSubstr(row.message)) << row.what;
        EXPECT_EQ(program.error().kind, row.kind) << row.what;
    }
}

TEST(OnnxProgram, EveryTruncationIsRefusedOrSmaller) {
    auto graph = build::graph({build::small("w")});
    graph.message(1, build::node("n", "Op", {typed("t", 4, 5), typed("g", 5, 6)}));
    const auto whole = build::model(graph).text();
    ASSERT_TRUE(read(Proto().raw(whole)).ok());
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        const auto cut = read(Proto().raw(std::string_view(whole).substr(0, bytes)));
        EXPECT_TRUE(cut.ok() || cut.error().kind == ErrorKind::malformed) << bytes;
    }
}

TEST(OnnxProgram, ReadsEveryRealGraph) {
    MODELSEAL_NEED_DATA();
    std::size_t graphs = 0;
    for (const auto& folder : {"models/onnx", "onnx-node"}) {
        for (const auto& path : test::files_under(test::data_folder() / folder)) {
            if (path.extension() != ".onnx") continue;
            const auto bytes = test::load(path);
            const MemorySource source(path.filename().string(), bytes);
            const auto program = read_program(source);
            const bool sparse = !program.ok() && program.error().kind == ErrorKind::unsupported;
            EXPECT_TRUE(program.ok() || sparse) << path << program.error().message;
            if (program.ok() && !program->graph.nodes.empty()) ++graphs;
        }
    }
    EXPECT_GT(graphs, 1000U);
}

}  // namespace
}  // namespace modelseal::formats::onnx
