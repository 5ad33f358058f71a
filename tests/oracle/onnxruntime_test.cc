// Models served by ONNX Runtime, an engine and a server that are not ours: tests/oracle/oip_server.py.
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle/endpoint.h"
#include "oracle/subprocess.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/pki/certificates.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/runtime_server.h"

namespace modelseal::oracle {
namespace {

using test::RuntimeServer;
using testing::HasSubstr;
using Tensors = EndpointOptions::Tensors;

// The numbers of a TensorProto of floats: field 9, raw_data, or 4, float_data, packed; after varints and
// strings.
std::vector<float> floats_of(const std::filesystem::path& path) {
    const auto bytes = test::load(path);
    std::size_t at = 0;
    const auto varint = [&] {
        std::uint64_t value = 0;
        for (int shift = 0;; shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(bytes.at(at++));
            value |= (byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
    };
    while (at < bytes.size()) {
        const auto tag = varint();
        const auto value = varint();
        if ((tag & 7) != 2) continue;
        if (tag >> 3 == 9 || tag >> 3 == 4) {
            std::vector<float> values(value / 4);
            if (value > bytes.size() - at) break;
            std::memcpy(values.data(), bytes.data() + at, values.size() * 4);
            return values;
        }
        at += value;
    }
    throw std::runtime_error(path.string() + ": no floats");
}

Result<Answers> ask(const std::string& url, const InputShape& shape, std::span<const float> inputs,
                    const EndpointOptions& options = {}) {
    MODELSEAL_TRY_ASSIGN(const auto oracle, connect(url, options, shape));
    return oracle->ask(inputs, inputs.size() / shape.elements());
}

std::vector<float> pixels(std::size_t count) {
    std::vector<float> values;
    for (std::size_t i = 0; i < count * 3072; ++i)
        values.push_back(static_cast<float>(i * 7919 % 256) / 255.0f);
    return values;
}

const InputShape kDigit{"", {1, 28, 28}};
const InputShape kPhoto{"", {3, 32, 32}};

double farthest(const std::vector<float>& a, const std::vector<float>& b) {
    double distance = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        distance = std::max(distance, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return distance;
}

TEST(OnnxRuntime, AnswersAsTheModelsAuthorsExpect) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const RuntimeServer server("mnist-8/model.onnx");
    const auto folder = test::data_folder() / "models/onnx/mnist-8";
    std::vector<float> inputs, expected;
    for (const auto* set : {"test_data_set_0", "test_data_set_1", "test_data_set_2"}) {
        const auto input = floats_of(folder / set / "input_0.pb"),
                   output = floats_of(folder / set / "output_0.pb");
        inputs.insert(inputs.end(), input.begin(), input.end());
        expected.insert(expected.end(), output.begin(), output.end());
    }
    for (const auto tensors : {Tensors::automatic, Tensors::json, Tensors::binary}) {
        EndpointOptions options;
        options.tensors = tensors;
        const auto answers = ask(server.url, kDigit, inputs, options);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->count, 3u);
        // Of outputs of up to some thousands, where float32 have steps of 1e-4 to 5e-4.
        EXPECT_LT(farthest(answers->values, expected), 5e-3);
        RecordProperty("farthest", std::to_string(farthest(answers->values, expected)));
    }
}

TEST(OnnxRuntime, AnswersTheSameInTextAndInBytes) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const RuntimeServer server("cifar10-resnet20.onnx");
    EndpointOptions text, bytes;
    text.tensors = Tensors::json;
    bytes.tensors = Tensors::binary;
    const auto in_text = ask(server.url, kPhoto, pixels(8), text);
    const auto in_bytes = ask(server.url, kPhoto, pixels(8), bytes);
    ASSERT_TRUE(in_text.ok()) << in_text.error().message;
    ASSERT_TRUE(in_bytes.ok()) << in_bytes.error().message;
    EXPECT_EQ(in_text->classes, 10u);
    EXPECT_EQ(in_text->values, in_bytes->values);
    EXPECT_EQ(in_text->rounding, 0);
}

TEST(OnnxRuntime, AnswersTheSameInSmallBatches) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const RuntimeServer all("cifar10-resnet20.onnx"), few("cifar10-resnet20.onnx", {"--max-batch", "3"});
    const auto at_once = ask(all.url, kPhoto, pixels(8));
    const auto in_parts = ask(few.url, kPhoto, pixels(8));
    ASSERT_TRUE(at_once.ok()) << at_once.error().message;
    ASSERT_TRUE(in_parts.ok()) << in_parts.error().message;
    EXPECT_LT(farthest(at_once->values, in_parts->values), 1e-4);
}

// A network of half precision, made by others, which takes one input at a time.
TEST(OnnxRuntime, TakesHalvesThatAreExact) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const RuntimeServer server("squeezenet1.0-fp16-imagenet.onnx");
    const InputShape large{"", {3, 224, 224}};
    std::vector<float> inputs(2 * large.elements());
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<float>(i * 7919 % 256) / 128 - 1;
    const auto answers = ask(server.url, large, inputs);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->count, 2u);
    EXPECT_EQ(answers->classes, 1000u);
    EXPECT_EQ(answers->significand, kHalfBits);
    const auto first = std::span(answers->values).first(1000);
    EXPECT_NEAR(std::accumulate(first.begin(), first.end(), 0.0), 1, 0.01) << "it ends in a softmax";
    inputs[5] = 0.1f;
    const auto rounded = ask(server.url, large, inputs);
    ASSERT_FALSE(rounded.ok());
    EXPECT_THAT(rounded.error().message, HasSubstr("of type FP16, in which input 1 is not exact"));
}

TEST(OnnxRuntime, RequiresItsTokenOverTls) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const test::Scratch scratch;
    const auto authority = test::make_authority("an authority");
    const auto certificate = test::issue(authority, "IP:127.0.0.1");
    const RuntimeServer server("cifar10-resnet20.onnx",
                               {"--token", "secret", "--tls", scratch.write("cert.pem", certificate.pem),
                                scratch.write("key.pem", certificate.key)});
    EndpointOptions options;
    options.ca_file = scratch.write("ca.pem", authority.pem);
    options.token = "secret";
    const auto answers = ask(server.url, kPhoto, pixels(2), options);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    options.token = "wrong";
    const auto refused = ask(server.url, kPhoto, pixels(2), options);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("HTTP status 401: 'wrong token'"));
    options.token = "secret";
    options.ca_file.clear();
    const auto untrusted = ask(server.url, kPhoto, pixels(2), options);
    ASSERT_FALSE(untrusted.ok());
    EXPECT_THAT(untrusted.error().message, HasSubstr("its certificate is not accepted:"));
}

TEST(OnnxRuntime, ReportsItsShapeAndRefusesAnother) {
    MODELSEAL_NEED_ONNXRUNTIME();
    const RuntimeServer server("cifar10-resnet20.onnx");
    const auto oracle = connect(server.url, {}, {});
    ASSERT_TRUE(oracle.ok()) << oracle.error().message;
    EXPECT_EQ((*oracle)->input().shape, kPhoto.shape);
    EXPECT_EQ((*oracle)->input().name, "input");
    const auto other = connect(server.url, {}, kDigit);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().kind, ErrorKind::mismatch);
}

}  // namespace
}  // namespace modelseal::oracle
