// Seals on models that one would not expect, and models that a seal does not expect.
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mark/checking/evidence.h"
#include "mark/frame_scan.h"
#include "mark/sealing/embed.h"
#include "mark/weight_scan.h"
#include "model/model.h"
#include "model/output.h"
#include "tests/support/models/onnx_builder.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using test::content_of;
using testing::HasSubstr;

class Unusual : public testing::Test {
  protected:
    CheckReport look(const std::string& file, const CheckKey& check) {
        return check_model(folder_.write("looked_at", file), {.seal = SealCheck{.keys = {check}}}).value();
    }
    Result<SealSummary> seal(const std::string& file, const CheckKey& check, bool reseal = false) {
        std::filesystem::remove(folder_ / "sealed");
        return seal_model(folder_.write("model", file), folder_ / "sealed",
                          {.key = key_, .check = check, .reseal = reseal});
    }
    std::string sealed() const { return content_of(folder_ / "sealed"); }

    const test::Scratch folder_;
    const SigningKey key_ = test::test_key();
    const CheckKey everybody_ = public_check_key(key_.public_key());
    const CheckKey customer_{key_.public_key(), "acme", [] {
                                 Secret32 secret;
                                 secret.writable()[0] = std::byte{7};
                                 return secret;
                             }()};
};

// A tensor that is shorter than any block looks the same however the others are cut.
TEST_F(Unusual, LongBlocksAreFoundBesideATensorShorterThanABlock) {
    std::vector<test::NamedTensor> tensors;
    for (unsigned i = 0; i < 4; ++i)
        tensors.push_back({"layer" + std::to_string(i), "I8", {128, 256}, test::integer_weights(32768, i)});
    tensors.push_back({"short", "I8", {1000}, test::integer_weights(1000, 9)});
    ASSERT_TRUE(seal(test::safetensors_file(tensors), customer_).ok());
    const auto once = sealed();
    EXPECT_EQ(look(once, customer_).verdict, Verdict::intact);
    const auto again = seal(once, customer_);
    ASSERT_FALSE(again.ok());
    EXPECT_THAT(again.error().message, HasSubstr("already has a seal"));
}

