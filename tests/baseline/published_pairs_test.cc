// Fingerprints by the published schedule, of a network that is small and known.
#include "baseline/published_pairs.h"

#include <gmock/gmock.h>

#include "baseline/baseline.h"
#include "blackbox/container/payload.h"
#include "tests/support/models/toy_network.h"

namespace modelseal::baseline {
namespace {

constexpr std::array<std::byte, 32> kSalt{std::byte{7}};

blackbox::Plan plan_for(const test::ToyNetwork& network) {
    return {.count = 20, .input = {.shape = network.input()}, .threads = 2};
}

TEST(PublishedPairs, FlipBetweenTheirMembers) {
    test::ToyNetwork network(1);
    const auto made = make_pairs(network, plan_for(network), Secret32(), kSalt, no_progress(), 4000);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const auto& print = made->fingerprint;
    EXPECT_EQ(print.pairs().schedule, Schedule::paper);
    ASSERT_EQ(print.pairs().rungs.size(), 1u);
    EXPECT_GT(print.pairs().rungs[0].pairs.size(), 0u);
    for (const auto& pair : print.pairs().rungs[0].pairs)
        EXPECT_LT(pair.member[0].margin * pair.member[1].margin, 0);
    auto bound = print;
    bound.root = std::string(64, '0');
    EXPECT_EQ(complaint(bound), "");
    EXPECT_GE(made->evaluations, 3u * 4000 * 20) << "a gradient step counts three";
}

TEST(PublishedPairs, NeedOutputValuesAndNoGrid) {
    test::ToyNetwork network(1);
    auto by_label = plan_for(network);
    by_label.access = Access::label;
    auto on_grid = plan_for(network);
    on_grid.grid = Grid::u8;
    for (const auto& plan : {by_label, on_grid}) {
        const auto refused = make_pairs(network, plan, Secret32(), kSalt, no_progress(), 1);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    }
}

}  // namespace
}  // namespace modelseal::baseline
