#include "hash/cards.h"

#include <cstdlib>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/hash/test_cards.h"

namespace modelseal::hash {
namespace {

using testing::HasSubstr;

// Makes the module on the processor fail in one way.
class Failing {
  public:
    explicit Failing(const char* how) { ::setenv("MODELSEAL_TEST_CARD", how, 1); }
    ~Failing() { ::unsetenv("MODELSEAL_TEST_CARD"); }
};

class CardHashing : public testing::Test {
  protected:
    const Cards cards_ = Cards::load(test::test_cards()).value();
    static constexpr std::byte kFirst{1};
    const std::vector<Block> blocks_ = {{0, 100}, {112, 64}, {1, 0}, {0, 300}};

    Result<std::vector<crypto::Digest>> digests_of(const BlockHasher& hasher) {
        auto batch = hasher.make_batch(300, blocks_.size());
        if (!batch) return batch.error();
        auto* const values = reinterpret_cast<unsigned char*>((*batch)->buffer().data());
        std::iota(values, values + 300, static_cast<unsigned char>(3));
        (*batch)->start(kFirst, blocks_);
        MODELSEAL_TRY_ASSIGN(const auto digests, (*batch)->finish());
        return std::vector(digests.begin(), digests.end());
    }
    const std::vector<crypto::Digest> expected_ = digests_of(processor()).value();
};

TEST_F(CardHashing, GivesTheDigestsOfTheProcessor) {
    const auto hasher = card_hasher(cards_, 1, OnFailure::report);
    EXPECT_EQ(digests_of(*hasher).value(), expected_);
    EXPECT_EQ(hasher->trouble(), "");
}

TEST_F(CardHashing, ReportsWhatFailed) {
    for (const auto& [how, why] :
         {std::pair("lane", "out of memory"), std::pair("start", "illegal memory access"),
          std::pair("finish", "timed out")}) {
        const Failing failing(how);
        const auto hasher = card_hasher(cards_, 1, OnFailure::report);
        const auto digests = digests_of(*hasher);
        ASSERT_FALSE(digests.ok()) << how;
        EXPECT_EQ(digests.error().kind, ErrorKind::unsupported);
        EXPECT_THAT(digests.error().message, HasSubstr("cuda:1 (Paper Card): "));
        EXPECT_THAT(digests.error().message, HasSubstr(why));
    }
}

TEST_F(CardHashing, IsDoneByTheProcessorInItsPlace) {
    for (const char* how : {"lane", "start", "finish"}) {
        const Failing failing(how);
        const auto hasher = card_hasher(cards_, 0, OnFailure::hash_on_processor);
        EXPECT_EQ(digests_of(*hasher).value(), expected_) << how;
        EXPECT_EQ(hasher->trouble(), "cuda:0 (Paper Card) failed, and the processor hashed in its place");
    }
}

TEST(CardModule, MustFindACard) {
    const Failing failing("none");
    EXPECT_THAT(Cards::load(test::test_cards()).error().message, HasSubstr("no graphics card was found"));
}

TEST(CardModule, MustBeOne) {
    EXPECT_THAT(Cards::load("/nowhere/libmodelseal-cuda.so").error().message, HasSubstr("/nowhere/"));
    EXPECT_THAT(Cards::load("libm.so.6").error().message, HasSubstr("is of another release"));
}

TEST(HasherOn, IsTheProcessorWhereNoCardIsWorthIt) {
    EXPECT_EQ(hasher_on("cpu", ~std::uint64_t{0}).value(), nullptr);
    EXPECT_EQ(hasher_on("auto", 1'000'000).value(), nullptr);
}

TEST(HasherOn, RefusesWhatIsNoDevice) {
    for (const char* device : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:99999999999"}) {
        const auto hasher = hasher_on(device, 0);
        ASSERT_FALSE(hasher.ok()) << device;
        EXPECT_EQ(hasher.error().kind, ErrorKind::usage) << device;
    }
}

}  // namespace
}  // namespace modelseal::hash
