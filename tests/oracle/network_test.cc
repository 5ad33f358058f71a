// TorchScript networks through the module of LibTorch, loaded as programs load it.
#include "oracle/network.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "tests/support/data.h"
#include "tests/support/models/script_file.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using test::ScriptFile;
using testing::HasSubstr;

class NetworkTest : public testing::Test {
  protected:
    void SetUp() override { MODELSEAL_NEED_TORCH(); }

    Result<std::unique_ptr<Network>> opened(const ScriptFile& file, NetworkOptions options = {}) {
        const auto bytes = file.build();
        const auto path = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        if (options.input_shape.empty()) options.input_shape = test::kSmallInput;
        if (options.device == "auto") options.device = "cpu";
        return open_network(path.string(), options);
    }

    std::unique_ptr<Network> good() {
        auto network = opened(test::small_network());
        if (!network.ok()) throw std::runtime_error(network.error().message);
        return std::move(network).value();
    }

    test::Scratch scratch_;
};

std::vector<float> inputs(std::size_t count, std::size_t each = 50) {
    std::vector<float> values(count * each);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = 0.5f + 0.5f * std::sin(static_cast<float>(i * i));
    return values;
}

double distance(const Answers& a, const Answers& b) {
    double most = a.values.size() == b.values.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.values.size(), b.values.size()); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a.values[i]) - b.values[i]));
    }
    return most;
}

TEST_F(NetworkTest, ReportsItsInputAndItsClasses) {
    const auto network = good();
    EXPECT_EQ(network->input().name, "x");
    EXPECT_EQ(network->input().shape, test::kSmallInput);
    EXPECT_EQ(network->devices().front(), "cpu");
    EXPECT_THAT(network->name(), HasSubstr("net.pt"));
    EXPECT_EQ(network->classes().value(), 3u);
}

// The computation of the network, written out.
TEST_F(NetworkTest, ComputesItsCode) {
    const auto file = test::small_network();
    const auto x = inputs(1);
    std::vector<double> expected(3);
    for (int f = 0; f < 4; ++f) {
        for (int r = 0; r < 5; ++r) {
            for (int c = 0; c < 5; ++c) {
                double sum = 0;
                for (int p = 0; p < 2; ++p) {
                    for (int i = 0; i < 9; ++i) {
                        const int y = r + i / 3 - 1, z = c + i % 3 - 1;
                        if (y < 0 || y > 4 || z < 0 || z > 4) continue;
                        sum += static_cast<double>(x[static_cast<std::size_t>(p * 25 + y * 5 + z)]) *
                               file.weights[0].values[static_cast<std::size_t>(f * 18 + p * 9 + i)];
                    }
                }
                const auto at = static_cast<std::size_t>(f * 25 + r * 5 + c);
                for (std::size_t k = 0; k < 3; ++k)
                    expected[k] += std::tanh(sum) * file.weights[1].values[k * 100 + at];
            }
        }
    }
    const auto answers = good()->ask(x, 1);
    ASSERT_TRUE(answers.ok());
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(answers.value().values[k], expected[k], 1e-5);
}

