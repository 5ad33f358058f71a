// A rename is not an erasure: the seal is found under other names, and says so.
#include "mark/checking/renamed.h"

#include <algorithm>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Names = std::map<std::string, std::string>;  // as sealed -> in the file

// Three of one shape, two of another, and two small ones.
std::string network() {
    std::vector<test::NamedTensor> tensors;
    for (unsigned i = 0; i < 3; ++i)
        tensors.push_back(
            {"layer" + std::to_string(i) + ".weight", "F32", {96, 96}, test::float_weights(9216, i)});
    for (unsigned i = 0; i < 2; ++i)
        tensors.push_back(
            {"head" + std::to_string(i) + ".weight", "F32", {10, 960}, test::float_weights(9600, 8 + i)});
    tensors.push_back({"head0.bias", "F32", {10}, test::float_weights(10, 20)});
    tensors.push_back({"head1.bias", "F32", {10}, test::float_weights(10, 21)});
    return test::safetensors_file(tensors);
}

// The same tensors at the same places under other names.
std::string renamed(const std::string& file, const std::function<std::string(const std::string&)>& name) {
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i)
        length = length << 8 | static_cast<unsigned char>(file[static_cast<std::size_t>(i)]);
    const auto header = nlohmann::ordered_json::parse(file.substr(8, length));
    nlohmann::ordered_json changed = nlohmann::ordered_json::object();
    for (const auto& [key, value] : header.items()) changed[key == "__metadata__" ? key : name(key)] = value;
    const auto text = changed.dump();
    std::string head(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) head[i] = static_cast<char>(text.size() >> (8 * i));
    return head + text + file.substr(8 + length);
}

std::string renamed(const std::string& file, const Names& names) {
    return renamed(file, [&](const std::string& name) {
        const auto found = names.find(name);
        return found == names.end() ? name : found->second;
    });
}

class Renamed : public testing::Test {
  protected:
    SealFinding look(const std::string& file, bool weights_only = false) {
        const auto report =
            check_model(folder_.write("renamed", file), {.seal = SealCheck{.keys = {check_}, .all = true},
                                                         .policy = {.weights_only = weights_only}})
                .value();
        verdict_ = report.verdict;
        return report.seal.value_or(SealFinding());
    }
    std::string sealed_ = test::sealed_bytes(network(), test::test_key());
    const test::Scratch folder_;
    const CheckKey check_ = public_check_key(test::test_key().public_key());
    Verdict verdict_ = Verdict::error;
};

TEST_F(Renamed, FromInsideAWrapperTheWeightsAreIntact) {
    const auto wrapped = renamed(sealed_, [](const auto& name) { return "state_dict." + name; });
    const auto seal = look(wrapped);
    EXPECT_EQ(verdict_, Verdict::tampered);
    EXPECT_TRUE(seal.weights_intact);
    EXPECT_EQ(seal.cause, SealFinding::Cause::names);
    EXPECT_EQ(seal.names_detail, "'state_dict.' was put before every name");
    look(wrapped, true);
    EXPECT_EQ(verdict_, Verdict::intact);
}

TEST_F(Renamed, OutOfAWrapperTheWeightsAreIntact) {
    const auto inside = renamed(network(), [](const auto& name) { return "module." + name; });
    const auto sealed = test::sealed_bytes(inside, test::test_key());
    const auto seal = look(renamed(sealed, [](const auto& name) { return name.substr(7); }), true);
    EXPECT_EQ(verdict_, Verdict::intact);
    EXPECT_EQ(seal.names_detail, "'module.' was taken from every name");
}

// Also where the order of tensors of one shape is another: conv2 comes before, and after, what it was between.
TEST_F(Renamed, WithNewNamesInAnotherOrderTheWeightsAreIntact) {
    const Names names = {{"layer0.weight", "z"},  {"layer1.weight", "a"}, {"layer2.weight", "m"},
                         {"head0.weight", "y"},   {"head1.weight", "b"},  {"head0.bias", "bias.0"},
                         {"head1.bias", "bias.1"}};
    const auto seal = look(renamed(sealed_, names));
    EXPECT_TRUE(seal.weights_intact) << seal.detail;
    EXPECT_THAT(seal.detail, HasSubstr("7 of 7 names changed"));
}

TEST_F(Renamed, AChangedWeightIsNamedUnderTheSealedName) {
    auto file = renamed(sealed_, Names{{"layer0.weight", "z"}, {"layer1.weight", "a"}, {"layer2.weight", "m"}});
    file[file.size() - 4 * (20 + 2 * 9600 + 100)] ^= 4;  // in the last of the layers
    const auto seal = look(file);
    EXPECT_FALSE(seal.weights_intact);
    const auto changed =
        std::ranges::count(seal.tensors, TensorFinding::Outcome::changed, &TensorFinding::outcome);
    EXPECT_EQ(changed, 1) << seal.detail;
    EXPECT_EQ(std::ranges::find(seal.tensors, TensorFinding::Outcome::changed, &TensorFinding::outcome)->name,
              "layer2.weight");
}

// Layers that were exchanged compute something else, though every value is there.
TEST_F(Renamed, NamesThatWereExchangedAreTampering) {
    const auto file =
        renamed(sealed_, Names{{"layer0.weight", "layer1.weight"}, {"layer1.weight", "layer0.weight"}});
    const auto seal = look(file, true);
    EXPECT_EQ(verdict_, Verdict::tampered);
    EXPECT_FALSE(seal.weights_intact);
}

TEST_F(Renamed, ExchangedInsideAWrapperTheyAreTooTampering) {
    const auto file = renamed(sealed_, [](const std::string& name) {
        return "module." + (name == "layer0.weight"   ? "layer1.weight"
                            : name == "layer1.weight" ? "layer0.weight"
                                                      : name);
    });
    look(file, true);
    EXPECT_EQ(verdict_, Verdict::tampered);
}

// Version 1 finds its cells by names: under those that common wrappers give or take.
TEST_F(Renamed, ASealOfVersionOneIsFoundInsideACommonWrapper) {
    const auto golden = test::content_of(std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" /
                                         "v1" / "safetensors_f32.sealed");
    for (const std::string prefix : {"module.", "state_dict."}) {
        const auto seal = look(renamed(golden, [&](const auto& name) { return prefix + name; }), true);
        EXPECT_EQ(verdict_, Verdict::intact) << prefix;
        EXPECT_EQ(seal.names_detail, "'" + prefix + "' was put before every name");
    }
}

// A file could name its tensors so that there are thousands of wrappers to take off.
TEST(UnwrappedNames, AreFewHoweverManyPartsNamesHave) {
    std::string parts;
    for (int i = 0; i < 5'000; ++i) parts += "a.";
    const test::Scratch folder;
    const auto path =
        folder.write("deep", test::safetensors_file({{parts + "x", "F32", {4}, test::float_weights(4, 1)},
                                                     {parts + "y", "F32", {4}, test::float_weights(4, 2)}}));
    const auto model = model::open_model(path);
    ASSERT_TRUE(model.ok()) << model.error().message;
    const auto variants = mark::unwrapped_names(*model);
    EXPECT_EQ(variants.size(), 8u + 6u);
    EXPECT_EQ(variants.front().front(), parts.substr(2) + "x");
}

}  // namespace
}  // namespace modelseal
