// TorchScript whose layers are quantized.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle/network.h"
#include "tests/support/data.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;

// oneDNN of LibTorch 1.13 took the number of inputs alone that it had seen first.
TEST(QuantizedScript, TakesAnyNumberOfInputs) {
    MODELSEAL_NEED_TORCH();
    MODELSEAL_NEED_DATA();
    const auto file = test::data_folder() / "models/torchscript/mobilenet_v2_quantized_imagenet_a.pt";
    const auto network = open_network(file.string(), {.device = "cpu", .input_shape = {3, 224, 224}});
    ASSERT_TRUE(network.ok()) << network.error().message;
    EXPECT_THAT((*network)->runtime(), HasSubstr("TorchScript, quantized by "));
    const std::size_t elements = (*network)->input().elements();
    std::vector<float> inputs(3 * elements);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<float>(i % 251) / 251;
    std::vector<float> first;
    for (const std::size_t count : {2u, 1u, 3u}) {
        const auto answers =
            (*network)->ask_as(std::span(inputs).first(count * elements), count, {.batch = count});
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        ASSERT_EQ(answers->classes, 1000u);
        const std::vector<float> row(answers->values.begin(), answers->values.begin() + 1000);
        if (first.empty()) first = row;
        EXPECT_EQ(row, first) << count;
    }
}

}  // namespace
}  // namespace modelseal::oracle