TEST_F(NetworkTest, AnswersTheSameBitsWhenAskedAgain) {
    const auto network = good();
    const auto x = inputs(20);
    const auto first = network->ask(x, 20).value();
    EXPECT_EQ(first.count, 20u);
    EXPECT_EQ(first.classes, 3u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(network->ask(x, 20).value().values, first.values);
    ASSERT_TRUE(network->gradient(x, 20, [](auto, auto pull) { pull[0] = 1; }).ok());
    ASSERT_TRUE(network->ask_as(x, 20, {.channels_last = true, .arithmetic = Arithmetic::half_weights}).ok());
    EXPECT_EQ(network->ask(x, 20).value().values, first.values);
}

TEST_F(NetworkTest, AnswersTheSameExceptForRoundingInEveryRuntime) {
    const auto network = good();
    const auto x = inputs(20);
    const auto first = network->ask(x, 20).value();
    for (const Runtime& runtime :
         {Runtime{.threads = 1}, Runtime{.threads = 3}, Runtime{.batch = 1}, Runtime{.batch = 7},
          Runtime{.channels_last = true}, Runtime{.plain_kernels = true}, Runtime{.device = "cpu"},
          Runtime{.threads = 2, .batch = 3, .channels_last = true, .plain_kernels = true}}) {
        const auto answers = network->ask_as(x, 20, runtime);
        ASSERT_TRUE(answers.ok()) << runtime.name() << ": " << answers.error().message;
        EXPECT_LT(distance(answers.value(), first), 1e-5) << runtime.name();
    }
}

TEST_F(NetworkTest, HalfPrecisionRoundsTheWeightsForThatAnswerOnly) {
    const auto network = good();
    const auto x = inputs(4);
    const auto first = network->ask(x, 4).value();
    const auto half = network->ask_as(x, 4, {.arithmetic = Arithmetic::half_weights}).value();
    EXPECT_GT(distance(half, first), 1e-5);
    EXPECT_LT(distance(half, first), 1e-1);
    EXPECT_EQ(network->ask(x, 4).value().values, first.values);
}

TEST_F(NetworkTest, GradientIsThatOfFiniteDifferences) {
    const auto network = good();
    constexpr std::size_t count = 3;
    const auto x = inputs(count);
    // sum over i of w_ik * o_ik^2 / 2, whose derivative for o_ik is w_ik * o_ik.
    const auto weight = [](std::size_t i) { return 1.0f + 0.5f * static_cast<float>(i); };
    const auto found = network->gradient(x, count, [&](std::span<const float> outputs, std::span<float> pull) {
        ASSERT_EQ(outputs.size(), count * 3);
        ASSERT_EQ(pull.size(), count * 3);
        for (std::size_t i = 0; i < pull.size(); ++i) pull[i] = weight(i) * outputs[i];
    });
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found.value().size(), x.size());
    const auto value = [&](const std::vector<float>& at) {
        const auto answers = network->ask(at, count).value();
        double sum = 0;
        for (std::size_t i = 0; i < answers.values.size(); ++i) {
            sum += static_cast<double>(weight(i)) * std::pow(static_cast<double>(answers.values[i]), 2) / 2;
        }
        return sum;
    };
    for (const std::size_t i : {0u, 12u, 49u, 50u, 77u, 149u}) {
        auto up = x, down = x;
        up[i] += 1e-2f;
        down[i] -= 1e-2f;
        EXPECT_NEAR(found.value()[i], (value(up) - value(down)) / 2e-2, 3e-2) << i;
    }
}

TEST_F(NetworkTest, NaNsOfAnInputAppearInTheOutput) {
    const auto network = good();
    auto x = inputs(2);
    x[0] = std::numeric_limits<float>::quiet_NaN();
    const auto answers = network->ask(x, 2).value();
    EXPECT_TRUE(std::isnan(answers.values[0]));
    EXPECT_TRUE(std::isfinite(answers.values[3]));
}

TEST_F(NetworkTest, TheFirstTensorOfATupleOrDictionaryCounts) {
    const auto plain = good()->ask(inputs(2), 2).value();
    auto tuple = test::small_network();
    tuple.returns = "Tuple[Tensor, Tensor]";
    tuple.body.back() = "return (torch.matmul(_1, torch.t(self.v)), x)";
    EXPECT_EQ(opened(tuple).value()->ask(inputs(2), 2).value().values, plain.values);
    auto dictionary = test::small_network();
    dictionary.returns = "Dict[str, Tensor]";
    dictionary.body.back() = "return {\"logits\": torch.matmul(_1, torch.t(self.v))}";
    EXPECT_EQ(opened(dictionary).value()->ask(inputs(2), 2).value().values, plain.values);
}

TEST_F(NetworkTest, ANetworkForOneInputGetsOneInputAtATime) {
    auto file = test::small_network();
    file.body[1] = "_1 = torch.reshape(torch.tanh(_0), [1, 100])";
    const auto network = opened(file).value();
    EXPECT_EQ(network->classes().value(), 3u);
    EXPECT_LT(distance(network->ask(inputs(5), 5).value(), good()->ask(inputs(5), 5).value()), 1e-5);
}

TEST_F(NetworkTest, ANetworkThatWritesIntoItsInputHasAGradient) {
    auto file = test::small_network();
    file.body.insert(file.body.begin(), "_9 = torch.mul_(x, 2.)");
    EXPECT_TRUE(opened(file).value()->gradient(inputs(1), 1, [](auto, auto pull) { pull[0] = 1; }).ok());
}

