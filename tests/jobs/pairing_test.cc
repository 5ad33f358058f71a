#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/difference.h"

namespace modelseal {
namespace {

model::Model model_of_names(const std::vector<std::string>& names) {
    model::Model model;
    for (const auto& name : names) model.tensors.push_back({.name = name, .elements = 4});
    std::ranges::sort(model.tensors, {}, &Tensor::name);
    return model;
}

// "a=b" for each pair, "a=" and "=b" for what is on one side only.
std::vector<std::string> paired(const model::Model& a, const model::Model& b) {
    std::vector<std::string> out;
    for (const auto& pair : jobs::pair_tensors(a, b)) {
        out.push_back((pair.a != nullptr ? pair.a->name : "") + "=" + (pair.b != nullptr ? pair.b->name : ""));
    }
    return out;
}

TEST(PairTensors, TheSameNameWins) {
    EXPECT_THAT(paired(model_of_names({"a.b", "a_b"}), model_of_names({"a_b", "a.b"})),
                testing::ElementsAre("a.b=a.b", "a_b=a_b"));
    EXPECT_THAT(paired(model_of_names({"a_b", "c"}), model_of_names({"a.b", "a_b"})),
                testing::ElementsAre("=a.b", "a_b=a_b", "c="));
}

TEST(PairTensors, AliasesOfEitherSideMatch) {
    auto a = model_of_names({"head"}), b = model_of_names({"embedding"});
    b.tensors[0].aliases = {"head"};
    EXPECT_THAT(paired(a, b), testing::ElementsAre("head=embedding"));
    EXPECT_THAT(paired(b, a), testing::ElementsAre("embedding=head"));
}

TEST(PairTensors, SimilarNamesArePairedIfTheMatchIsUnique) {
    EXPECT_THAT(
        paired(model_of_names({"layer1.0.conv.weight"}), model_of_names({"module.layer1_0_conv_weight"})),
        testing::ElementsAre("layer1.0.conv.weight=module.layer1_0_conv_weight"));
    EXPECT_THAT(paired(model_of_names({"x.a.b"}), model_of_names({"x_a.b", "x/a/b"})),
                testing::ElementsAre("x.a.b=", "=x/a/b", "=x_a.b"));
    auto longer = model_of_names({"a_b"});
    longer.tensors[0].elements = 5;
    EXPECT_THAT(paired(model_of_names({"a.b"}), longer), testing::ElementsAre("a.b=", "=a_b"));
}

TEST(PairTensors, WithoutAPrefixThatAllNamesOfOneSideShare) {
    const auto plain = model_of_names({"layer.bias", "layer.weight"});
    for (const std::string wrapper : {"_orig_mod.", "model.", "base_model.model.", "module._orig_mod."}) {
        const auto wrapped = model_of_names({wrapper + "layer.bias", wrapper + "layer.weight"});
        EXPECT_THAT(paired(plain, wrapped), testing::ElementsAre("layer.bias=" + wrapper + "layer.bias",
                                                                 "layer.weight=" + wrapper + "layer.weight"));
        EXPECT_THAT(paired(wrapped, plain), testing::ElementsAre(wrapper + "layer.bias=layer.bias",
                                                                 wrapper + "layer.weight=layer.weight"));
        // With a tensor more on either side.
        EXPECT_THAT(paired(model_of_names({"head", "layer.bias"}), wrapped),
                    testing::UnorderedElementsAre("=" + wrapper + "layer.weight",
                                                  "head=", "layer.bias=" + wrapper + "layer.bias"));
    }
    // Two roots are two models.
    EXPECT_THAT(paired(model_of_names({"a.x", "a.y"}), model_of_names({"b.x", "b.y"})),
                testing::ElementsAre("a.x=", "a.y=", "=b.x", "=b.y"));
}

TEST(PairTensors, EachTensorIsUsedOnce) {
    auto b = model_of_names({"one"});
    b.tensors[0].aliases = {"two", "three"};
    EXPECT_THAT(paired(model_of_names({"one", "three", "two"}), b),
                testing::ElementsAre("one=one", "three=", "two="));
}

}  // namespace
}  // namespace modelseal