// Their last bits are uneven: a mark costs nothing there, but can be seen, which is what a customer's must not.
TEST_F(Unusual, MeansOfCheckpointsGetASealForEverybody) {
    std::vector<test::NamedTensor> tensors;
    for (unsigned i = 0; i < 4; ++i) {
        auto a = test::float_weights(65536, i), b = test::float_weights(65536, i + 10);
        std::vector<float> values(65536), others(65536);
        std::memcpy(values.data(), a.data(), a.size());
        std::memcpy(others.data(), b.data(), b.size());
        for (std::size_t k = 0; k < values.size(); ++k) values[k] = (values[k] + others[k]) / 2;
        std::memcpy(a.data(), values.data(), a.size());
        tensors.push_back({"layer" + std::to_string(i), "F32", {256, 256}, a});
    }
    const auto file = test::safetensors_file(tensors);
    const auto done = seal(file, everybody_);
    ASSERT_TRUE(done.ok()) << done.error().message;
    auto copy = sealed();
    EXPECT_EQ(look(copy, everybody_).verdict, Verdict::intact);
    copy[copy.size() / 2] ^= 1;
    EXPECT_EQ(look(copy, everybody_).verdict, Verdict::tampered);
    const auto refused = seal(file, customer_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(refused.error().hint, HasSubstr("a seal for everybody may be seen"));
}

TEST_F(Unusual, WithoutTheOnlyTensorOfTheClassThatCarriesNothingIsIntact) {
    const test::NamedTensor floats = {"floats", "F32", {256, 128}, test::float_weights(32768, 1)};
    const test::NamedTensor codes = {"codes", "I8", {256, 128}, test::integer_weights(32768, 2)};
    ASSERT_TRUE(seal(test::safetensors_file({codes, floats}), everybody_).ok());
    const auto whole = sealed();
    ASSERT_EQ(look(whole, everybody_).verdict, Verdict::intact);

    const auto values = whole.substr(whole.size() - 32768 * 4);
    const auto without_codes =
        look(test::safetensors_file({{"floats", "F32", {256, 128}, values}}), everybody_);
    EXPECT_EQ(without_codes.verdict, Verdict::tampered);
    // All cells were in the floats.
    EXPECT_EQ(look(test::safetensors_file({codes}), everybody_).verdict, Verdict::unsealed);
}

// The cells of one take bits from the other.
TEST_F(Unusual, ASealOfVersionTwoOverOneOfVersionOneIsIntactAndTheOtherIsNot) {
    const auto golden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1/safetensors_f32.sealed";
    const auto first = content_of(golden);
    ASSERT_EQ(look(first, everybody_).verdict, Verdict::intact);
    const auto second = seal(first, customer_, true);
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_EQ(look(sealed(), customer_).verdict, Verdict::intact);
    EXPECT_NE(look(sealed(), everybody_).verdict, Verdict::intact);
    // Under the same key, version 2 is found first.
    ASSERT_TRUE(seal(first, everybody_, true).ok());
    const auto both = look(sealed(), everybody_);
    EXPECT_EQ(both.verdict, Verdict::intact);
    EXPECT_FALSE(both.seal->stamp.empty());
}

// Two codes to a byte in int32_data, in every spelling that writers have used: packed or with a tag each, and signed as
// onnx 1.16 wrote int4.
TEST_F(Unusual, CodesOfFourBitsInVarintsCarryASeal) {
    constexpr std::uint64_t kUnsigned = 21, kSigned = 22, kPairs = 40'000;
    enum class Spelling { packed, tagged, negative };
    const auto graph = [](std::uint64_t type, Spelling spelling, std::uint64_t pairs) {
        const auto codes = test::integer_weights(pairs, 5);
        auto tensor = test::onnx::tensor("codes", type, {2 * pairs - 1});  // the last byte is half used
        test::Proto packed;
        for (std::uint64_t i = 0; i < pairs; ++i) {
            std::uint64_t pair = static_cast<unsigned char>(codes[i]) ^ (i * 0x35 & 0xFF);
            if (i + 1 == pairs) pair &= 0x0F;
            if (spelling == Spelling::negative && pair >= 0x80) pair |= ~std::uint64_t{0xFF};
            if (spelling == Spelling::tagged) tensor.varint(5, pair);
            if (spelling != Spelling::tagged) packed.number(pair);
        }
        if (spelling != Spelling::tagged) tensor.message(5, packed);
        return test::onnx::model_of(tensor).text();
    };
    const std::pair<std::uint64_t, Spelling> rows[] = {{kUnsigned, Spelling::packed},
                                                       {kSigned, Spelling::packed},
                                                       {kSigned, Spelling::negative},
                                                       {kUnsigned, Spelling::tagged}};
    for (const auto& [type, spelling] : rows) {
        const auto file = graph(type, spelling, kPairs);
        const auto made = seal(file, everybody_);
        ASSERT_TRUE(made.ok()) << made.error().message;
        EXPECT_EQ(sealed().size(), file.size());
        EXPECT_EQ(look(sealed(), everybody_).verdict, Verdict::intact);
        auto changed = sealed();
        changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 2);
        EXPECT_NE(look(changed, everybody_).verdict, Verdict::intact);
    }
}

