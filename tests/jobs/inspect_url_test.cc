// What is in a model on a web server, and the stamp of its seal, without fetching its weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/inspection.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/range_server.h"
#include <modelseal/inspect.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using testing::Not;

class InspectUrl : public testing::Test {
  protected:
    static constexpr std::size_t kWeights = 1'000'000;

    std::size_t sent() const {
        std::size_t sum = 0;
        for (const auto& asked : server.asked()) sum += test::part_of(file, asked).body.size();
        return sum;
    }

    const SigningKey vendor = test::test_key();
    const CheckKey key = public_check_key(vendor.public_key());
    // Sealed once for all tests.
    static const std::string& sealed() {
        static const auto made = test::sealed_bytes(
            test::safetensors_file({{"a", "F32", {kWeights}, test::float_weights(kWeights, 1)},
                                    {"b", "F32", {kWeights}, test::float_weights(kWeights, 2)}}),
            test::test_key());
        return made;
    }
    std::string file = sealed();
    test::HttpServer server{[this](const test::HttpAsked& asked) { return test::part_of(file, asked); }};
};

TEST_F(InspectUrl, ShowsTensorsAndFetchesTheHeaderAlone) {
    const auto seen = inspect(server.url("/net.safetensors"), {}).value();
    ASSERT_TRUE(seen.model);
    EXPECT_EQ(seen.model->format, "safetensors");
    ASSERT_EQ(seen.model->tensors.size(), 2u);
    EXPECT_EQ(seen.model->tensors[1].name, "b");
    EXPECT_EQ(seen.model->tensors[1].bytes, 4 * kWeights);
    EXPECT_EQ(seen.model->files.front(), "net.safetensors");
    EXPECT_LE(sent(), 2 * 65'536u);
}

TEST_F(InspectUrl, ShowsTheStampOfASealWithoutReadingTheWeights) {
    const auto seen = inspect(server.url("/net.safetensors"), {.keys = {key}}).value();
    ASSERT_TRUE(seen.seal);
    EXPECT_EQ(seen.seal->outcome, SealFinding::Outcome::partial);
    EXPECT_TRUE(seen.seal->stamp_authentic);
    EXPECT_EQ(seen.seal->vendor_key, to_hex(vendor.public_key().id()));
    EXPECT_LT(sent(), file.size() / 2);
    const auto text = report::to_text(seen, {});
    EXPECT_THAT(text, HasSubstr("not checked: the vendor signed this stamp, no tensor was read"));
    EXPECT_THAT(text, Not(HasSubstr("intact")));
    EXPECT_THAT(report::to_json(seen), HasSubstr("\"outcome\": \"partial\""));
}

TEST_F(InspectUrl, AnotherKeyFindsNoSeal) {
    const auto other = public_check_key(SigningKey::generate(KeyType::ed25519).public_key());
    const auto seen = inspect(server.url("/net.safetensors"), {.keys = {other}}).value();
    EXPECT_EQ(seen.seal->outcome, SealFinding::Outcome::not_found);
    EXPECT_LE(server.asked().size(), 40u) << "a few cells in blocks of each length";
}

TEST_F(InspectUrl, ReadsAKeyAsWell) {
    file = public_key_pem(vendor.public_key());
    EXPECT_EQ(inspect(server.url("/v.pub"), {}).value().kind, "public-key");
}

TEST_F(InspectUrl, AHeaderThatIsLongerThanTheCapIsNotFetched) {
    // It says 100 MB of JSON, of a file that is as long.
    file = std::string("\x00\xe1\xf5\x05\0\0\0\0{", 9) + std::string(101'000'000, ' ');
    const auto seen = inspect(server.url("/net.safetensors"), {});
    ASSERT_FALSE(seen.ok());
    EXPECT_LE(sent(), 1u << 20);
}

TEST_F(InspectUrl, OnTheCommandLine) {
    const test::Scratch folder;
    folder.write("v.pub", public_key_pem(vendor.public_key()));
    const auto run = [&](const test::Words& words) {
        return test::run(test::modelseal(words), {.folder = folder.path()});
    };
    auto outcome = run({"inspect", server.url("/net.safetensors"), "--pub", "v.pub"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("safetensors"));
    EXPECT_THAT(outcome.out, HasSubstr("not checked: the vendor signed this stamp"));
    outcome = run({"inspect", "v.pub", "--ca", "v.pub"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("--ca has no effect: no target is a URL"));
    EXPECT_EQ(run({"inspect", server.url("/net.safetensors"), "--allow-symlinks"}).code, 2);
    EXPECT_EQ(run({"inspect", "http://user:pass@127.0.0.1/x"}).code, 2);
}

}  // namespace
}  // namespace modelseal
