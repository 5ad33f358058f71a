// Networks that are trained in the worker, get one more class, and are written back.
#include "oracle/training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>

#include "model/elements.h"
#include "oracle/endpoint.h"
#include "tests/support/data.h"
#include "tests/support/models/script_file.h"
#include "tests/support/models/small_graphs.h"
#include "tests/support/scratch.h"
#include "tests/support/services/runtime_server.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using test::SmallGraph;
using testing::HasSubstr;

constexpr std::size_t kCount = 12;
constexpr std::size_t kElements = 50;

std::vector<float> numbers(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = 0.5f + 0.5f * std::sin(static_cast<float>(i * i % 10007));
    }
    return values;
}

// Input i has label i, and so on again.
std::vector<float> targets(std::size_t count, std::int64_t classes = 3) {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<std::int64_t>(i) % classes);
    return one_hot(labels, static_cast<std::size_t>(classes));
}

double distance(std::span<const float> a, std::span<const float> b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return most;
}

class Training : public testing::Test {
  protected:
    void SetUp() override { MODELSEAL_NEED_TORCH(); }

    static NetworkOptions on_cpu(std::vector<std::int64_t> shape) {
        return {.device = "cpu", .threads = 1, .input_shape = std::move(shape)};
    }

    std::string script(const test::ScriptFile& file) {
        const auto bytes = file.build();
        return scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    std::string graph(const std::string& bytes) { return scratch_.write("net.onnx", bytes); }
    std::string saved(TrainableNetwork& network, const char* name) {
        const auto bytes = network.save();
        if (!bytes.ok()) throw std::runtime_error(bytes.error().message);
        return scratch_.write(name, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    }
    static std::string real(const std::string& file) {
        return (test::data_folder() / "models" / file).string();
    }

    static Result<std::unique_ptr<TrainableNetwork>> trainable(
        const std::string& path, const std::vector<std::int64_t>& shape = test::kSmallInput) {
        MODELSEAL_TRY_ASSIGN(const auto files, model::open_model(path));
        return open_trainable(files, on_cpu(shape));
    }
    static std::unique_ptr<TrainableNetwork> opened(
        const std::string& path, const std::vector<std::int64_t>& shape = test::kSmallInput) {
        auto network = trainable(path, shape);
        if (!network.ok()) throw std::runtime_error(network.error().message);
        return std::move(*network);
    }
    static double trained(TrainableNetwork& network, int steps, std::int64_t classes = 3) {
        double loss = 0;
        const auto count = std::size_t{kCount};
        for (int i = 0; i < steps; ++i) {
            loss = network.train(numbers(count * network.input().elements()), targets(count, classes))
                       .value()
                       .loss;
        }
        return loss;
    }
    static std::vector<float> answers(Network& network) {
        return network.ask(numbers(kCount * network.input().elements()), kCount).value().values;
    }
    static std::vector<float> answers(const std::string& path,
                                      const std::vector<std::int64_t>& shape = test::kSmallInput) {
        auto network = open_network(path, on_cpu(shape));
        if (!network.ok()) throw std::runtime_error(network.error().message);
        return answers(**network);
    }

    // The names of tensors that differ in a bit, or in shape.
    static std::set<std::string> differing(const std::string& a, const std::string& b) {
        const auto one = model::open_model(a).value(), two = model::open_model(b).value();
        std::set<std::string> names;
        EXPECT_EQ(one.tensors.size(), two.tensors.size());
        for (std::size_t i = 0; i < std::min(one.tensors.size(), two.tensors.size()); ++i) {
            EXPECT_EQ(one.tensors[i].name, two.tensors[i].name);
            EXPECT_EQ(one.tensors[i].dtype, two.tensors[i].dtype);
            if (elements(one, one.tensors[i]) != elements(two, two.tensors[i]))
                names.insert(one.tensors[i].name);
        }
        return names;
    }
    static std::vector<std::byte> elements(const model::Model& files, const Tensor& tensor) {
        std::uint64_t bytes = 0;
        EXPECT_TRUE(storage_bytes(tensor.dtype, tensor.elements, bytes));
        std::vector<std::byte> values(bytes);
        EXPECT_TRUE(model::read_elements(files, tensor, 0, tensor.elements, values).ok());
        return values;
    }

    // After add_class() the first columns are the old ones, up to a factor where they are probabilities.
    static void expect_kept(std::span<const float> before, std::span<const float> after, std::size_t classes,
                            bool probabilities) {
        ASSERT_EQ(before.size() / classes * (classes + 1), after.size());
        for (std::size_t row = 0; row < before.size() / classes; ++row) {
            const auto old = before.subspan(row * classes, classes);
            const auto now = after.subspan(row * (classes + 1), classes);
            double sum = 1;
            if (probabilities) {
                sum = 0;
                for (const float value : now) sum += static_cast<double>(value);
            }
            for (std::size_t i = 0; i < classes; ++i) {
                EXPECT_NEAR(static_cast<double>(now[i]) / sum, old[i], 1e-4 * (1 + std::abs(old[i])));
            }
        }
    }

    test::Scratch scratch_;
};

// Two steps on a network of one matrix, by hand: logits x W, g = x (softmax - one hot).
TEST_F(Training, TakesTheStepsOfTheFormula) {
    SmallGraph graph;
    graph.floats("w", {50, 3}, test::waves_of(150, 0.2f)).node("Flatten", {"x"}, "f");
    const auto path = graph.node("MatMul", {"f", "w"}, "y").build("y");
    const auto network = opened(this->graph(path));
    const TrainingOptions options{.rate = 0.1, .momentum = 0.8, .weight_decay = 0.01};
    ASSERT_TRUE(network->set_training(options).ok());
    std::vector<double> w(150), v(150);
    std::ranges::copy(test::waves_of(150, 0.2f), w.begin());
    const auto x = numbers(2 * kElements);
    const std::vector<std::int64_t> right{2, 0};
    for (int step = 0; step < 2; ++step) {
        double loss = 0;
        std::uint64_t matched = 0;
        std::vector<double> slope(150);
        for (std::size_t row = 0; row < 2; ++row) {
            std::vector<double> score(3);
            for (std::size_t i = 0; i < 150; ++i)
                score[i % 3] += static_cast<double>(x[row * 50 + i / 3]) * w[i];
            double sum = 0;
            for (const double one : score) sum += std::exp(one);
            const auto label = static_cast<std::size_t>(right[row]);
            loss += (std::log(sum) - score[label]) / 2;
            matched += std::ranges::max_element(score) - score.begin() == right[row] ? 1 : 0;
            for (std::size_t i = 0; i < 150; ++i) {
                const double error = std::exp(score[i % 3]) / sum - (i % 3 == label ? 1 : 0);
                slope[i] += static_cast<double>(x[row * 50 + i / 3]) * error / 2;
            }
        }
        for (std::size_t i = 0; i < 150; ++i) {
            v[i] = (step == 0 ? 0 : 0.8 * v[i]) + slope[i] + 0.01 * w[i];
            w[i] -= 0.1 * v[i];
        }
        const auto taken = network->train(x, one_hot(right, 3));
        ASSERT_TRUE(taken.ok()) << taken.error().message;
        EXPECT_NEAR(taken->loss, loss, 1e-5);
        EXPECT_EQ(taken->matched, matched);
    }
    const auto after = network->ask(x, 2).value().values;
    for (std::size_t row = 0; row < 2; ++row) {
        std::vector<double> score(3);
        for (std::size_t i = 0; i < 150; ++i) score[i % 3] += static_cast<double>(x[row * 50 + i / 3]) * w[i];
        for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(after[row * 3 + k], score[k], 1e-5);
    }
}

TEST_F(Training, LossFallsAndTheFileAnswersAsTheNetwork) {
    for (const auto& path : {script(test::small_network()), graph(test::small_gemm().build("y"))}) {
        const auto network = opened(path);
        const double first = trained(*network, 1);
        EXPECT_LT(trained(*network, 60), 0.5 * first) << path;
        const auto file = saved(*network, path.ends_with(".pt") ? "new.pt" : "new.onnx");
        EXPECT_LT(distance(answers(*network), answers(file)), 1e-6) << path;
        EXPECT_GT(distance(answers(*network), answers(path)), 1e-3) << path;
        const auto changed =
            path.ends_with(".pt") ? std::set<std::string>{"v", "w"} : std::set<std::string>{"b", "c", "v", "w"};
        EXPECT_EQ(differing(path, file), changed) << path;
    }
}

TEST_F(Training, SavesAFileThatItCanTrainAgain) {
    for (const auto& path : {script(test::small_network()), graph(test::small_gemm().build("y"))}) {
        const auto network = opened(path);
        trained(*network, 5);
        const auto file = saved(*network, path.ends_with(".pt") ? "new.pt" : "new.onnx");
        const auto again = opened(file);
        ASSERT_TRUE(network->set_training({}).ok());  // forgets the momentum
        EXPECT_NEAR(trained(*again, 3), trained(*network, 3), 1e-6) << path;
    }
}

TEST_F(Training, WithoutAStepNothingChanges) {
    const auto bytes = test::small_gemm().build("y");
    const auto network = opened(graph(bytes));
    EXPECT_EQ(test::content_of(saved(*network, "same.onnx")), bytes);
    const auto path = script(test::small_network());
    EXPECT_EQ(differing(path, saved(*opened(path), "same.pt")), std::set<std::string>{});
}

TEST_F(Training, IsRepeatable) {
    for (const auto& path : {script(test::small_network()), graph(test::small_gemm().build("y"))}) {
        const auto run = [&](std::uint64_t seed) {
            const auto network = opened(path);
            EXPECT_TRUE(network->add_class(seed).ok());
            trained(*network, 5, 4);
            return test::content_of(saved(*network, "run"));
        };
        const auto first = run(1);
        EXPECT_EQ(run(1), first) << path;
        EXPECT_NE(run(2), first) << path;
    }
}

TEST_F(Training, AddClassKeepsTheOtherOutputs) {
    const struct {
        const char* what;
        std::string file;
        bool probabilities;
        std::set<std::string> wider;
    } rows[] = {
        {"fully connected", test::small_gemm().build("y"), false, {"b", "v"}},
        {"softmax", test::small_gemm().node("Softmax", {"y"}, "p").build("p", "y"), true, {"b", "v"}},
        // Weights that a Reshape brings into form, as CNTK writes them.
        {"reshaped weights",
         test::small_features()
             .floats("v", {4, 25, 3}, test::waves_of(300, 0.3f))
             .floats("b", {1, 3}, {0.1f, -0.2f, 0.3f})
             .shape("form", {100, 3})
             .node("Reshape", {"v", "form"}, "r")
             .node("MatMul", {"f", "r"}, "m")
             .node("Add", {"m", "b"}, "y")
             .build("y", "m"),
         false,
         {"b", "form", "v"}},
        {"normalized scores",
         test::small_gemm()
             .floats("scale", {3}, {1, 1.5f, 0.5f})
             .floats("shift", {3}, {0, 0.1f, 0.2f})
             .floats("average", {3}, {0.3f, 0, 0.1f})
             .floats("variance", {3}, {1, 2, 0.5f})
             .node("BatchNormalization", {"y", "scale", "shift", "average", "variance"}, "z")
             .build("z", "y"),
         false,
         {"average", "b", "scale", "shift", "v", "variance"}},
        {"convolution",
         test::small_features()
             .floats("v", {3, 4, 1, 1}, test::waves_of(12, 0.5f))
             .floats("b", {3}, {0.3f, 0.2f, 0.4f})
             .node("Conv", {"t", "v", "b"}, "k")
             .node("Relu", {"k"}, "r")
             .node("GlobalAveragePool", {"r"}, "g")
             .node("Flatten", {"g"}, "y")
             .build("y"),
         false,
         {"b", "v"}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto path = graph(row.file);
        const auto before = answers(path);
        const auto network = opened(path);
        const auto added = network->add_class(5);
        ASSERT_TRUE(added.ok()) << added.error().message;
        EXPECT_EQ(network->classes().value(), 4u);
        expect_kept(before, answers(*network), 3, row.probabilities);
        const auto file = saved(*network, "wider.onnx");
        EXPECT_EQ(differing(path, file), row.wider);
        EXPECT_EQ(answers(file), answers(*network));
        ASSERT_TRUE(network->set_training({.rate = 0.05}).ok());
        const double first = trained(*network, 1, 4);
        EXPECT_LT(trained(*network, 100, 4), 0.97 * first);
        EXPECT_LT(distance(answers(saved(*network, "trained.onnx")), answers(*network)), 1e-6);
    }
}

TEST_F(Training, AddClassWidensScripts) {
    const auto path = script(test::small_network());
    const auto network = opened(path);
    const auto before = answers(*network);
    ASSERT_TRUE(network->add_class(5).ok());
    expect_kept(before, answers(*network), 3, false);
    const auto file = saved(*network, "wider.pt");
    EXPECT_EQ(differing(path, file), std::set<std::string>{"v"});
    EXPECT_EQ(answers(file), answers(*network));
    ASSERT_TRUE(network->add_class(6).ok());
    EXPECT_EQ(network->classes().value(), 5u);
    EXPECT_EQ(opened(saved(*network, "wider.pt"))->classes().value(), 5u);
}

TEST_F(Training, AddClassIsRefusedWhereTheNumberOfClassesIsPartOfTheCode) {
    auto file = test::small_network();
    file.body.back() = "_2 = torch.matmul(_1, torch.t(self.v))";
    file.body.emplace_back("return torch.reshape(_2, [-1, 3])");
    const auto path = script(file);
    const auto network = opened(path);
    const auto before = answers(*network);
    const auto added = network->add_class(1);
    ASSERT_FALSE(added.ok());
    EXPECT_EQ(added.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(added.error().message, HasSubstr("net.pt: "));
    EXPECT_THAT(added.error().message, HasSubstr("(with one more class)"));
    EXPECT_EQ(network->classes().value(), 3u);
    EXPECT_EQ(answers(*network), before);
    EXPECT_EQ(differing(path, saved(*network, "same.pt")), std::set<std::string>{});
}

TEST_F(Training, AddClassIsRefusedWithoutALastLayer) {
    auto graph = test::small_features();
    // The mean of each third of the features: no weight belongs to one class.
    graph.shape("thirds", {0, 3, 33}).shape("starts", {0}).shape("ends", {99}).shape("axes", {1});
    graph.node("Slice", {"f", "starts", "ends", "axes"}, "cut").node("Reshape", {"cut", "thirds"}, "r");
    graph.node("ReduceMean", {"r"}, "y",
               {test::integers_attribute("axes", {2}), test::integer_attribute("keepdims", 0)});
    const auto network = opened(this->graph(graph.build("y")));
    const auto added = network->add_class(1);
    ASSERT_FALSE(added.ok());
    EXPECT_EQ(added.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(added.error().message, HasSubstr("found no last layer"));
}

TEST_F(Training, RecallGoesBackToWhatWasRemembered) {
    for (const auto& path : {script(test::small_network()), graph(test::small_gemm().build("y"))}) {
        const auto network = opened(path);
        EXPECT_EQ(network->recall().error().kind, ErrorKind::usage);
        trained(*network, 3);
        const auto before = answers(*network);
        ASSERT_TRUE(network->remember().ok());
        trained(*network, 3);
        EXPECT_GT(distance(answers(*network), before), 1e-4);
        ASSERT_TRUE(network->recall().ok());
        EXPECT_EQ(answers(*network), before);
        trained(*network, 3);
        ASSERT_TRUE(network->recall().ok());
        EXPECT_EQ(answers(*network), before);
        EXPECT_LT(distance(answers(saved(*network, "back")), before), 1e-6);
    }
}

// Constants between the file and its use: one that is trained, one that is not.
TEST_F(Training, WeightsThatPassThroughOtherNodesAreWrittenBack) {
    auto graph = test::small_features();
    graph.tensor(test::onnx::tensor("v", test::onnx::kFloat16, {3, 100}).bytes(9, std::string(600, '\x30')));
    graph.node("Cast", {"v"}, "v32", {test::integer_attribute("to", 1)});
    graph.node("Transpose", {"v32"}, "vt", {test::integers_attribute("perm", {1, 0})});
    graph.floats("u", {100, 3}, test::waves_of(300, 0.3f)).floats("two", {1}, {2});
    graph.node("Mul", {"u", "two"}, "u2").node("MatMul", {"f", "vt"}, "m").node("MatMul", {"f", "u2"}, "o");
    const auto path = this->graph(graph.node("Add", {"m", "o"}, "y").build("y"));
    const auto network = opened(path);
    const double first = trained(*network, 1);
    EXPECT_LT(trained(*network, 50), 0.8 * first);
    const auto file = saved(*network, "new.onnx");
    EXPECT_EQ(differing(path, file), (std::set<std::string>{"c", "v", "w"}));
    // `v` is rounded to float16 in the file: up to 2^-11 of 0.5 for each of 100 features.
    EXPECT_LT(distance(answers(file), answers(*network)), 0.05);
}

TEST_F(Training, ExternalWeightsComeIntoTheFile) {
    auto graph = test::small_features();
    const auto at = [](std::string_view name, std::initializer_list<std::uint64_t> shape, const char* offset) {
        return test::onnx::tensor(name, test::onnx::kFloat, shape)
            .message(13, test::onnx::entry("location", "weights.bin"))
            .message(13, test::onnx::entry("offset", offset))
            .varint(14, 1);
    };
    graph.tensor(at("v", {3, 100}, "0")).tensor(at("unused", {2}, "1200"));
    graph.node("Gemm", {"f", "v"}, "y", {test::integer_attribute("transB", 1)});
    scratch_.write("weights.bin", test::raw_floats(test::waves_of(302, 0.3f)));
    const auto path = this->graph(graph.build("y"));
    const auto network = opened(path);
    trained(*network, 2);
    std::filesystem::create_directory(scratch_ / "elsewhere");
    const auto file = saved(*network, "elsewhere/new.onnx");
    EXPECT_EQ(answers(file), answers(*network));
    EXPECT_EQ(differing(path, file), (std::set<std::string>{"c", "v", "w"}));
}

TEST_F(Training, AFixedBatchIsTrainedInParts) {
    auto file = test::small_network();
    const auto whole = opened(script(file));
    file.body[1] = "_1 = torch.reshape(torch.tanh(_0), [1, 100])";
    const auto single = opened(script(file));
    EXPECT_NEAR(trained(*single, 5), trained(*whole, 5), 1e-5);
    EXPECT_LT(distance(answers(*single), answers(*whole)), 1e-4);
}

TEST_F(Training, DivergenceIsALossAndNotAnError) {
    const auto network = opened(graph(test::small_gemm().build("y")));
    ASSERT_TRUE(network->remember().ok());
    ASSERT_TRUE(network->set_training({.rate = 1e6, .momentum = 1, .weight_decay = 1e6}).ok());
    EXPECT_FALSE(std::isfinite(trained(*network, 30)));
    ASSERT_TRUE(network->recall().ok());
    ASSERT_TRUE(network->set_training({}).ok());
    EXPECT_TRUE(std::isfinite(trained(*network, 3)));
}

// The answers of one matrix are linear in its weights, so that the mean of weights has the mean of their answers.
TEST_F(Training, HasTheMeanOfTheWeightsThatItComesBy) {
    SmallGraph small;
    small.floats("w", {50, 3}, test::waves_of(150, 0.2f)).node("Flatten", {"x"}, "f");
    const auto path = graph(small.node("MatMul", {"f", "w"}, "y").build("y"));
    const auto single = opened(path), mean = opened(path);
    const TrainingOptions options{.rate = 0.2, .momentum = 0.8};
    ASSERT_TRUE(single->set_training(options).ok());
    ASSERT_TRUE(mean->set_training({.rate = 0.2, .momentum = 0.8, .average_over = 1.6}).ok());
    auto expected = answers(*single);
    EXPECT_EQ(answers(*mean), expected);
    for (const float count : {1.25f, 1.5f, 1.6f, 1.6f}) {
        EXPECT_NEAR(trained(*mean, 1), trained(*single, 1), 1e-6) << "the steps are the same";
        const auto now = answers(*single);
        for (std::size_t i = 0; i < now.size(); ++i) expected[i] += (now[i] - expected[i]) / count;
        EXPECT_LT(distance(answers(*mean), expected), 1e-5);
        EXPECT_GT(distance(now, expected), 1e-3);
    }
    // Another rate takes nothing back.
    ASSERT_TRUE(mean->set_training({.rate = 0.1, .average_over = 1.6}).ok());
    ASSERT_TRUE(single->set_training({.rate = 0.1}).ok());
    EXPECT_LT(distance(answers(*mean), expected), 1e-5);
    EXPECT_NEAR(trained(*mean, 1), trained(*single, 1), 1e-6);
    // What is saved and remembered is the mean, and training goes on from there.
    const auto before = answers(*mean);
    EXPECT_LT(distance(answers(saved(*mean, "mean.onnx")), before), 1e-6);
    ASSERT_TRUE(mean->remember().ok());
    trained(*mean, 2);
    ASSERT_TRUE(mean->recall().ok());
    EXPECT_EQ(answers(*mean), before);
    const auto again = opened((scratch_ / "mean.onnx").string());
    ASSERT_TRUE(again->set_training({.rate = 0.1}).ok());
    EXPECT_NEAR(trained(*mean, 1), trained(*again, 1), 1e-6);
    ASSERT_TRUE(mean->set_training({.rate = 0.1}).ok()) << "without a mean";
    const auto last = answers(*mean);
    trained(*mean, 1);
    EXPECT_GT(distance(answers(*mean), last), 1e-4);
}

// Cross-entropy is linear in the targets, and least where the outputs are what they are drawn to.
TEST_F(Training, TakesProbabilitiesForTargets) {
    const auto path = script(test::small_network());
    const auto step = [&](const std::vector<float>& targets) {
        const auto network = opened(path);
        return network->train(numbers(kElements), targets).value();
    };
    const auto first = step({1, 0, 0}), second = step({0, 1, 0}), both = step({0.75f, 0.25f, 0});
    EXPECT_NEAR(both.loss, 0.75 * first.loss + 0.25 * second.loss, 1e-6);
    EXPECT_EQ(both.matched, first.matched);
    const auto network = opened(path);
    ASSERT_TRUE(network->set_training({.rate = 0.01}).ok());
    const std::vector<float> wanted{0.5f, 0.3f, 0.2f};
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(network->train(numbers(kElements), wanted).ok());
    const auto scores = network->ask(numbers(kElements), 1).value().values;
    double sum = 0;
    for (const float score : scores) sum += std::exp(double{score});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(std::exp(double{scores[i]}) / sum, wanted[i], 0.01) << i;
}

TEST_F(Training, RefusesTargetsAndOptionsOutOfRange) {
    const auto network = opened(script(test::small_network()));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::vector<float>& targets :
         {std::vector<float>{}, {1}, {1, 0}, {1, 0, 0, 0}, {1, 1, 0}, {0, 0, 0}, {2, -1, 0}, {1, nan, 0}}) {
        const auto step = network->train(numbers(kElements), targets);
        ASSERT_FALSE(step.ok());
        EXPECT_EQ(step.error().kind, ErrorKind::usage);
        EXPECT_THAT(step.error().message, HasSubstr("target"));
    }
    EXPECT_FALSE(network->train(numbers(kElements), std::vector<float>{1, 0, 0, 0, 1, 0}).ok());
    for (const auto& options : {TrainingOptions{.rate = -1}, TrainingOptions{.momentum = 1.5},
                                TrainingOptions{.weight_decay = std::numeric_limits<double>::quiet_NaN()},
                                TrainingOptions{.average_over = -1}}) {
        EXPECT_EQ(network->set_training(options).error().kind, ErrorKind::usage);
    }
}

TEST_F(Training, RefusesNetworksThatCannotBeTrained) {
    const auto refused = [](const std::string& path) {
        const auto network = trainable(path);
        EXPECT_FALSE(network.ok());
        return network.ok() ? Error{} : network.error();
    };
    auto untouched = test::small_network();
    untouched.body = {"return torch.flatten(x, 1, -1)"};
    EXPECT_THAT(refused(script(untouched)).message, HasSubstr("has no gradient with respect to its weights"));
    auto classes = test::small_network();
    classes.body.back() = "return torch.argmax(_1, 1)";
    EXPECT_THAT(refused(script(classes)).message, HasSubstr("its type is Long"));

    auto quantized = test::small_features();
    quantized.tensor(test::onnx::tensor("q", test::onnx::kInt8, {3, 100}).bytes(9, std::string(300, '\x07')));
    quantized.floats("scale", {1}, {0.01f});
    quantized.node("DequantizeLinear", {"q", "scale"}, "v");
    quantized.node("Gemm", {"f", "v"}, "y", {test::integer_attribute("transB", 1)});
    const auto error = refused(graph(quantized.build("y")));
    EXPECT_EQ(error.kind, ErrorKind::unsupported);
    EXPECT_THAT(error.message, HasSubstr("the weights 'q' are quantized"));

    SmallGraph constant;
    constant.node("GlobalAveragePool", {"x"}, "g").node("Flatten", {"g"}, "y");
    EXPECT_THAT(refused(graph(constant.build("y"))).message, HasSubstr("has no weights that can be trained"));
}

TEST_F(Training, WidensRealModels) {
    MODELSEAL_NEED_DATA();
    const struct {
        const char* file;
        std::vector<std::int64_t> shape;
        std::size_t classes;
        bool probabilities;
    } rows[] = {
        {"onnx/mnist-8/model.onnx", {}, 10, false},
        {"onnx/cifar10-resnet20.onnx", {}, 10, false},
        {"onnx/onnx-mlir-mnist.onnx", {}, 10, true},
        {"torchscript/cifar10-resnet20.pt", {3, 32, 32}, 10, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.file);
        const auto path = real(row.file);
        const auto network = opened(path, row.shape);
        const auto before = answers(*network);
        const auto added = network->add_class(1);
        ASSERT_TRUE(added.ok()) << added.error().message;
        expect_kept(before, answers(*network), row.classes, row.probabilities);
        ASSERT_TRUE(network->set_training({.rate = 1e-3}).ok());
        ASSERT_TRUE(std::isfinite(trained(*network, 2, 11)));
        const auto file = saved(*network, "wider");
        const auto mine = answers(*network), its = answers(file, row.shape);
        EXPECT_LT(distance(its, mine), 1e-5 * (1 + std::ranges::max(mine)));
    }
}

TEST_F(Training, RefusesRealQuantizedModels) {
    MODELSEAL_NEED_DATA();
    const auto network = trainable(real("onnx/mobilenetv2-int8-qdq-imagenet/model.onnx"), {});
    ASSERT_FALSE(network.ok());
    EXPECT_EQ(network.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(network.error().message, HasSubstr("are quantized"));
    const auto script = trainable(real("torchscript/mobilenet_v2_quantized_imagenet_a.pt"), {3, 224, 224});
    ASSERT_FALSE(script.ok());
    EXPECT_EQ(script.error().kind, ErrorKind::unsupported);
}

TEST_F(Training, OnnxRuntimeAnswersAsTheNetwork) {
    MODELSEAL_NEED_ONNXRUNTIME();
    for (const auto* name : {"onnx/mnist-8/model.onnx", "onnx/cifar10-resnet20.onnx"}) {
        const auto network = opened(real(name), {});
        ASSERT_TRUE(network->add_class(1).ok());
        ASSERT_TRUE(network->set_training({.rate = 1e-3}).ok());
        trained(*network, 2, 11);
        const test::RuntimeServer server(saved(*network, "wider.onnx"));
        const auto oracle = connect(server.url, {}, network->input());
        ASSERT_TRUE(oracle.ok()) << oracle.error().message;
        const auto its = (*oracle)->ask(numbers(kCount * network->input().elements()), kCount);
        ASSERT_TRUE(its.ok()) << its.error().message;
        EXPECT_EQ(its->classes, 11u);
        const auto mine = answers(*network);
        EXPECT_LT(distance(its->values, mine), 1e-4 * (1 + std::ranges::max(mine))) << name;
    }
}

}  // namespace
}  // namespace modelseal::oracle