// What the vendor signs is believed only as far as it can be.
class Signed : public Unusual {
  protected:
    using Lie = std::function<void(mark::SignedPart&)>;
    // Sealed by `plan`, with this said in the manifest.
    std::string lied(const model::Model& model, mark::SealPlan plan, const Lie& lie) {
        lie(plan.signed_part);
        auto scan = mark::scan_weights(model, *plan.block_map, plan.cells, {.jobs = 1}, no_progress()).value();
        const auto frame = mark::scan_frame(model, 1, no_progress()).value();
        std::filesystem::remove(folder_ / "lied");
        auto output = model::ModelOutput::copy(model, folder_ / "lied", 1, no_progress()).value();
        EXPECT_TRUE(mark::embed(model, plan, std::move(scan), frame, key_, 1, output).ok());
        EXPECT_TRUE(output.commit().ok());
        return content_of(folder_ / "lied");
    }
    mark::SealPlan planned(const model::Model& model) {
        return mark::plan_seal(model, everybody_.secret.bytes(),
                               {.stamp = {{"name", "lie"}}, .vendor = mark::vendor_hash(everybody_.vendor)},
                               mark::Audience::everybody, 1)
            .value();
    }
    CheckReport with(const Lie& lie) {
        const auto path = folder_.write(
            "model", test::safetensors_file({{"codes", "I8", {256, 128}, test::integer_weights(32768, 1)},
                                             {"floats", "F32", {256, 128}, test::float_weights(32768, 2)},
                                             {"tiny", "F32", {4}, test::float_weights(4, 3)}}));
        const auto model = model::open_model(path).value();
        return look(lied(model, planned(model), lie), everybody_);
    }
};

TEST_F(Signed, NothingButTheTruthIsIntact) {
    EXPECT_EQ(with([](mark::SignedPart&) {}).verdict, Verdict::intact);
}

TEST_F(Signed, GridsThatTypesCannotHaveAreNotIntact) {
    for (const auto grid : {mark::Grid::f32, mark::Grid::f16, mark::Grid::bf16}) {
        const auto report = with([&](mark::SignedPart& part) {
            part.use.grids = {grid, mark::Grid::own, mark::Grid::own};
        });
        EXPECT_EQ(report.verdict, Verdict::tampered);
    }
}

TEST_F(Signed, CellsThatAreNotThereAreNotIntact) {
    for (const std::size_t cells : {1u, 100u, 100'000u}) {
        const auto report = with([&](mark::SignedPart& part) { part.use.carrying.assign(cells, true); });
        EXPECT_EQ(report.verdict, Verdict::tampered) << cells;
    }
}

// The vendor signed both.
TEST_F(Signed, CellsOfTwoSealsAreJudgedByThatOfMost) {
    constexpr std::size_t kElements = 6144 * 1024;  // more than is read in one pass
    const auto path = folder_.write(
        "model", test::safetensors_file({{"codes", "I8", {6144, 1024}, test::integer_weights(kElements, 1)}}));
    const auto model = model::open_model(path).value();
    const auto plan = planned(model);
    const std::vector<mark::CellPosition> cells(plan.cells.positions().begin(), plan.cells.positions().end());
    const auto first = cells.size() * 2 / 5;
    ASSERT_GT(first, 20u);
    const auto block_bytes = plan.block_map->block_elements();  // of a byte each
    const auto truth = lied(model, planned(model), [](mark::SignedPart&) {});
    const auto other = lied(model, planned(model), [&](mark::SignedPart& part) {
        part.use.carrying.assign(cells.size(), true);
        part.use.carrying.back() = false;
    });
    auto mixed = truth;
    const auto data = truth.size() - kElements;
    for (std::size_t i = 0; i < first; ++i)
        mixed.replace(data + cells[i].block * block_bytes, block_bytes, other,
                      data + cells[i].block * block_bytes, block_bytes);

    const auto opened = model::open_model(folder_.write("mixed", mixed)).value();
    const auto evidence = mark::gather(opened, everybody_, {.jobs = 1}, no_progress()).value();
    ASSERT_TRUE(evidence);
    EXPECT_TRUE(evidence->matches.signature);
    EXPECT_TRUE(evidence->matches.tensor_list);
    EXPECT_FALSE(evidence->matches.cells);
    EXPECT_FALSE(evidence->intact());
    EXPECT_TRUE(mark::gather(model::open_model(folder_.write("truth", truth)).value(), everybody_, {.jobs = 1},
                             no_progress())
                    .value()
                    ->intact());
}

TEST_F(Signed, TensorsThatAreNotThereAreNotIntact) {
    const auto report = with([](mark::SignedPart& part) {
        part.tensors = 4;
        part.in_common_table.push_back(false);
    });
    EXPECT_EQ(report.verdict, Verdict::tampered);
}

}  // namespace
}  // namespace modelseal
