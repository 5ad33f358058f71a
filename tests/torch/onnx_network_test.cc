// ONNX files as networks: what is taken as input and output, and what real ones answer.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file.h"
#include "tests/support/data.h"
#include "torch/module_network.h"

namespace modelseal::libtorch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

oracle::NetworkOptions on_cpu(std::vector<std::int64_t> shape = {}) {
    return {.device = "cpu", .threads = 2, .input_shape = std::move(shape)};
}

std::string real(const std::string& file) {
    return (test::data_folder() / "models" / file).string();
}

model::Model files_of(const std::string& file) {
    return model::open_model(real(file)).value();
}

std::vector<float> waves(std::size_t count) {
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = std::fabs(std::sin(static_cast<float>(i) * 0.37F));
    return numbers;
}

TEST(OnnxNetwork, AnswersAsTorchScriptDoesAndHasItsGradient) {
    MODELSEAL_NEED_DATA();
    const auto path = real("torchscript/cifar10-resnet20.pt");
    const auto source = io::FileSource::open(path, path);
    ASSERT_TRUE(source.ok());
    auto script = open_torchscript(**source, on_cpu({3, 32, 32}));
    auto graph = open_onnx(files_of("onnx/cifar10-resnet20.onnx"), on_cpu());
    ASSERT_TRUE(script.ok() && graph.ok());
    EXPECT_THAT((*graph)->input().shape, ElementsAre(3, 32, 32));
    EXPECT_EQ((*graph)->classes().value(), 10U);
    const auto inputs = waves(6 * (*graph)->input().elements());
    const auto expected = (*script)->ask(inputs, 6), got = (*graph)->ask(inputs, 6);
    ASSERT_TRUE(expected.ok() && got.ok());
    for (std::size_t i = 0; i < expected->values.size(); ++i) {
        EXPECT_NEAR(expected->values[i], got->values[i], 1e-4);
    }
    const auto third = [](std::span<const float>, std::span<float> cotangents) { cotangents[3] = 1; };
    const auto slope = (*script)->gradient(inputs, 6, third), own = (*graph)->gradient(inputs, 6, third);
    ASSERT_TRUE(slope.ok() && own.ok());
    for (std::size_t i = 0; i < slope->size(); i += 101) EXPECT_NEAR((*slope)[i], (*own)[i], 1e-4);
}

TEST(OnnxNetwork, RefusesAGraphOfSeveralInputsByTheirNames) {
    MODELSEAL_NEED_DATA();
    const auto network = open_onnx(files_of("onnx/silero_vad.onnx"), on_cpu());
    ASSERT_FALSE(network.ok());
    EXPECT_EQ(network.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(network.error().message, HasSubstr("silero_vad.onnx"));
}

TEST(OnnxNetwork, OfSeveralInputsIsAskedAboutOneSetAtATime) {
    MODELSEAL_NEED_DATA();
    auto options = on_cpu();
    options.input_parts = {{.name = "input", .shape = {1, 512}, .range = {-1, 1}},
                           {.name = "state", .shape = {2, 1, 128}, .range = {-1, 1}},
                           {.name = "sr", .shape = {}, .fixed = 16000}};
    const auto network = open_onnx(files_of("onnx/silero_vad.onnx"), options);
    ASSERT_TRUE(network.ok()) << network.error().message;
    EXPECT_EQ((*network)->input().elements(), 768U);
    const auto outputs = (*network)->outputs();
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    EXPECT_EQ(outputs->count, 257U) << "a probability and the state";
    EXPECT_FALSE(outputs->classifies);
    EXPECT_TRUE((*network)->ask(waves(3 * 768), 3).ok());
}

TEST(OnnxNetwork, RefusesAnInputOfAnotherName) {
    MODELSEAL_NEED_DATA();
    auto options = on_cpu();
    options.input_name = "data";
    const auto network = open_onnx(files_of("onnx/cifar10-resnet20.onnx"), options);
    ASSERT_FALSE(network.ok());
    EXPECT_EQ(network.error().kind, ErrorKind::usage);
    EXPECT_THAT(network.error().message, HasSubstr("has no input 'data'; its input is 'input'"));
}

}  // namespace
}  // namespace modelseal::libtorch
