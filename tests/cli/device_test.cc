// `--device` of commands that hash weights, with a module for graphics cards that needs no card.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/hash/test_cards.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::Words;
using testing::HasSubstr;

class HashingDevice : public testing::Test {
  protected:
    HashingDevice() {
        folder_.write("net", test::safetensors_file({{"w", "F32", {300, 301}, test::float_weights(90'300, 1)},
                                                     {"b", "F32", {7}, test::float_weights(7, 2)}}));
        EXPECT_EQ(run({"keygen", "v", "--no-passphrase"}).code, 0);
        EXPECT_EQ(run({"keygen", "s", "--type", "p256", "--no-passphrase"}).code, 0);
    }
    test::Outcome run(const Words& words, std::map<std::string, std::string> variables = {}) const {
        variables.emplace("MODELSEAL_CUDA_MODULE", test::test_cards());
        variables.emplace("SOURCE_DATE_EPOCH", "0");
        return test::run(test::modelseal(words), {.folder = folder_.path(), .variables = variables});
    }
    const test::Scratch folder_;
};

TEST_F(HashingDevice, MakesNoDifference) {
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "on-cpu", "--device", "cpu"}).code, 0);
    const auto sealed =
        run({"seal", "net", "-k", "v.key", "-o", "on-cuda", "--stamp", "name=net", "--device", "cuda"});
    ASSERT_EQ(sealed.code, 0) << sealed.err;
    for (const char* made_on : {"on-cpu", "on-cuda"}) {
        for (const char* device : {"auto", "cpu", "cuda", "cuda:1"}) {
            const auto checked = run({"check", made_on, "--pub", "v.pub", "--device", device});
            EXPECT_EQ(checked.code, 0) << made_on << device << checked.out << checked.err;
        }
    }
    const auto signature = run({"sign", "on-cuda", "-k", "s.key", "--seal-pub", "v.pub", "--device", "cuda"});
    EXPECT_EQ(signature.code, 0) << signature.err;
}

TEST_F(HashingDevice, FindsAChange) {
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "sealed"}).code, 0);
    auto bytes = test::content_of(folder_ / "sealed");
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    folder_.write("changed", bytes);
    const auto on_card = run({"check", "changed", "--pub", "v.pub", "--device", "cuda", "--json"});
    EXPECT_EQ(on_card.code, 1);
    EXPECT_EQ(on_card.out, run({"check", "changed", "--pub", "v.pub", "--device", "cpu", "--json"}).out);
}

TEST_F(HashingDevice, MustBeThere) {
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "sealed"}).code, 0);
    struct Case {
        std::map<std::string, std::string> variables;
        const char *device, *message;
    };
    for (const auto& [variables, device, message] :
         {Case{{{"MODELSEAL_TEST_CARD", "none"}}, "cuda", "no graphics card was found"},
          Case{{}, "cuda:2", "cuda:2: this machine has 2 graphics cards"},
          Case{{{"MODELSEAL_CUDA_MODULE", "/nowhere.so"}},
               "cuda",
               "the module for graphics cards was not found"},
          Case{{{"MODELSEAL_TEST_CARD", "finish"}}, "cuda", "cuda:0 (Paper Card): the launch timed out"}}) {
        for (const Words& command :
             {Words{"check", "sealed", "--pub", "v.pub"}, Words{"seal", "net", "-k", "v.key", "-o", "again"},
              Words{"sign", "sealed", "-k", "s.key", "--seal-pub", "v.pub"}}) {
            auto words = command;
            words.insert(words.end(), {"--device", device});
            const auto outcome = run(words, variables);
            EXPECT_EQ(outcome.code, 3) << words[0] << ' ' << message << outcome.out << outcome.err;
            EXPECT_THAT(outcome.out + outcome.err, HasSubstr(message));
            EXPECT_THAT(outcome.out + outcome.err, HasSubstr("--device cpu"));
        }
    }
}

TEST_F(HashingDevice, OfSignIsForTheSealOnly) {
    EXPECT_EQ(run({"sign", "net", "-k", "s.key", "--device", "cpu"}).code, 2);
}

}  // namespace
}  // namespace modelseal
