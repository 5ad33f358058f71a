// Models that others made.
#include <map>

#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/onnx_parse.h"

namespace modelseal::formats {
namespace {

struct Counted {
    std::size_t tensors;
    std::uint64_t elements;
};

Counted counted(const Layout& layout) {
    Counted sum{layout.tensors.size(), 0};
    for (const auto& tensor : layout.tensors) sum.elements += tensor.elements;
    return sum;
}

TEST(OnnxFiles, RealModelsHaveTheTensorsThatProtobufReads) {
    MODELSEAL_NEED_DATA();
    // Counted with the generated protobuf classes of libonnx 1.12.
    const std::map<std::string, Counted> expected = {
        {"burn-mnist.onnx", {18, 376938}},
        {"cifar10-resnet20.onnx", {109, 271136}},
        {"cifar10-resnet32.onnx", {169, 466464}},
        {"mnist-8/model.onnx", {8, 5998}},
        {"mobilenetv2-int8-qdq-imagenet/model.onnx", {298, 3488008}},
        {"onnx-mlir-mnist.onnx", {5, 26508}},
        {"shufflenet-v2-12-int8-imagenet.onnx", {414, 2286994}},
        {"silero_vad.onnx", {345, 545601}},
        {"squeezenet1.0-fp16-imagenet.onnx", {52, 1235496}},
        {"super_resolution_10/model.onnx", {10, 59667}},
        {"winml-mnist-cnn.onnx", {9, 600820}},
    };
    for (const auto& [path, count] : expected) {
        const auto bytes = test::load(test::data_folder() / "models" / "onnx" / path);
        const MemorySource source(path, bytes);
        EXPECT_TRUE(onnx::kFormat.recognises(source)) << path;
        const auto layout = onnx::kFormat.parse(source, {});
        ASSERT_TRUE(layout.ok()) << layout.error().message;
        EXPECT_EQ(test::contract_violation(*layout, source), "") << path;
        EXPECT_EQ(counted(*layout).tensors, count.tensors) << path;
        EXPECT_EQ(counted(*layout).elements, count.elements) << path;
    }
}

TEST(OnnxFiles, ConformanceModelsAllParse) {
    MODELSEAL_NEED_DATA();
    std::size_t models = 0;
    for (const auto& path : test::files_under(test::data_folder() / "onnx-node")) {
        if (path.filename() != "model.onnx") continue;
        const auto bytes = test::load(path);
        const MemorySource source(path.string(), bytes);
        ASSERT_TRUE(onnx::kFormat.recognises(source)) << path;
        const auto layout = onnx::kFormat.parse(source, {});
        ASSERT_TRUE(layout.ok()) << layout.error().message;
        ASSERT_EQ(test::contract_violation(*layout, source), "") << path;
        ++models;
    }
    EXPECT_GT(models, 1000u);
}

TEST(OnnxFiles, HostileFilesAreRefusedAndOtherFormatsAreNotAccepted) {
    MODELSEAL_NEED_DATA();
    for (const auto* folder :
         {"hostile", "models/safetensors", "models/gguf", "models/torchscript", "models/checkpoint"}) {
        for (const auto& path : test::files_under(test::data_folder() / folder)) {
            const auto bytes = test::load(path);
            const MemorySource source(path.string(), bytes);
            const bool onnx = path.extension() == ".onnx";
            EXPECT_TRUE(onnx || !onnx::kFormat.recognises(source)) << path;
            const auto layout = onnx::kFormat.parse(source, {});
            if (layout.ok()) {
                EXPECT_EQ(test::contract_violation(*layout, source), "") << path;
                EXPECT_TRUE(onnx) << path;
            } else {
                EXPECT_NE(layout.error().kind, ErrorKind::internal) << path;
            }
        }
    }
}

}  // namespace
}  // namespace modelseal::formats
