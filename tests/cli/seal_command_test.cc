// What `seal` reports, to people and to programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using testing::HasSubstr;

class SealCommand : public testing::Test {
  protected:
    SealCommand() {
        folder_.write("net", test::small_models().front().file());
        EXPECT_EQ(run({"keygen", "v", "--no-passphrase"}).code, 0);
        id_ = to_hex(load_public_key(folder_ / "v.pub")->id());
    }
    test::Outcome run(const test::Words& words) const {
        return test::run(test::modelseal(words),
                         {.folder = folder_.path(), .variables = {{"SOURCE_DATE_EPOCH", "0"}}});
    }
    const test::Scratch folder_;
    std::string id_;
};

TEST_F(SealCommand, NamesTheKeyAndTheReceipt) {
    const auto sealed = run({"seal", "net", "-k", "v.key", "-o", "out", "--receipt", "r"});
    EXPECT_EQ(sealed.code, 0) << sealed.err;
    EXPECT_THAT(sealed.out, HasSubstr("\n  key: " + id_ + "\n"));
    EXPECT_THAT(sealed.out, HasSubstr("\n  receipt: r (keep it secret: it removes the seal)\n"));
    EXPECT_EQ(run({"seal", "net", "-k", "v.key", "-o", "out", "--quiet"}).out, "");
}

TEST_F(SealCommand, PrintsJson) {
    const auto sealed =
        run({"seal", "net", "-k", "v.key", "-o", "out", "--stamp", "version=2", "--receipt", "r", "--json"});
    EXPECT_EQ(sealed.code, 0) << sealed.err;
    const auto json = nlohmann::json::parse(sealed.out);
    EXPECT_EQ(json["schema"], "modelseal-seal/1");
    EXPECT_EQ(json["target"], "net");
    EXPECT_EQ(json["output"], "out");
    EXPECT_EQ(json["receipt"], "r");
    EXPECT_EQ(json["vendor_key"], id_);
    EXPECT_EQ(json["stamp"]["version"], "2");
    EXPECT_EQ(json["stamp"]["time"], "1970-01-01T00:00:00Z");
    EXPECT_TRUE(json["warnings"].is_array());
    const auto checked = nlohmann::json::parse(run({"check", "out", "--pub", "v.pub", "--json"}).out);
    EXPECT_EQ(json["root"], checked["checks"][0]["root"]);
}

TEST_F(SealCommand, PutsSeveralModelsIntoAFolder) {
    folder_.write("b", test::small_models().front().file());
    folder_.write("sub/net", test::small_models().front().file());
    const auto sealed = run({"seal", "net", "b", "-k", "v.key", "-o", "out/", "--receipt", "out.receipts/"});
    EXPECT_EQ(sealed.code, 0) << sealed.err;
    EXPECT_THAT(sealed.out, HasSubstr("\n2 models sealed\n"));
    for (const char* name : {"net", "b"}) {
        EXPECT_EQ(run({"check", "out/" + std::string(name), "--pub", "v.pub"}).code, 0);
        EXPECT_EQ(run({"unseal", "out/" + std::string(name), "--receipt",
                       "out.receipts/" + std::string(name) + ".receipt", "-o", "again"})
                      .code,
                  0);
        EXPECT_EQ(test::content_of(folder_ / "again"), test::content_of(folder_ / name));
    }
    // One that fails keeps none of the others from it.
    const auto some = run({"seal", "absent", "b", "-k", "v.key", "-o", "out", "--json"});
    EXPECT_EQ(some.code, 3);
    const auto end = some.out.find('\n');
    EXPECT_EQ(nlohmann::json::parse(some.out.substr(0, end))["schema"], "modelseal-error/1");
    EXPECT_EQ(nlohmann::json::parse(some.out.substr(end))["output"], "out/b");
    EXPECT_THAT(run({"seal", "net", "sub/net", "-k", "v.key", "-o", "out"}).err,
                HasSubstr("two models have the name 'net'"));
    const auto file = run({"seal", "net", "b", "-k", "v.key", "-o", "new"});
    EXPECT_EQ(file.code, 2);
    EXPECT_THAT(file.err, HasSubstr("new: is not a folder, and several models are given"));
}

}  // namespace
}  // namespace modelseal