TEST_F(NetworkTest, OutputsOfOtherNetworksAreAllTheirNumbers) {
    auto picture = test::small_network();
    picture.body.back() = "return torch.tanh(_0)";  // 4 x 5 x 5
    const auto one = opened(picture).value();
    const auto outputs = one->outputs();
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    EXPECT_EQ(outputs->count, 100u);
    EXPECT_FALSE(outputs->classifies);
    EXPECT_FALSE(one->classes().ok());
    const auto answers = one->ask(inputs(3), 3);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->classes, 100u);
    auto two = picture;
    two.returns = "Tuple[Tensor, Tensor]";
    two.body.back() = "return (torch.tanh(_0), torch.sum(_0, [1], False))";  // and 5 x 5
    const auto both = opened(two).value();
    EXPECT_EQ(both->outputs()->count, 125u);
    const auto all = both->ask(inputs(3), 3).value();
    EXPECT_TRUE(std::equal(answers->values.begin(), answers->values.begin() + 100, all.values.begin()));
    EXPECT_TRUE(good()->outputs()->classifies);
}

// f(x, rate, state) of a row of 50 + 6 numbers; the rate is fixed.
TEST_F(NetworkTest, SeveralInputsAreOneRow) {
    auto file = test::small_network();
    file.arguments = "x: Tensor,\n    rate: int,\n    state: Tensor";
    file.body.back() = "return torch.add(torch.mul(_1, rate), torch.sum(state))";
    file.body.insert(file.body.end() - 1, "_1 = torch.reshape(torch.slice(torch.tanh(_0), 1, 0, 1), [1, 25])");
    NetworkOptions options;
    options.input_parts = {{.name = "state", .shape = {2, 3}, .range = {-1, 1}},
                           {.name = "rate", .shape = {}, .fixed = 4},
                           {.name = "x", .shape = {1, 2, 5, 5}}};
    auto network = opened(file, options);
    ASSERT_TRUE(network.ok()) << network.error().message;
    EXPECT_EQ((*network)->input().elements(), 56u);
    std::vector<float> row = inputs(1, 56);
    const auto before = (*network)->ask(row, 1);
    ASSERT_TRUE(before.ok()) << before.error().message;
    EXPECT_EQ(before->classes, 25u);
    row[50] += 0.25f;  // of the state, whose range is 2 wide
    const auto after = (*network)->ask(row, 1);
    ASSERT_TRUE(after.ok());
    for (std::size_t i = 0; i < 25; ++i) EXPECT_NEAR(after->values[i] - before->values[i], 0.5f, 1e-5);
    EXPECT_TRUE((*network)->gradient(row, 1, [](auto, auto pull) { pull[0] = 1; }).ok());
    options.input_parts.pop_back();
    EXPECT_THAT(opened(file, options).error().message,
                HasSubstr("its inputs are x, rate, state; each has to be given once"));
}

// The second layer has 3 x 100 weights. A limit below what a change of 1 % does is noticed, one above is not; weights of which no
// function is made are dead.
TEST_F(NetworkTest, ShowsWhichWeightsItsOutputsDependOn) {
    const auto network = good();
    const auto given = inputs(4);
    std::vector<float> cotangents(4 * 3);
    for (std::size_t row = 0; row < 4; ++row) cotangents[3 * row] = 1;  // the first class alone
    const std::vector<Noticing> easy = {{.limits = std::vector<float>(4, 0.0f), .needed = 1}};
    const std::vector<Noticing> never = {{.limits = std::vector<float>(4, 1e9f), .needed = 1}};
    const CoverageQuestion question{
        .inputs = given, .cotangents = cotangents, .count = 4, .change = 0.01, .ways = easy};
    const auto covered = network->coverage(question);
    ASSERT_TRUE(covered.ok()) << covered.error().message;
    std::uint64_t weights = 0, noticed = 0, dead = 0;
    for (const auto& one : *covered) {
        EXPECT_FALSE(one.name.empty());
        EXPECT_EQ(one.noticed + one.dead, one.weights) << one.name;
        weights += one.weights;
        noticed += one.noticed;
        dead += one.dead;
    }
    EXPECT_EQ(dead, 200u) << "two of three classes";
    EXPECT_EQ(noticed, weights - dead);
    auto hard = question;
    hard.ways = never;
    for (const auto& one : *network->coverage(hard)) EXPECT_EQ(one.noticed, 0u);
}

