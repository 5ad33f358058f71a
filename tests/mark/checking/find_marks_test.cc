// Whose mark is found in a model, and that nobody's is where none is.
#include "mark/checking/find_marks.h"

#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mark/block_map.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/tamper.h"

namespace modelseal::mark {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<Secret32> many_secrets(std::size_t count) {
    std::mt19937 generator(7);
    std::vector<Secret32> secrets(count);
    for (auto& secret : secrets) {
        for (auto& byte : secret.writable()) byte = static_cast<std::byte>(generator());
    }
    return secrets;
}

std::string floats(std::size_t rows) {
    return test::safetensors_file({{"a", "F32", {rows, 1024}, test::float_weights(rows * 1024, 1)},
                                   {"b", "F32", {rows / 2, 1024}, test::float_weights(rows * 512, 2)}});
}

std::string integers() {
    return test::safetensors_file({{"w", "I8", {64, 1024}, test::integer_weights(1 << 16, 3)}});
}

class Traced : public testing::Test {
  protected:
    // Sealed for the holder of one of the secrets.
    std::string sealed(const std::string& bytes, std::size_t whose) const {
        const auto model = scratch_.write("model", bytes);
        const CheckKey check{vendor_.public_key(), "somebody", secrets_[whose].clone()};
        const auto done =
            seal_model(model, scratch_ / "sealed", {.key = vendor_, .check = check, .reseal = true});
        if (!done.ok()) throw std::runtime_error(done.error().message);
        return test::content_of(scratch_ / "sealed");
    }
    FoundMarks look(const std::string& bytes) const {
        std::vector<const Secret32*> asked;
        for (const auto& secret : secrets_) asked.push_back(&secret);
        const auto model = model::open_model(scratch_.write("leaked", bytes));
        return std::move(find_marks(*model, asked, 2, no_progress())).value();
    }
    static std::vector<std::size_t> whose(const FoundMarks& seen) {
        std::vector<std::size_t> secrets;
        for (const auto& each : seen.marks) secrets.push_back(each.secret);
        return secrets;
    }
    const test::Scratch scratch_;
    const SigningKey vendor_ = test::test_key();
    const std::vector<Secret32> secrets_ = many_secrets(60);
};

TEST_F(Traced, AMarkIsFoundUnderItsSecretAlone) {
    for (const auto& [bytes, secret] :
         {std::pair(floats(64), std::size_t{0}), {floats(64), 59}, {integers(), 17}}) {
        const auto seen = look(sealed(bytes, secret));
        ASSERT_THAT(whose(seen), ElementsAre(secret));
        EXPECT_GE(seen.marks.front().cells_valid, 8u);
        EXPECT_LT(seen.marks.front().chance, kFalseAlarm);
    }
}

TEST_F(Traced, EveryFormatAndTypeThatCarriesIsTraced) {
    for (const auto& small : test::small_models()) {
        EXPECT_THAT(whose(look(sealed(small.file(), 5))), ElementsAre(5u)) << small.name;
    }
}

class Damaged : public Traced, public testing::WithParamInterface<test::Damage> {};

TEST_P(Damaged, AMarkIsFoundWhereNineBlocksInTenWereOverwritten) {
    const auto original = sealed(floats(4096), 33);
    for (unsigned seed = 0; seed < 3; ++seed) {
        const auto seen = look(test::damaged(original, GetParam(), kMaxBlockElements, seed));
        ASSERT_THAT(whose(seen), ElementsAre(33u));
        EXPECT_GT(seen.marks.front().cells_valid, 0u);
        EXPECT_LT(seen.marks.front().cells_valid, seen.marks.front().cells_read);
        EXPECT_LT(seen.marks.front().chance, kFalseAlarm);
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Damaged,
                         testing::Values(test::Damage::random_blocks, test::Damage::front, test::Damage::back));

TEST_F(Traced, AMarkIsFoundIfNoPlaceIsCompleteButMostValuesRemain) {
    const auto seen = look(test::damaged(sealed(floats(64), 33), test::Damage::some_values, 1024, 1));
    ASSERT_THAT(whose(seen), ElementsAre(33u));
    EXPECT_LE(seen.marks.front().cells_valid, seen.marks.front().cells_read / 2);
    auto worse = sealed(floats(64), 33);
    for (unsigned seed = 0; seed < 6; ++seed)
        worse = test::damaged(worse, test::Damage::some_values, 1024, seed);
    const auto fewer = look(worse);
    ASSERT_THAT(whose(fewer), ElementsAre(33u));
    EXPECT_EQ(fewer.marks.front().cells_valid, 0u);
    EXPECT_LT(fewer.marks.front().chance, kFalseAlarm);
}

TEST_F(Traced, NobodyIsNamedWithoutAMark) {
    const auto original = floats(64);
    const CheckKey stranger{test::test_key(2).public_key(), "stranger", Secret32()};
    const auto strange = scratch_ / "strange";
    ASSERT_TRUE(
        seal_model(scratch_.write("model", original), strange, {.key = test::test_key(2), .check = stranger})
            .ok());
    EXPECT_THAT(whose(look(original)), IsEmpty());
    EXPECT_THAT(whose(look(test::content_of(strange))), IsEmpty());
    EXPECT_THAT(whose(look(test::damaged(sealed(original, 3), test::Damage::all, 1024, 1))), IsEmpty());
    EXPECT_THAT(whose(look(integers())), IsEmpty());
    EXPECT_THAT(whose(look(test::safetensors_file({{"w", "F32", {4}, std::string(16, '\0')}}))), IsEmpty());
    EXPECT_THAT(whose(look(test::safetensors_file({{"w", "F32", {1 << 16}, std::string(1 << 18, '\0')}}))),
                IsEmpty());
}

TEST_F(Traced, BothCustomersOfACombinedFileAreNamed) {
    const auto original = floats(1024);
    auto mixed = sealed(original, 8);
    const auto other = sealed(original, 44);
    mixed.replace(mixed.size() / 2, std::string::npos, other.substr(mixed.size() / 2));
    EXPECT_THAT(whose(look(mixed)), UnorderedElementsAre(8u, 44u));
}

// Without its largest tensor a model would be cut into shorter blocks.
TEST_F(Traced, AMarkIsFoundIfTensorsWereRemoved) {
    const auto bytes =
        sealed(test::safetensors_file({{"a", "F32", {60, 1024}, test::float_weights(60 * 1024, 1)},
                                       {"b", "F32", {240, 1024}, test::float_weights(240 * 1024, 2)}}),
               21);
    const auto weights = bytes.substr(bytes.size() - 300 * 4096, 60 * 4096);
    const auto seen = look(test::safetensors_file({{"a", "F32", {60, 1024}, weights}}));
    EXPECT_THAT(whose(seen), ElementsAre(21u));
    EXPECT_EQ(seen.block_elements, kMaxBlockElements);
}

TEST(Agreement, BoundHoldsForRandomOpenings) {
    EXPECT_EQ(agreement_chance(0), 1);
    EXPECT_EQ(agreement_chance(48), 1);
    EXPECT_GT(agreement_chance(60), agreement_chance(61));
    // Of 20,000 random sets of 12 openings no more exceed a sum than the bound allows.
    std::mt19937 generator(5);
    std::vector<double> sums;
    for (int round = 0; round < 20'000; ++round) {
        double sum = 0;
        for (int bit = 0; bit < 48; ++bit) {
            const auto ones = __builtin_popcount(generator() & 0xFFFu);
            sum += (2.0 * ones - 12) * (2.0 * ones - 12) / 12;
        }
        sums.push_back(sum);
    }
    for (const double limit : {60.0, 70.0, 80.0, 90.0}) {
        const auto above = std::ranges::count_if(sums, [&](double sum) { return sum > limit; });
        EXPECT_LT(static_cast<double>(above), agreement_chance(limit) * 20'000) << limit;
    }
    EXPECT_GT(*std::ranges::max_element(sums), 75);
}

}  // namespace
}  // namespace modelseal::mark
