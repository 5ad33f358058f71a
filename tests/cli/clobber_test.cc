// A slip of the hand destroys nothing: outputs that name an input are refused, and the input stays.
#include <gtest/gtest.h>

#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/small_models.h"

namespace modelseal::test {
namespace {

TEST(Program, RefusesOutputsThatNameAnInput) {
    const Scratch folder;
    const auto bytes = safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}});
    folder.write("m", bytes);
    const Surroundings here{.folder = folder.path()};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    const auto key = content_of(folder / "v.key");
    const std::vector<Words> slips = {
        {"seal", "m", "-k", "v.key", "-o", "v.key"},
        {"seal", "m", "-k", "v.key", "-o", "m"},
        {"seal", "m", "-k", "v.key", "-o", "./sub/../m"},
        {"seal", "m", "-k", "v.key", "-o", "s", "--receipt", "m"},
        {"seal", "m", "-k", "v.key", "-o", "s", "--receipt", "s"},
        {"check", "m", "--pub", "v.pub", "--html", "m"},
        {"check", "m", "--pub", "v.pub", "--html", "v.pub"},
        {"check", "m", "--pub", "v.pub", "--fingerprint", "s.fp", "--html", "s.fp"},
        {"fingerprint", "m", "-k", "v.key", "-o", "m"},
        {"fingerprint", "m", "-k", "v.key", "-o", "v.key"},
        {"fingerprint", "m", "-k", "v.key", "-o", "s", "--preview", "m"},
        {"fingerprint", "m", "-k", "v.key", "-o", "s", "--preview", "./s"},
    };
    for (const auto& slip : slips) {
        const auto outcome = run(modelseal(slip), here);
        EXPECT_EQ(outcome.code, 2) << slip.back() << outcome.err;
        EXPECT_EQ(content_of(folder / "m"), bytes);
        EXPECT_EQ(content_of(folder / "v.key"), key);
        EXPECT_FALSE(std::filesystem::exists(folder / "s"));
    }
}

}  // namespace
}  // namespace modelseal::test
