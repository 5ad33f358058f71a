// Weights in the memory of a card, which here is that of this machine (tests/hash/module_on_processor.cc).
#include "jobs/check/loaded.h"

#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/elements.h"
#include "tests/hash/test_cards.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/seal.h>

namespace modelseal::jobs {
namespace {

using testing::HasSubstr;

class LoadedWeights : public testing::Test {
  protected:
    LoadedWeights() {
        folder_.write("net",
                      test::safetensors_file({{"b", "F32", {7}, test::float_weights(7, 2)},
                                              {"v", "F32", {200, 199}, test::float_weights(39'800, 3)},
                                              {"w", "F32", {300, 301}, test::float_weights(90'300, 1)}}));
        EXPECT_TRUE(seal_model(folder_ / "net", folder_ / "sealed", {.key = key_, .check = check_}).ok());
        const auto model = model::open_model(folder_ / "sealed").value();
        for (const auto& tensor : model.tensors) {
            auto& values = on_card_[tensor.name];
            values.resize(tensor.elements * 4);
            EXPECT_TRUE(model::read_elements(model, tensor, 0, tensor.elements, values).ok());
        }
    }
    Result<CheckReport> look(const std::vector<std::string>& names) const {
        std::vector<LoadedTensor> tensors;
        for (const auto& name : names)
            tensors.push_back({name, on_card_.at(name).data(), on_card_.at(name).size()});
        return check(tensors);
    }
    Result<CheckReport> check(std::span<const LoadedTensor> tensors) const {
        return check_loaded(folder_ / "sealed", cards_, 0, tensors, {.seal = SealCheck{.keys = {check_}}});
    }
    const test::Scratch folder_;
    const SigningKey key_ = test::test_key();
    const CheckKey check_ = public_check_key(key_.public_key());
    const hash::Cards cards_ = hash::Cards::load(test::test_cards()).value();
    std::map<std::string, std::vector<std::byte>> on_card_;
};

TEST_F(LoadedWeights, AreIntactAsTheyWereSealed) {
    for (const auto& names : std::vector<std::vector<std::string>>{{}, {"w"}, {"b", "v", "w"}}) {
        const auto report = look(names).value();
        EXPECT_EQ(report.verdict, Verdict::intact) << report.seal->detail;
    }
}

// Each in a block of its own: some have cells, of others only the digests come from the card.
TEST_F(LoadedWeights, AreChangedByAnyBit) {
    for (const std::size_t at : {0u, 5'001u, 100'000u, 200'000u, 361'199u}) {
        on_card_["w"][at] ^= std::byte{4};
        const auto report = look({"b", "v", "w"}).value();
        EXPECT_EQ(report.verdict, Verdict::tampered) << at;
        ASSERT_EQ(report.seal->tensors.size(), 1u) << at;
        EXPECT_EQ(report.seal->tensors[0].name, "w");
        ASSERT_EQ(report.seal->tensors[0].changed.size(), 1u);
        EXPECT_LE(report.seal->tensors[0].changed[0].first, at / 4);
        EXPECT_EQ(look({"b", "v"}).value().verdict, Verdict::intact);
        on_card_["w"][at] ^= std::byte{4};
    }
    EXPECT_EQ(look({"w"}).value().verdict, Verdict::intact);
}

TEST_F(LoadedWeights, AreNotTakenForOthers) {
    const auto& v = on_card_.at("v");
    EXPECT_EQ(check(std::vector<LoadedTensor>{{"u", v.data(), v.size()}}).error().kind, ErrorKind::usage);
    const auto cut = check(std::vector<LoadedTensor>{{"v", v.data(), v.size() - 4}});
    EXPECT_EQ(cut.error().kind, ErrorKind::usage);
    EXPECT_THAT(cut.error().message, HasSubstr("tensor 'v': 159,196 bytes are loaded, it has 159200"));
}

// What is on the disk says nothing about the card.
TEST_F(LoadedWeights, CountWhateverTheFileHas) {
    auto file = test::content_of(folder_ / "sealed");
    file[file.size() - 1000] = static_cast<char>(file[file.size() - 1000] ^ 1);
    folder_.write("sealed", file);
    EXPECT_EQ(look({}).value().verdict, Verdict::tampered);
    EXPECT_EQ(look({"b", "v", "w"}).value().verdict, Verdict::intact);
}

}  // namespace
}  // namespace modelseal::jobs
