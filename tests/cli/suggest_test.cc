#include "cli/suggest.h"

#include <gtest/gtest.h>

namespace modelseal::cli {
namespace {

const std::vector<std::string> kCommands = {"keygen", "seal", "check", "unseal", "inspect", "diff"};

TEST(Nearest, SuggestsTheWordThatWasMistyped) {
    EXPECT_EQ(nearest("keyegn", kCommands), "keygen");  // swapped
    EXPECT_EQ(nearest("chek", kCommands), "check");     // dropped
    EXPECT_EQ(nearest("seaal", kCommands), "seal");     // added
    EXPECT_EQ(nearest("dift", kCommands), "diff");      // changed
    EXPECT_EQ(nearest("inspectt", kCommands), "inspect");
}

TEST(Nearest, SuggestsNothingForAnUnrelatedWord) {
    EXPECT_EQ(nearest("verify", kCommands), "");
    EXPECT_EQ(nearest("", kCommands), "");
    EXPECT_EQ(nearest(std::string(100000, 'x'), kCommands), "");
    EXPECT_EQ(nearest("seal", {}), "");
}

}  // namespace
}  // namespace modelseal::cli