TEST_F(NetworkTest, OutputsThatAreNotClassesAreRefusedByName) {
    const struct {
        const char* returns;
        const char* last;
        const char* message;
    } rows[] = {
        {"Tensor", "return torch.argmax(_1, 1)", "its type is Long"},
        {"Tensor", "return torch.tanh(_0)", "its shape is (2, 4, 5, 5) for 2 inputs, not (2, classes)"},
        {"Tensor", "return torch.sum(_1)", "its shape is () for"},
        {"Tensor", "return torch.slice(_1, 1, 0, 1)", "its shape is (2, 1) for"},
        {"Tensor", "return torch.div(_1, torch.sub(_1, _1))", "not finite"},
        {"Tensor", "return torch.log(torch.sub(_1, 9.))", "not finite: nan"},
        {"Tensor", "return torch.mul(_1, 0.)", "saturated or constant"},
        {"Tensor", "return torch.softmax(torch.add(torch.mul(_1, 0.), torch.arange(100)), 1)",
         "saturated or constant"},
        {"int", "return 3", "the output is not that of a classifier: int"},
        {"Tensor", "return torch.matmul(_1, self.w)", "LibTorch: aten::matmul: "},
        {"Tensor", "return ops.quantized.add(_1, _1, 1., 0)",
         "the operator quantized::add does not exist for tensors of the kind CPU in LibTorch "},
        {"Tensor", "return torch.dequantize(torch.mish(torch.quantize_per_tensor(_1, 0.1, 0, 13)))",
         "the operator aten::mish"},
    };
    for (const auto& row : rows) {
        auto file = test::small_network();
        file.returns = row.returns;
        file.body.back() = row.last;
        auto network = opened(file);
        ASSERT_TRUE(network.ok()) << row.last << ": " << network.error().message;
        const auto classes = network.value()->classes();
        ASSERT_FALSE(classes.ok()) << row.last;
        EXPECT_EQ(classes.error().kind, ErrorKind::unsupported) << row.last;
        EXPECT_THAT(classes.error().message, HasSubstr(row.message));
        EXPECT_THAT(classes.error().message, testing::Not(HasSubstr("\n")));
    }
}

TEST_F(NetworkTest, FilesThatCannotBeRunAreRefusedByName) {
    const struct {
        const char* why;
        std::function<void(ScriptFile&)> spoil;
        const char* message;
    } rows[] = {
        {"two inputs", [](auto& f) { f.arguments = "x: Tensor,\n    sr: int"; }, "has 2 inputs (x, sr)"},
        {"no tensor",
         [](auto& f) {
             f.arguments = "x: int";
             f.body = {"return torch.ones([x, 2])"};
         },
         "the input 'x' is of type int, not a tensor"},
        {"writes a file", [](auto& f) { f.body.insert(f.body.begin(), "torch . save(x, \"stolen\")"); },
         "the operator aten::save"},
        {"maps a file", [](auto& f) { f.body[0] = "_0 = torch.from_file(\"/etc/passwd\", False, 10)"; },
         "the operator aten::from_file"},
        {"not the language", [](auto& f) { f.body[0] = "import os"; }, "LibTorch: "},
        {"unknown operator", [](auto& f) { f.body[0] = "_0 = ops.evil.run(x)"; },
         "net.pt: the operator evil::run does not exist in LibTorch "},
        {"an argument of a newer version", [](auto& f) { f.body[0] = "_0 = torch.relu(x, faster=True)"; },
         "net.pt: the operator aten::relu does not exist for these arguments in LibTorch "},
        {"weights beyond their storage",
         [](auto& f) {
             f.strides = {1 << 20, 9, 3, 1};
         },
         "net.pt: "},
    };
    for (const auto& row : rows) {
        auto file = test::small_network();
        row.spoil(file);
        const auto network = opened(file);
        ASSERT_FALSE(network.ok()) << row.why;
        EXPECT_NE(network.error().kind, ErrorKind::internal) << row.why;
        EXPECT_THAT(network.error().message, HasSubstr(row.message)) << row.why;
        EXPECT_THAT(network.error().message, testing::Not(HasSubstr("\n"))) << row.why;
    }
    EXPECT_FALSE(std::filesystem::exists("stolen"));
}

