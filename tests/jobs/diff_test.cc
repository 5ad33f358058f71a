#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/comparison.h"
#include "tests/support/data.h"
#include "tests/support/models/gguf_builder.h"
#include "tests/support/models/tensor_file.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using nlohmann::json;
using report::to_json;
using report::to_text;
using test::floats;
using test::tensor_file;
using test::TensorBytes;
using testing::HasSubstr;

class Diff : public testing::Test {
  protected:
    Comparison between(const std::string& a, const std::string& b, const DiffOptions& options = {}) const {
        auto result = diff(scratch_.write("a", a), scratch_.write("b", b), options);
        if (!result.ok()) throw std::runtime_error(result.error().message);
        return std::move(result).value();
    }
    test::Scratch scratch_;
};

TEST_F(Diff, AModelIsTheSameAsItself) {
    const auto file = tensor_file({floats("w", {1, 2, 3}), floats("v", {4})});
    const auto same = between(file, file);
    EXPECT_TRUE(same.same());
    EXPECT_EQ(same.frame, Comparison::Frame::same);
    EXPECT_EQ(same.tensors_compared, 2u);
    EXPECT_EQ(same.elements_compared, 4u);
    EXPECT_THAT(to_text(same, {}), HasSubstr("the same, 2 tensors (4 elements), frame the same"));
}

TEST_F(Diff, AChangedElementIsNamedWithItsPlaceAndSize) {
    const auto found = between(tensor_file({floats("w", {1, 2, 3}), floats("v", {4})}),
                               tensor_file({floats("w", {1, 2, 5}), floats("v", {4})}));
    ASSERT_EQ(found.tensors.size(), 1u);
    const auto& tensor = found.tensors[0];
    EXPECT_EQ(tensor.name, "w");
    EXPECT_EQ(tensor.differing, 1u);
    EXPECT_EQ(tensor.max_abs, 2);
    EXPECT_DOUBLE_EQ(tensor.mean_abs.value(), 2.0 / 3);
    EXPECT_DOUBLE_EQ(tensor.relative_l2.value(), 2 / std::sqrt(14));
    EXPECT_EQ(tensor.ranges.at(0).first, 2u);
    EXPECT_EQ(found.frame, Comparison::Frame::same);
    EXPECT_FALSE(found.same());
}

TEST_F(Diff, TensorsOfOneSideOnlyAreListedWithTheirSide) {
    const auto found = between(tensor_file({floats("both", {1}), floats("old", {2})}),
                               tensor_file({floats("both", {1}), floats("new", {2})}));
    ASSERT_EQ(found.tensors.size(), 2u);
    EXPECT_EQ(found.tensors[0].name, "new");
    EXPECT_FALSE(found.tensors[0].a);
    EXPECT_EQ(found.tensors[1].name, "old");
    EXPECT_FALSE(found.tensors[1].b);
    const auto parsed = json::parse(to_json(found));
    EXPECT_EQ(parsed["tensors"][0]["outcome"], "only-in-b");
    EXPECT_TRUE(parsed["tensors"][0]["a"].is_null());
    EXPECT_THAT(to_text(found, {}), HasSubstr("1 only in A, 1 only in B, frame differs"));
}

TEST_F(Diff, AnotherTypeIsComparedByValueAndAnotherShapeElementByElement) {
    const TensorBytes as_half = {"w", "F16", {2}, test::raw<std::uint16_t>({0x3c00, 0x4000})};
    auto found = between(tensor_file({floats("w", {1, 2})}), tensor_file({as_half}));
    ASSERT_EQ(found.tensors.size(), 1u);
    EXPECT_TRUE(found.tensors[0].compared);
    EXPECT_EQ(found.tensors[0].differing, 0u);
    EXPECT_EQ(json::parse(to_json(found))["tensors"][0]["outcome"], "retyped");
    EXPECT_THAT(to_text(found, {}), HasSubstr("f32 -> f16"));

    auto column = floats("w", {1, 2});
    column.shape = {2, 1};
    found = between(tensor_file({floats("w", {1, 2})}), tensor_file({column}));
    EXPECT_EQ(json::parse(to_json(found))["tensors"][0]["outcome"], "reshaped");
    EXPECT_EQ(found.tensors.at(0).differing, 0u);

    found = between(tensor_file({floats("w", {1, 2})}), tensor_file({floats("w", {1, 2, 3})}));
    EXPECT_FALSE(found.tensors.at(0).compared);
    EXPECT_THAT(to_text(found, {}), HasSubstr("not comparable"));
}

TEST_F(Diff, AFrameThatDiffersAloneMakesModelsDifferUnlessOnlyWeightsCount) {
    const auto a = tensor_file({floats("w", {1})}, "one"), b = tensor_file({floats("w", {1})}, "two");
    const auto found = between(a, b);
    EXPECT_EQ(found.frame, Comparison::Frame::differs);
    EXPECT_FALSE(found.same());
    const auto weights = between(a, b, {.weights_only = true});
    EXPECT_EQ(weights.frame, Comparison::Frame::differs);
    EXPECT_TRUE(weights.same());
}

