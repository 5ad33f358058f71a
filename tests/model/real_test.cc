// Real models and hostile files, through the complete model layer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/frame.h"
#include "model/model.h"
#include "model/part.h"
#include "tests/support/data.h"
#include "tests/support/files.h"

namespace modelseal {
namespace {

// Tensors and frame are every byte of the files, once.
void expect_every_byte_once(const model::Model& model, const std::string& what) {
    std::uint64_t bytes = 0;
    std::uint64_t size = 0;
    for (const auto& tensor : model.tensors) {
        for (const auto& segment : tensor.segments) {
            const bool spaced = segment.stride != 0;
            bytes += spaced ? segment.elements * info(tensor.dtype).group_bytes : segment.bytes;
        }
    }
    const model::FrameMap map(model);
    for (std::uint32_t file = 0; file < model.files.size(); ++file) {
        size += model.files[file].source->size();
        std::uint64_t before = 0;
        const auto walked = map.for_each_range(file, [&](const model::Range& range) -> Result<void> {
            EXPECT_TRUE(before == 0 || range.offset > before) << what;  // ascending, neighbors joined
            before = range.offset + range.bytes;
            bytes += range.bytes;
            return {};
        });
        EXPECT_TRUE(walked.ok()) << what;
        EXPECT_LE(before, model.files[file].source->size()) << what;
    }
    EXPECT_EQ(bytes, size) << what;
}

TEST(RealModels, AreCoveredByteByByte) {
    MODELSEAL_NEED_DATA();
    std::size_t models = 0;
    for (const auto& path : test::files_under(test::data_folder() / "models")) {
        const auto source = io::FileSource::open(path, path.string()).value();
        if (!model::recognised(*source)) continue;
        const auto model = model::open_model(path);
        ASSERT_TRUE(model.ok()) << model.error().message;
        expect_every_byte_once(*model, path);
        ++models;
    }
    EXPECT_GE(models, 25u);
}

TEST(RealModels, AsFoldersCoverEveryFile) {
    MODELSEAL_NEED_DATA();
    const auto models = test::data_folder() / "models";
    for (const auto& entry : {models, models / "onnx", models / "onnx" / "mnist-8", models / "safetensors"}) {
        const auto model = model::open_model(entry);
        ASSERT_TRUE(model.ok()) << model.error().message;
        EXPECT_EQ(model->files.size(), test::files_under(entry).size());
        expect_every_byte_once(*model, entry);
        EXPECT_TRUE(model->unchanged().ok());
    }
}

TEST(HostileFiles, NeverMakeAModelThatBreaksTheContract) {
    MODELSEAL_NEED_DATA();
    for (const auto& path : test::files_under(test::data_folder() / "hostile")) {
        const auto model = model::open_model(path);
        if (model.ok()) {
            expect_every_byte_once(*model, path);
        } else {
            EXPECT_NE(model.error().kind, ErrorKind::internal) << model.error().message;
        }
    }
}

}  // namespace
}  // namespace modelseal
