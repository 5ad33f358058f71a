// The gradient of each family of operators against differences of the outputs. Graphs are built field by field.
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tests/torch/small_graph.h"

namespace modelseal::libtorch::onnx {
namespace {

using test::Family;
using test::Proto;
namespace build = test::onnx;
using test::onnx::floats, test::onnx::integer, test::onnx::integers, test::onnx::list, test::onnx::node,
    test::onnx::text, test::onnx::weights;

std::vector<Family> families() {
    return {
        {"arithmetic",
         {2, 3},
         {node("Mul", {"x", "w"}, "a"), node("Exp", {"a"}, "b"), node("Div", {"b", "w"}, "y")},
         {weights("w", {2, 3})}},
        {"activations",
         {2, 6},
         {node("Elu", {"x"}, "a"), node("Gelu", {"a"}, "b"), node("Softmax", {"b"}, "y")},
         {}},
        {"reductions",
         {2, 3, 4},
         {node("ReduceL2", {"x", "axes"}, "a"), node("ReduceLogSumExp", {"a"}, "y")},
         {integers("axes", {1})}},
        {"shapes",
         {2, 6},
         {node("Reshape", {"x", "shape"}, "a"), node("Transpose", {"a"}, "b"),
          node("Concat", {"b", "b"}, "c", {integer("axis", 1)}), node("Mul", {"c", "c"}, "y")},
         {integers("shape", {3, 4})}},
        {"indexing",
         {4, 3},
         {node("Gather", {"x", "i"}, "a"), node("Mul", {"a", "a"}, "y")},
         {integers("i", {0, 2, 2})}},
        {"convolutions",
         {1, 2, 5, 5},
         {node("Conv", {"x", "w"}, "a", {list("pads", {1, 0, 2, 1})}),
          node("ConvTranspose", {"a", "v"}, "y", {list("strides", {2, 2})})},
         {weights("w", {3, 2, 3, 3}), weights("v", {3, 1, 2, 2})}},
        {"deformable convolutions",
         {1, 2, 4, 4},
         {node("DeformConv", {"x", "w", "o", "", "m"}, "a", {integer("group", 2)}),
          node("Mul", {"a", "a"}, "y")},
         {weights("w", {2, 1, 3, 3}), weights("o", {1, 18, 2, 2}), weights("m", {1, 9, 2, 2})}},
        {"states",
         {1, 4, 3},
         {node("CausalConvWithState", {"x", "w"}, "a", {text("activation", "silu")}),
          node("LinearAttention", {"a", "a", "a"}, "y",
               {integer("q_num_heads", 1), integer("kv_num_heads", 1), text("update_rule", "linear")})},
         {weights("w", {4, 1, 2})}},
        {"pools",
         {1, 2, 6, 6},
         {node("MaxPool", {"x"}, "a", {list("kernel_shape", {2, 2})}),
          node("AveragePool", {"a"}, "y", {list("kernel_shape", {2, 2}), list("pads", {1, 0, 0, 1})})},
         {}},
        {"normalisations",
         {2, 4, 3, 3},
         {node("InstanceNormalization", {"x", "s", "s"}, "a"), node("LRN", {"a"}, "b", {integer("size", 3)}),
          node("LayerNormalization", {"b", "t"}, "y")},
         {weights("s", {4}), weights("t", {3})}},
        {"matrices",
         {3, 4},
         {node("Gemm", {"x", "w", "c"}, "a", {integer("transB", 1)}), node("MatMul", {"a", "x"}, "b"),
          node("Einsum", {"b"}, "y", {text("equation", "ij->ji")})},
         {weights("w", {3, 4}), weights("c", {3})}},
        {"recurrence",
         {3, 2, 4},
         {node("LSTM", {"x", "w", "r"}, "y", {integer("hidden_size", 2)})},
         {weights("w", {1, 8, 4}), weights("r", {1, 8, 2})}},
        {"attention", {1, 2, 3, 4}, {node("Attention", {"x", "x", "x"}, "y", {integer("is_causal", 1)})}, {}},
        {"resizing",
         {1, 1, 4, 4},
         {node("Resize", {"x", "", "", "sizes"}, "y", {text("mode", "cubic")})},
         {integers("sizes", {1, 1, 6, 3})}},
        {"branches",
         {2, 3},
         {node(
             "If", {"yes"}, "y",
             {build::attribute("then_branch", 6,
                               Proto().message(1, node("Tanh", {"x"}, "t")).message(12, Proto().bytes(1, "t"))),
              build::attribute(
                  "else_branch", 6,
                  Proto().message(1, node("Neg", {"x"}, "e")).message(12, Proto().bytes(1, "e")))})},
         {build::tensor("yes", 9, {}).bytes(9, std::string(1, '\1'))}},
    };
}

TEST(OnnxGradient, MatchesFiniteDifferencesForEachFamily) {
    for (const auto& family : families()) {
        std::vector<std::byte> bytes;
        const auto interpreter = test::open(family, bytes);
        ASSERT_NE(interpreter, nullptr) << family.name;
        std::int64_t elements = 1;
        for (const auto extent : family.shape) elements *= extent;
        const auto x =
            at::arange(elements, at::TensorOptions(at::kFloat)).mul(1.3).sin().mul(0.8).reshape(family.shape);
        // A sum that no symmetry makes constant.
        const auto value = [&](const at::Tensor& input) {
            auto outputs = interpreter->run({Value(input)});
            EXPECT_TRUE(outputs.ok()) << family.name << ": " << outputs.error().message;
            const auto y = outputs->at(0).tensor.reshape({-1});
            return (y * at::arange(y.numel(), y.options()).mul(0.7).cos()).sum();
        };
        const auto leaf = x.clone().set_requires_grad(true);
        const auto total = value(leaf);
        ASSERT_TRUE(total.requires_grad()) << family.name;
        total.backward();
        const auto gradient = leaf.grad().reshape({-1});
        const at::NoGradGuard no_gradient;
        double largest = 0;
        for (std::int64_t i = 0; i < elements; ++i) {
            constexpr double step = 5e-3;
            auto more = x.clone(), less = x.clone();
            more.view({-1})[i] += step;
            less.view({-1})[i] -= step;
            const auto expected = (value(more) - value(less)).item<double>() / (2 * step);
            const auto got = gradient[i].item<double>();
            EXPECT_NEAR(got, expected, 2e-2 * std::max(1.0, std::abs(expected))) << family.name << " at " << i;
            largest = std::max(largest, std::abs(got));
        }
        EXPECT_GT(largest, 1e-3) << family.name;
    }
}

// Rounding has no gradient of its own; what goes through quantized numbers has that of the numbers before.
TEST(OnnxGradient, PassesQuantizedNumbersUnlessTheyAreClipped) {
    const Family family = {
        "quantised",
        {4},
        {node("QuantizeLinear", {"x", "s", "z"}, "q"), node("Reshape", {"q", "shape"}, "r"),
         node("DequantizeLinear", {"r", "s", "z"}, "y")},
        {build::tensor("s", build::kFloat, {}).bytes(9, floats({0.1F})),
         build::tensor("z", build::kUint8, {}).bytes(9, std::string(1, '\x80')), integers("shape", {2, 2})}};
    std::vector<std::byte> bytes;
    const auto interpreter = test::open(family, bytes);
    ASSERT_NE(interpreter, nullptr);
    const auto x = at::tensor({0.32F, -0.56F, 100.0F, -100.0F}).set_requires_grad(true);
    const auto outputs = interpreter->run({Value(x)});
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    const auto y = outputs->at(0).tensor;
    EXPECT_TRUE(at::allclose(y.detach(), at::tensor({0.3F, -0.6F, 12.7F, -12.8F}).reshape({2, 2})));
    y.sum().backward();
    EXPECT_TRUE(at::allclose(x.grad(), at::tensor({1.0F, 1.0F, 0.0F, 0.0F})));
}

// Rounds that hand on what they get.
Proto idle_body() {
    Proto body;
    for (const auto* name : {"i", "c", "v"}) body.message(11, Proto().bytes(1, name));
    for (const auto* name : {"c", "v"}) body.message(12, Proto().bytes(1, name));
    return body;
}

struct Bad {
    const char* what;
    Family family;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

TEST(OnnxInterpreter, NamesOperatorsThatAreMissingWithANodeOfEachAndWhy) {
    const Family family = {"",
                           {},
                           {node("Bernoulli", {"x"}, "a"), node("Bernoulli", {"a"}, "b"),
                            node("StringSplit", {"b"}, "c"), node("Fancy", {"c"}, "d", {}, "my.own"),
                            node("TreeEnsemble", {"d"}, "e", {}, "ai.onnx.ml"), node("Later", {"e"}, "y")},
                           {}};
    const auto bytes = test::file_of(family);
    const auto opened = test::try_open(bytes);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(
        opened.error().message,
        "model.onnx: unsupported operators: Bernoulli (node 'a': random answers), Later (node 'y': not "
        "implemented), StringSplit (node 'c': computes with text), ai.onnx.ml::TreeEnsemble (node 'e': of "
        "models that are not networks), my.own::Fancy (node 'd': not an operator of ONNX)");
    EXPECT_EQ(opened.error().hint, "export the network without unsupported operators");
}

TEST(OnnxInterpreter, StatesOnlyTheFirstOfManyMissingOperators) {
    Family family = {"", {}, {}, {}};
    std::vector<std::string> values = {"x"};
    for (int i = 0; i < 99; ++i) values.push_back("v" + std::to_string(i));
    values.push_back("y");
    for (std::size_t i = 0; i < 100; ++i)
        family.nodes.push_back(node("Op" + std::to_string(i), {values[i].c_str()}, values[i + 1].c_str()));
    const auto bytes = test::file_of(family);
    const auto opened = test::try_open(bytes);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().message.find("Op15 (node 'v15': not implemented), 92 more"), std::string::npos)
        << opened.error().message;
}

TEST(OnnxInterpreter, DoesNotRunWhatNoOutputFollowsFrom) {
    const Family family = {
        "", {}, {node("Bernoulli", {"x"}, "a"), node("Neg", {"x"}, "y"), node("StringSplit", {"a"}, "b")}, {}};
    std::vector<std::byte> bytes;
    const auto interpreter = test::open(family, bytes);
    ASSERT_NE(interpreter, nullptr);
    const auto outputs = interpreter->run({Value(at::ones({2}, at::TensorOptions(at::kFloat)))});
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    EXPECT_EQ(outputs->at(0).tensor[1].item<float>(), -1);
}

// Graphs that are well-formed as files, and make no sense or ask for too much.
TEST(OnnxInterpreter, NamesTheInvalidNode) {
    const auto big = std::uint64_t{1} << 40;
    const std::vector<Bad> rows = {
        {"an axis outside",
         {"", {2, 3}, {node("Concat", {"x", "x"}, "y", {integer("axis", 5)})}, {}},
         "node 'y' (Concat): axis 5 does not exist, there are 2 dimensions"},
        {"a reshape that does not fit",
         {"", {2, 3}, {node("Reshape", {"x", "s"}, "y")}, {integers("s", {4, 4})}},
         "node 'y' (Reshape)"},
        {"an index outside",
         {"", {2, 3}, {node("Gather", {"x", "i"}, "y")}, {integers("i", {7})}},
         "node 'y' (Gather): an index is outside its dimension"},
        {"a missing input",
         {"", {2, 3}, {node("Gemm", {"x"}, "y")}, {}},
         "node 'y' (Gemm): input 1 is missing"},
        {"an attribute of another type",
         {"", {2, 3}, {node("Softmax", {"x"}, "y", {text("axis", "1")})}, {}},
         "node 'y' (Softmax): attribute 'axis' has another type"},
        {"a step of nothing",
         {"", {4}, {node("Slice", {"x", "a", "b", "a", "a"}, "y")}, {integers("a", {0}), integers("b", {1})}},
         "node 'y' (Slice): a step is 0"},
        {"more memory than allowed",
         {"", {2, 3}, {node("Expand", {"x", "s"}, "y")}, {integers("s", {big, 2, 3})}},
         "node 'y' (Expand): a tensor has more than 16,777,216 bytes",
         ErrorKind::unsupported},
        {"a tile of more memory",
         {"", {2}, {node("Tile", {"x", "s"}, "y")}, {integers("s", {1u << 30})}},
         "node 'y' (Tile): a tensor has more than",
         ErrorKind::unsupported},
        {"padding of more memory",
         {"", {2}, {node("Pad", {"x", "s"}, "y")}, {integers("s", {1u << 30, 0})}},
         "node 'y' (Pad): a tensor has more than",
         ErrorKind::unsupported},
        {"a convolution over more padding than memory",
         {"", {1, 1, 3, 3}, {node("Conv", {"x", "x"}, "y", {list("pads", {1u << 30, 0, 1u << 30, 0})})}, {}},
         "node 'y' (Conv): a tensor has more than",
         ErrorKind::unsupported},
        {"rounds without end",
         {"",
          {1},
          {node("Loop", {"n", "", "x"}, "y", {build::attribute("body", 6, idle_body())})},
          {build::tensor("n", build::kInt64, {}).packed(7, {std::uint64_t{1} << 62})}},
         "node 'y' (Loop): more than 250,000 nodes in one run",
         ErrorKind::unsupported},
        {"a window that does not fit",
         {"", {1, 1, 3, 3}, {node("MaxPool", {"x"}, "y", {list("kernel_shape", {5, 5})})}, {}},
         "node 'y' (MaxPool): the window is larger than the padded input"},
        {"a kernel of nothing",
         {"", {1, 1, 3, 3}, {node("AveragePool", {"x"}, "y", {list("kernel_shape", {0, 1})})}, {}},
         "node 'y' (AveragePool): kernel_shape"},
        {"a form of an operator",
         {"", {3}, {node("Cast", {"x"}, "y", {integer("to", build::kString)})}, {}},
         "node 'y' (Cast): not supported: a cast to text",
         ErrorKind::unsupported},
        {"moved places of another shape",
         {"", {1, 1, 3, 3}, {node("DeformConv", {"x", "x", "o"}, "y")}, {weights("o", {1, 18, 2, 1})}},
         "node 'y' (DeformConv): the shape of the offset"},
        {"a table of labels that is too short",
         {"",
          {3},
          {node("Cast", {"x"}, "i", {integer("to", build::kInt64)}),
           node("LabelEncoder", {"i"}, "y", {list("keys_int64s", {1, 2}), list("values_int64s", {1})},
                "ai.onnx.ml")},
          {}},
         "node 'y' (LabelEncoder): a value for each key"},
    };
    for (const auto& row : rows) {
        std::vector<std::byte> bytes;
        const auto interpreter = test::open(row.family, bytes);
        ASSERT_NE(interpreter, nullptr) << row.what;
        const auto outputs =
            interpreter->run({Value(at::ones(row.family.shape, at::TensorOptions(at::kFloat)))});
        ASSERT_FALSE(outputs.ok()) << row.what;
        EXPECT_NE(outputs.error().message.find(row.message), std::string::npos)
            << row.what << ": " << outputs.error().message;
        EXPECT_EQ(outputs.error().kind, row.kind) << row.what;
    }
}

}  // namespace
}  // namespace modelseal::libtorch::onnx
