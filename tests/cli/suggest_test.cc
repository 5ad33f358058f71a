#include "cli/options/suggest.h"

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

TEST(OptionsMeant, KnowsTheWordsOfOtherPrograms) {
    const std::vector<std::string> check = {"--pub", "--key", "--fingerprint", "--output", "--quiet", "--jobs"};
    EXPECT_EQ(options_meant("--public-key", check), (std::vector<std::string>{"--pub"}));
    EXPECT_EQ(options_meant("-k", check), (std::vector<std::string>{"--pub", "--key"}));
    EXPECT_EQ(options_meant("--threads", check), (std::vector<std::string>{"--jobs"}));
    EXPECT_EQ(options_meant("--finger", check), (std::vector<std::string>{"--fingerprint"}));
    EXPECT_EQ(options_meant("--quite", check), (std::vector<std::string>{"--quiet"}));
    // The --output of `check` is that of a model, not a place to write.
    EXPECT_TRUE(options_meant("--out", check).empty());
    EXPECT_EQ(options_meant("--out", {"-o", "--output"}), (std::vector<std::string>{"-o"}));
    EXPECT_TRUE(options_meant("--passphrase", check).empty());
    EXPECT_EQ(options_meant("--passphrase", {"--passphrase-file"}),
              (std::vector<std::string>{"--passphrase-file"}));
}

TEST(DidYouMean, NamesAll) {
    EXPECT_EQ(did_you_mean({"--pub", "--key"}), "did you mean '--pub' or '--key'?");
    EXPECT_EQ(did_you_mean({}), "");
}

}  // namespace
}  // namespace modelseal::cli