TEST(DiffOfFolders, NamesOnlyTheFileThatIsOnOneSide) {
    const test::Scratch folder;
    for (const std::string side : {"a", "b"}) {
        folder.write(side + "/model.safetensors", tensor_file({floats("w", {1})}));
        for (const std::string name : {"b.json", "c.json", "f.json"}) folder.write(side + "/" + name, name);
    }
    const auto between = [&] { return diff(folder / "a", folder / "b", {}).value(); };
    EXPECT_TRUE(between().same());
    std::filesystem::rename(folder / "b/f.json", folder / "b/.f.json");
    folder.write("b/c.json", "other");
    const auto found = between();
    EXPECT_FALSE(found.same());
    const auto files = json::parse(to_json(found))["files"];
    EXPECT_EQ(files, json::parse(R"([{"name": ".f.json", "outcome": "only-in-b"},
                                     {"name": "c.json", "outcome": "changed"},
                                     {"name": "f.json", "outcome": "only-in-a"}])"));
    EXPECT_THAT(to_text(found, {}), HasSubstr("    frame of f.json: only-in-a\n"));
}

TEST_F(Diff, ModelsOfDifferentFormatsAreComparedByTheirTensors) {
    test::GgufFile gguf;
    gguf.tensors = {{.name = "w", .extents = {2}, .type = 0, .offset = 0}};
    gguf.data_bytes = 8;
    auto bytes = gguf.build();
    const std::vector<float> values = {1.5f, -2};
    std::memcpy(bytes.data() + gguf.data_begin(), values.data(), 8);
    const auto found = between(tensor_file({floats("w", values)}),
                               std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    EXPECT_EQ(found.frame, Comparison::Frame::not_compared);
    EXPECT_TRUE(found.same()) << to_text(found, {});
    EXPECT_THAT(to_text(found, {}), HasSubstr("frames not compared: safetensors and gguf"));
}

TEST_F(Diff, ARenamedTensorIsADifferenceWithinAFormat) {
    const auto found = between(tensor_file({floats("a.w", {1})}), tensor_file({floats("module.a_w", {1})}));
    EXPECT_FALSE(found.same());
    EXPECT_EQ(found.tensors_renamed, 1u);
    const auto entry = json::parse(to_json(found))["tensors"][0];
    EXPECT_EQ(entry["outcome"], "renamed");
    EXPECT_EQ(entry["name_b"], "module.a_w");
    EXPECT_THAT(to_text(found, {}), HasSubstr("a.w -> module.a_w"));
}

TEST_F(Diff, TheNumberOfThreadsDoesNotChangeTheAnswer) {
    std::vector<float> a(5'000'000), b;
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = std::sin(static_cast<float>(i));
    b = a;
    for (std::size_t i = 0; i < b.size(); i += 999) b[i] *= 1.001f;
    for (std::size_t i = 4'194'300; i < 4'194'310; ++i) b[i] += 1;  // across the border of two chunks
    const auto file_a = tensor_file({floats("w", a)}), file_b = tensor_file({floats("w", b)});
    const auto one = to_json(between(file_a, file_b, {.jobs = 1}));
    EXPECT_EQ(one, to_json(between(file_a, file_b, {.jobs = 4})));
    EXPECT_EQ(json::parse(one)["tensors"][0]["ranges"], 5006);
}

TEST_F(Diff, HostileNamesStayInTheirPlace) {
    const auto found =
        between(tensor_file({floats("a\x1b[31m", {1})}), tensor_file({floats("a\x1b[31m", {2})}));
    EXPECT_THAT(to_text(found, {}), HasSubstr("a\\x1b[31m"));
    EXPECT_EQ(to_text(found, {}).find('\x1b'), std::string::npos);
    EXPECT_EQ(to_json(found).find('\x1b'), std::string::npos);
    EXPECT_EQ(json::parse(to_json(found))["tensors"][0]["name"], "a\x1b[31m");
}

TEST_F(Diff, AnErrorNamesTheUnreadableModel) {
    const auto good = scratch_.write("good", tensor_file({floats("w", {1})}));
    const auto bad = scratch_.write("bad", "nothing");
    for (const auto& path : {bad, scratch_ / "absent"}) {
        const auto result = diff(good, path, {});
        ASSERT_FALSE(result.ok());
        EXPECT_THAT(result.error().message, HasSubstr(path.filename().string()));
    }
}

TEST_F(Diff, EmptyTensorsAndModelsAreTheSame) {
    const auto file = tensor_file({{"none", "F32", {0}, ""}});
    EXPECT_TRUE(between(file, file).same());
    EXPECT_TRUE(between(tensor_file({}), tensor_file({})).same());
}

TEST(DiffRealFiles, AConversionThatKeptEveryWeightIsTheSameUnderOtherNames) {
    MODELSEAL_NEED_DATA();
    const auto models = test::data_folder() / "models";
    const auto found = diff(models / "safetensors/cifar10-resnet20.safetensors",
                            models / "torchscript/cifar10-resnet20.pt", {})
                           .value();
    EXPECT_EQ(found.tensors_compared, 97u);
    EXPECT_EQ(found.tensors_renamed, 97u);
    ASSERT_EQ(found.tensors.size(), 2u);  // the normalization, which only the graph has
    EXPECT_EQ(found.tensors[0].name, "mean");
    EXPECT_EQ(found.tensors[1].name, "std");
}

TEST(DiffRealFiles, OneWeightInARealModelIsFound) {
    MODELSEAL_NEED_DATA();
    const test::Scratch scratch;
    const auto real = test::data_folder() / "models/safetensors/cifar10-resnet20.safetensors";
    auto content = test::content_of(real);
    content[content.size() - 1] = static_cast<char>(content.back() ^ 1);
    const auto found = diff(real, scratch.write("changed", content), {}).value();
    ASSERT_EQ(found.tensors.size(), 1u);
    EXPECT_EQ(found.tensors[0].differing, 1u);
    EXPECT_EQ(found.frame, Comparison::Frame::same);
}

}  // namespace
}  // namespace modelseal
