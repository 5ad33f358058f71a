#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/frame.h"
#include "tests/support/data.h"
#include "tests/support/memory_model.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(OpenModel, SortsTensorsByNameAndLeavesTheHeaderAsFrame) {
    const Scratch scratch;
    const auto path = scratch.write("m.safetensors", test::safetensors({{"b", 4}, {"a", 8}}));
    const auto model = model::open_model(path).value();
    EXPECT_EQ(model.format, "safetensors");
    EXPECT_FALSE(model.folder);
    ASSERT_EQ(model.tensors.size(), 2u);
    EXPECT_EQ(model.tensors[0].name, "a");
    const auto size = model.files[0].source->size();
    EXPECT_THAT(test::frame_ranges(model, 0), ElementsAre(model::Range{0, size - 12}));
    EXPECT_TRUE(model.unchanged().ok());
    scratch.write("m.safetensors", "");
    EXPECT_FALSE(model.unchanged().ok());
}

TEST(OpenModel, ReportsWhatIsWrong) {
    const Scratch scratch;
    EXPECT_THAT(model::open_model(scratch / "none").error().message, HasSubstr("not found"));
    const auto text = model::open_model(scratch.write("text", "hello"));
    EXPECT_EQ(text.error().kind, ErrorKind::unsupported);
}

TEST(OpenModel, ReadsARealModel) {
    MODELSEAL_NEED_DATA();
    const auto model =
        model::open_model(test::data_folder() / "models" / "safetensors" / "cifar10-resnet20.safetensors")
            .value();
    std::uint64_t covered = 0;
    for (const auto& range : test::frame_ranges(model, 0)) covered += range.bytes;
    for (const auto& tensor : model.tensors) covered += tensor.segments.front().bytes;
    EXPECT_EQ(covered, model.files[0].source->size());
}

TEST(OpenModel, NamesAFileOfModelsealThatWasGivenInThePlaceOfAModel) {
    const Scratch scratch;
    const auto about = [&](const std::string& content) {
        return model::open_model(scratch.write("m", content)).error().message;
    };
    EXPECT_THAT(about("-----BEGIN PUBLIC KEY-----\nMCow\n"),
                testing::EndsWith("m: is a public key; a model file is needed"));
    EXPECT_THAT(about("MSRECPT1"), testing::EndsWith("m: is a receipt; a model file is needed"));
    EXPECT_THAT(about("MSFPRNT1"), testing::EndsWith("m: is a fingerprint; a model file is needed"));
}

}  // namespace
}  // namespace modelseal
