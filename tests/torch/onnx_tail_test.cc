// Where graphs that end in labels are cut. The lists of nodes are those of exporters: Custom Vision, Windows ML,
// skl2onnx, and what people add themselves.
#include <gmock/gmock.h>

#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/models/small_graphs.h"
#include "tests/torch/small_graph.h"
#include "torch/module_network.h"
#include "torch/onnx/tail.h"

namespace modelseal::libtorch::onnx {
namespace {

using formats::onnx::Graph;
using formats::onnx::Node;
using formats::onnx::ValueInfo;
using formats::onnx::ValueKind;
using testing::ElementsAre;
using testing::HasSubstr;
namespace build = test::onnx;

constexpr const char* kMl = "ai.onnx.ml";

Node node_of(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
             std::string domain = "") {
    Node node;
    node.op_type = std::move(op);
    node.domain = std::move(domain);
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    return node;
}

ValueInfo tensor_of_type(const char* name, std::uint64_t type) {
    return {.name = name, .kind = ValueKind::tensor, .data_type = type};
}

formats::onnx::Constant text_table(const char* name) {
    formats::onnx::Constant table;
    table.tensor.name = name;
    table.is_text = true;
    table.text = {"cat", "dog"};
    return table;
}

Graph graph_of(std::vector<Node> nodes, std::vector<ValueInfo> outputs) {
    Graph graph;
    graph.nodes = std::move(nodes);
    graph.nodes.insert(graph.nodes.begin(), node_of("Softmax", {"x"}, {"loss"}));
    graph.outputs = std::move(outputs);
    graph.initializers = {text_table("labels")};
    return graph;
}

std::vector<std::string> names_of(const Graph& graph) {
    std::vector<std::string> names;
    for (const auto& output : graph.outputs) names.push_back(output.name);
    return names;
}

TEST(OnnxTail, OfCustomVisionIsCutAtTheProbabilities) {
    auto graph = graph_of(
        {node_of("ArgMax", {"loss"}, {"best"}),
         node_of("ArrayFeatureExtractor", {"labels", "best"}, {"classLabel"}, kMl),
         node_of("ZipMap", {"loss"}, {"scores"}, kMl)},
        {tensor_of_type("classLabel", build::kString), {.name = "scores", .kind = ValueKind::sequence}});
    const auto note = cut_labels(graph);
    EXPECT_THAT(names_of(graph), ElementsAre("loss"));
    EXPECT_EQ(
        note,
        "the outputs 'classLabel', 'scores' are left out: labels (ArgMax, ArrayFeatureExtractor, ZipMap); the "
        "graph is cut before, at 'loss'");
}

TEST(OnnxTail, OfLabelsOnlyIsCutBeforeTheFirstNodeThatMakesThem) {
    const struct {
        std::vector<Node> nodes;
        std::uint64_t type;
        const char* made_by;
    } rows[] = {
        {{node_of("ArgMax", {"loss"}, {"y"})}, build::kInt64, "ArgMax"},
        {{node_of("ArgMax", {"loss"}, {"a"}), node_of("Cast", {"a"}, {"b"}), node_of("Squeeze", {"b"}, {"y"})},
         build::kFloat,
         "ArgMax"},
        {{node_of("ArgMax", {"loss"}, {"a"}), node_of("Gather", {"labels", "a"}, {"y"})},
         build::kString,
         "ArgMax, Gather"},
        {{node_of("ArgMax", {"loss"}, {"a"}), node_of("LabelEncoder", {"a"}, {"y"}, kMl)},
         build::kString,
         "ArgMax, LabelEncoder"},
        {{node_of("TopK", {"loss", "k"}, {"v", "y"})}, build::kInt64, "TopK"},
        {{node_of("Greater", {"loss", "half"}, {"a"}), node_of("Cast", {"a"}, {"y"})},
         build::kInt64,
         "Greater"},
    };
    for (const auto& row : rows) {
        auto graph = graph_of(row.nodes, {tensor_of_type("y", row.type)});
        const auto note = cut_labels(graph);
        EXPECT_THAT(names_of(graph), ElementsAre("loss")) << row.made_by;
        EXPECT_EQ(note, "the output 'y' is left out: labels (" + std::string(row.made_by) +
                            "); the graph is cut before, at 'loss'");
    }
}

// Either side of a comparison may be the limit, and a Constant node is as constant as an initializer.
TEST(OnnxTail, OfAComparisonIsCutAtTheScoresWhereverTheLimitIs) {
    formats::onnx::Attribute value;
    value.name = "value";
    value.tensors.resize(1);
    auto limit = node_of("Constant", {}, {"half"});
    limit.attributes = {value};
    auto graph =
        graph_of({limit, node_of("Less", {"half", "loss"}, {"y"})}, {tensor_of_type("y", build::kInt64)});
    const auto note = cut_labels(graph);
    EXPECT_THAT(names_of(graph), ElementsAre("loss"));
    EXPECT_EQ(note, "the output 'y' is left out: labels (Less); the graph is cut before, at 'loss'");
}

TEST(OnnxTail, OfNumbersStaysAsItIs) {
    const std::vector<Node> lookup = {node_of("ArgMax", {"loss"}, {"best"}),
                                      node_of("Gather", {"codebook", "best"}, {"y"})};
    auto numbers = graph_of(lookup, {tensor_of_type("y", build::kFloat)});
    numbers.initializers.front() = {};
    numbers.initializers.front().tensor.name = "codebook";
    numbers.initializers.front().tensor.dtype = DType::f32;
    EXPECT_FALSE(cut_labels(numbers)) << "a table of real numbers may be the answer";
    EXPECT_THAT(names_of(numbers), ElementsAre("y"));

    auto integers = graph_of({node_of("Cast", {"loss"}, {"y"})}, {tensor_of_type("y", build::kUint8)});
    EXPECT_FALSE(cut_labels(integers));
    auto unknown = graph_of({}, {{.name = "loss"}});
    EXPECT_FALSE(cut_labels(unknown));
    auto text = graph_of({node_of("StringNormalizer", {"t"}, {"y"})}, {tensor_of_type("y", build::kString)});
    EXPECT_FALSE(cut_labels(text)) << "nothing would be left";
}

TEST(OnnxTail, NumbersAmongTheOutputsAreEnough) {
    auto graph = graph_of({node_of("ArgMax", {"other"}, {"label"}), node_of("StringNormalizer", {"t"}, {"u"})},
                          {tensor_of_type("label", build::kInt64), tensor_of_type("loss", build::kFloat),
                           tensor_of_type("u", build::kString), tensor_of_type("count", build::kInt64)});
    const auto note = cut_labels(graph);
    EXPECT_THAT(names_of(graph), ElementsAre("loss", "count"));
    EXPECT_EQ(note, "the outputs 'label', 'u' are left out: labels (ArgMax)");
    auto text = graph_of({}, {tensor_of_type("loss", build::kFloat), tensor_of_type("u", build::kString)});
    EXPECT_EQ(cut_labels(text), "the output 'u' is left out: not a tensor of numbers");
}

TEST(OnnxTail, ARingOfNodesEnds) {
    auto graph = graph_of({node_of("ArgMax", {"y"}, {"y"})}, {tensor_of_type("y", build::kInt64)});
    EXPECT_TRUE(cut_labels(graph));
}

// The file would be wrong: its table has no label for one more class.
TEST(OnnxTail, OfTablesAllowsNoFurtherClass) {
    for (const auto* lookup : {"ArrayFeatureExtractor", "Gather"}) {
        const auto text = test::small_labels(lookup);
        const auto raw = std::as_bytes(std::span(text));
        model::Model model;
        model.files.push_back({{}, std::make_unique<formats::MemorySource>("labels.onnx", raw), {}});
        auto opened = open_onnx(std::move(model), {.device = "cpu", .threads = 2});
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        auto& network = dynamic_cast<oracle::TrainableNetwork&>(**opened);
        EXPECT_EQ(network.classes().value(), 3U);
        const auto added = network.add_class(1);
        ASSERT_FALSE(added.ok()) << lookup;
        EXPECT_EQ(added.error().kind, ErrorKind::unsupported);
        EXPECT_EQ(added.error().message, "labels.onnx: the last layer leads to labels that the file lists (" +
                                             std::string(lookup) + ") (with one more class)");
    }
}

TEST(OnnxTail, OfARealNetworkIsCutAndReported) {
    MODELSEAL_NEED_DATA();
    const auto path = test::data_folder() / "models" / "onnx" / "winml-mnist-cnn.onnx";
    const auto network = open_onnx(model::open_model(path).value(), {.device = "cpu", .threads = 2});
    ASSERT_TRUE(network.ok()) << network.error().message;
    ASSERT_EQ((*network)->warnings().size(), 1U);
    EXPECT_THAT(
        (*network)->warnings().front(),
        HasSubstr("winml-mnist-cnn.onnx: the outputs 'classLabel', 'prediction' are left out: labels "
                  "(ArgMax, ArrayFeatureExtractor, ZipMap); the graph is cut before, at 'prediction1'"));
    EXPECT_EQ((*network)->classes().value(), 10U);
}

}  // namespace
}  // namespace modelseal::libtorch::onnx