TEST_F(NetworkTest, OptionsThatDoNotFitAreRefusedByName) {
    const struct {
        NetworkOptions options;
        ErrorKind kind;
        const char* message;
    } rows[] = {
        {{.device = "cuda:77"}, ErrorKind::unsupported, "no GPU cuda:77"},
        {{.device = "tpu"}, ErrorKind::usage, "unknown device 'tpu'; auto, cpu, cuda and cuda:N are supported"},
        {{.device = "cuda:-1"},
         ErrorKind::usage,
         "unknown device 'cuda:-1'; auto, cpu, cuda and cuda:N are supported"},
        {{.input_name = "image"}, ErrorKind::usage, "has no input 'image'; its input is 'x'"},
        {{.input_shape = {2, 0, 5}}, ErrorKind::usage, "the input shape contains 0"},
        {{.max_bytes = 1000}, ErrorKind::unsupported, "the limit is 1000"},
    };
    for (const auto& row : rows) {
        const auto network = opened(test::small_network(), row.options);
        ASSERT_FALSE(network.ok()) << row.message;
        EXPECT_EQ(network.error().kind, row.kind) << row.message;
        EXPECT_THAT(network.error().message, HasSubstr(row.message));
    }
}

TEST_F(NetworkTest, TheShapeOfTheInputMustBeGiven) {
    const auto bytes = test::small_network().build();
    const auto path = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const auto network = open_network(path.string(), {.device = "cpu"});
    ASSERT_FALSE(network.ok());
    EXPECT_THAT(network.error().hint, HasSubstr("the shape of the input"));
}

TEST_F(NetworkTest, AShapeThatTheGraphCannotTakeIsAnError) {
    const auto network = opened(test::small_network(), {.input_shape = {3, 5, 5}}).value();
    EXPECT_THAT(network->classes().error().message, HasSubstr("LibTorch: aten::conv2d: "));
}

TEST_F(NetworkTest, TooFewNumbersAndNoInputsAreWrongUsage) {
    const auto network = good();
    EXPECT_EQ(network->ask(inputs(1, 49), 1).error().kind, ErrorKind::usage);
    EXPECT_EQ(network->ask({}, 0).error().kind, ErrorKind::usage);
    EXPECT_EQ(network->gradient(inputs(2), 3, {}).error().kind, ErrorKind::usage);
    EXPECT_EQ(network->ask_as(inputs(1), 1, {.device = "cuda:99"}).error().kind, ErrorKind::unsupported);
}

TEST_F(NetworkTest, FilesOfOtherKindsAreRefusedWithAHint) {
    for (const auto* content : {"PK\3\4", "nothing of the kind"}) {
        const auto path = scratch_.write("other", content);
        const auto network = open_network(path.string(), {.input_shape = {1}});
        ASSERT_FALSE(network.ok()) << content;
        EXPECT_EQ(network.error().kind, ErrorKind::unsupported) << content;
        EXPECT_THAT(network.error().hint, HasSubstr("ONNX")) << content;
    }
    EXPECT_EQ(open_network((scratch_ / "missing.pt").string(), {}).error().kind, ErrorKind::unreadable);
}

TEST_F(NetworkTest, ARealNetworkHasTheAccuracyThatItsAuthorsReport) {
    MODELSEAL_NEED_DATA();
    const auto data = test::data_folder();
    const auto network = open_network((data / "models/torchscript/cifar10-resnet20.pt").string(),
                                      {.device = "cpu", .input_shape = {3, 32, 32}});
    ASSERT_TRUE(network.ok()) << network.error().message;
    constexpr std::size_t count = 1000, pixels = 3072;
    std::ifstream file(data / "datasets/cifar10/test_batch.bin", std::ios::binary);
    std::vector<char> records(count * (pixels + 1));
    file.read(records.data(), static_cast<std::streamsize>(records.size()));
    ASSERT_TRUE(file);
    std::vector<float> images;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i % (pixels + 1) != 0)
            images.push_back(static_cast<float>(static_cast<unsigned char>(records[i])) / 255);
    }
    const auto answers = network.value()->ask(images, count);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    std::size_t right = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto* row = answers.value().values.data() + i * 10;
        if (std::max_element(row, row + 10) - row == records[i * (pixels + 1)]) ++right;
    }
    // 9,173 of all 10,000 are, as published; an image or two may lie on the edge of another machine's rounding.
    EXPECT_NEAR(static_cast<double>(right), 909, 2);
}

}  // namespace
}  // namespace modelseal::oracle
