// sign and verify as their users run them: exit codes, what is printed, what is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/safetensors.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::modelseal;
using test::Outcome;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SignVerify : public testing::Test {
  protected:
    SignVerify() {
        scratch.write("net/net.safetensors", test::safetensors({{"alpha", 10}, {"beta", 20}}));
        scratch.write("net/config.json", "{}");
        EXPECT_EQ(run({"keygen", "signer", "--type", "p256", "--no-passphrase"}).code, 0);
        EXPECT_EQ(run({"keygen", "other", "--type", "p384", "--no-passphrase"}).code, 0);
    }
    Outcome run(test::Words words) {
        return test::run(modelseal(std::move(words)), {.folder = scratch.path()});
    }
    Outcome sign() { return run({"sign", "net", "-k", "signer.key"}); }
    Outcome verify(test::Words more = {}) {
        test::Words words = {"verify", "net", "--signature", "net.sig", "--pub", "signer.pub"};
        words.insert(words.end(), more.begin(), more.end());
        return run(std::move(words));
    }
    test::Scratch scratch;
};

TEST_F(SignVerify, HoldsUntilSomethingChanges) {
    const auto done = sign();
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, StartsWith("signed net\n  2 files, "));
    EXPECT_EQ(verify().code, 0);
    EXPECT_THAT(verify().out, HasSubstr("2 files are as signed"));
    EXPECT_EQ(verify({"--quiet"}).out, "");
    auto file = test::safetensors({{"alpha", 10}, {"beta", 20}});
    file.back() = static_cast<char>(file.back() ^ 1);
    scratch.write("net/net.safetensors", file);
    scratch.write("net/more", "");
    const auto changed = verify();
    EXPECT_EQ(changed.code, 1);
    EXPECT_THAT(changed.out, HasSubstr("1 file changed, 1 file not signed"));
    EXPECT_THAT(changed.out, HasSubstr("changed    net.safetensors\n      tensor beta changed\n"));
    EXPECT_THAT(changed.out, HasSubstr("added      more\n"));
    scratch.write("net/net.safetensors", test::safetensors({{"alpha", 10}, {"beta", 20}}));
    EXPECT_EQ(verify().code, 1);
    EXPECT_EQ(verify({"--ignore", "net/more"}).code, 0);
    EXPECT_EQ(verify({"--ignore-unsigned-files"}).code, 0);
}

TEST_F(SignVerify, AFolderOfSignersIsTrusted) {
    ASSERT_EQ(sign().code, 0);
    std::filesystem::create_directory(scratch / "trusted");
    const auto trust = [&] { return run({"verify", "net", "--signature", "net.sig", "--trust", "trusted"}); };
    EXPECT_EQ(trust().code, 2) << "no key in it";
    std::filesystem::copy_file(scratch / "other.pub", scratch / "trusted/other.pub");
    ASSERT_EQ(run({"keygen", "trusted/vendor", "--no-passphrase"}).code, 0);
    EXPECT_EQ(trust().code, 3);
    EXPECT_THAT(trust().err, HasSubstr("trusted/vendor.key"));
    std::filesystem::remove(scratch / "trusted/vendor.key");
    EXPECT_EQ(trust().code, 1) << "signed by none of them";
    std::filesystem::copy_file(scratch / "signer.pub", scratch / "trusted/signer.pub");
    EXPECT_EQ(trust().code, 0) << trust().err;
    std::filesystem::remove(scratch / "trusted/signer.pub");
    std::filesystem::remove(scratch / "trusted/other.pub");
    EXPECT_THAT(trust().err, HasSubstr("no public key in it that serves signatures of files"));
}

TEST_F(SignVerify, ExitCodesShowWhatWentWrong) {
    EXPECT_EQ(verify().code, 3);  // no signature there
    ASSERT_EQ(sign().code, 0);
    EXPECT_EQ(run({"verify", "net", "--signature", "net.sig", "--pub", "other.pub"}).code, 1);
    EXPECT_EQ(run({"verify", "net", "--signature", "net.sig"}).code, 2);
    EXPECT_EQ(run({"verify", "net", "--signature", "net.sig", "--pub", "signer.pub", "--cert-chain", "x"}).code,
              2);
    EXPECT_EQ(run({"verify", "net", "--pub", "signer.pub"}).code, 0) << "found next to it";
    EXPECT_EQ(run({"verify", "net"}).code, 2);
    EXPECT_EQ(run({"verify", "none", "--signature", "net.sig", "--pub", "signer.pub"}).code, 3);
    EXPECT_EQ(run({"verify", "net", "--signature", "net.sig", "--pub", "signer.key"}).code, 3);
    EXPECT_EQ(run({"sign", "net", "-k", "signer.pub"}).code, 3);
    EXPECT_EQ(run({"sign", "net"}).code, 2);
    EXPECT_EQ(run({"sign", "net", "-k", "signer.key", "--cert-chain", "x.pem"}).code, 2);
    EXPECT_EQ(run({"sign", "net", "-k", "signer.key", "-o", "signer.key"}).code, 2);
    scratch.write("net.sig", "{}");
    EXPECT_EQ(verify().code, 3);
}

// Where check and verify look for it, and no model loses its signature to another one.
TEST_F(SignVerify, ASignatureStandsNextToItsModelAndReplacesNoOther) {
    scratch.write("a/one.safetensors", test::safetensors({{"alpha", 10}}));
    scratch.write("a/two.safetensors", test::safetensors({{"alpha", 20}}));
    for (const char* model : {"a/one.safetensors", "a/two.safetensors", "net/", "a"}) {
        for (int time = 0; time < 2; ++time) {
            const auto done = run({"sign", model, "-k", "signer.key"});
            EXPECT_EQ(done.code, 0) << model << done.err;
        }
        EXPECT_EQ(run({"verify", model, "--pub", "signer.pub"}).code, 0) << model;
        EXPECT_EQ(run({"check", model, "--signer", "signer.pub"}).code, 0) << model;
    }
    for (const char* file : {"a/one.safetensors.sig", "a/two.safetensors.sig", "net.sig", "a.sig"})
        EXPECT_TRUE(std::filesystem::exists(scratch / file)) << file;
    const auto before = test::content_of(scratch / "a/one.safetensors.sig");
    const auto of_other = run({"sign", "a/two.safetensors", "-k", "signer.key", "-o", "a/one.safetensors.sig"});
    EXPECT_EQ(of_other.code, 2);
    EXPECT_THAT(of_other.err, HasSubstr("is a signature of another model, 'one.safetensors'"));
    const auto by_other = run({"sign", "a/one.safetensors", "-k", "other.key"});
    EXPECT_EQ(by_other.code, 2);
    EXPECT_THAT(by_other.err, HasSubstr("a/one.safetensors.sig: is a signature by another key, "));
    EXPECT_EQ(test::content_of(scratch / "a/one.safetensors.sig"), before);
    // The one in a folder is found first, so it is the one that is written again.
    ASSERT_EQ(run({"sign", "net", "-k", "signer.key", "-o", "net/model.sig"}).code, 0);
    EXPECT_THAT(run({"sign", "net", "-k", "signer.key"}).out, HasSubstr(" in net/model.sig\n"));
}

TEST_F(SignVerify, AMissingSignatureIsNothingToVerify) {
    const auto none = run({"verify", "net", "--pub", "signer.pub"});
    EXPECT_EQ(none.code, 4);
    EXPECT_THAT(none.out, HasSubstr("net: signature not checked, no signature found next to it"));
    const auto report = nlohmann::json::parse(run({"verify", "net", "--pub", "signer.pub", "--json"}).out);
    EXPECT_EQ(report["exit_code"], 4);
    EXPECT_EQ(report["checks"][0]["outcome"], "not-found");
    const auto absent = run({"verify", "absent", "--pub", "signer.pub", "--json"});
    EXPECT_EQ(absent.code, 3);
    EXPECT_EQ(nlohmann::json::parse(absent.out)["error"], "absent: cannot open: not found");
}

// What --json has, the text tells as well.
TEST_F(SignVerify, WarningsAreShown) {
    scratch.write("net/net.safetensors", test::safetensors({{"alpha", 10}, {"beta", 20}}).substr(0, 100));
    const auto done = run({"sign", "net", "-k", "signer.key"});
    EXPECT_EQ(done.code, 0);
    EXPECT_THAT(done.err, HasSubstr("modelseal: warning: no digests of tensors: "));
    EXPECT_EQ(run({"sign", "net", "-k", "signer.key", "--json"}).err, "");
    EXPECT_EQ(run({"sign", "net", "-k", "signer.key", "--quiet"}).err, "");
}

TEST_F(SignVerify, CheckExpectsEverythingThatIsGiven) {
    ASSERT_EQ(run({"keygen", "vendor", "--no-passphrase"}).code, 0);
    ASSERT_EQ(sign().code, 0);
    const auto check = [&](test::Words more) {
        test::Words words = {"check", "net"};
        words.insert(words.end(), more.begin(), more.end());
        return run(std::move(words));
    };
    EXPECT_EQ(check({"--pub", "vendor.pub"}).code, 4) << "not sealed";
    EXPECT_EQ(check({"--signer", "signer.pub"}).code, 0) << "found next to it";
    EXPECT_EQ(check({"--pub", "vendor.pub", "--signer", "signer.pub"}).code, 4) << "the seal is expected, too";
    EXPECT_EQ(check({"--pub", "signer.pub"}).code, 4) << "a key on P-256 is one of seals here";
    EXPECT_THAT(check({"--pub", "signer.pub"}).out, HasSubstr("warning: the signature "));
    EXPECT_EQ(check({"--signer", "other.pub"}).code, 1) << "signed by another key";
    EXPECT_EQ(check({"--signer", "signer.pub", "--signer", "other.pub"}).code, 0);
    const auto curve = check({"--pub", "other.pub"});
    EXPECT_EQ(curve.code, 3);
    EXPECT_THAT(curve.err, HasSubstr("--signer"));
    const auto both = check({"--pub", "vendor.pub", "--signer", "signer.pub", "--require", "seal,signature"});
    EXPECT_EQ(both.code, 4);
    EXPECT_THAT(both.out, HasSubstr("signature valid"));
    EXPECT_EQ(check({"--signer", "signer.pub", "--require", "seal"}).code, 4);
    const auto none = check({"--signer", "signer.pub", "--signature", "none.sig"});
    EXPECT_EQ(none.code, 3);
    EXPECT_THAT(none.err, HasSubstr("none.sig"));
    EXPECT_EQ(check({"--signer", "signer.pub", "--html", "signer.pub"}).code, 2);
    EXPECT_EQ(check({"--signer", "signer.pub", "--signature", "net.sig", "--html", "net.sig"}).code, 2);
    std::filesystem::remove(scratch / "net.sig");
    EXPECT_EQ(check({"--signer", "signer.pub"}).code, 4);
}

TEST_F(SignVerify, JsonOfCheckHasExpectationsAndTheExitCode) {
    ASSERT_EQ(run({"keygen", "vendor", "--no-passphrase"}).code, 0);
    ASSERT_EQ(sign().code, 0);
    const auto outcome = run({"check", "net", "--pub", "vendor.pub", "--signer", "signer.pub", "--json"});
    const auto report = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(report["verdict"], "unsealed");
    EXPECT_EQ(report["exit_code"], 4);
    EXPECT_EQ(outcome.code, 4);
    ASSERT_EQ(report["checks"].size(), 2u);
    EXPECT_EQ(report["checks"][0]["kind"], "seal");
    EXPECT_EQ(report["checks"][0]["expected"], true);
    EXPECT_EQ(report["checks"][0]["outcome"], "not-found");
    EXPECT_EQ(report["checks"][1]["outcome"], "valid");
    EXPECT_TRUE(report["warnings"].is_array());
    std::filesystem::remove(scratch / "net.sig");
    const auto missing = nlohmann::json::parse(run({"check", "net", "--signer", "signer.pub", "--json"}).out);
    EXPECT_EQ(missing["checks"][0]["kind"], "signature");
    EXPECT_EQ(missing["checks"][0]["outcome"], "not-found");
    EXPECT_EQ(missing["exit_code"], 4);
}

TEST_F(SignVerify, HelpOfCheckKeepsTheOptionsOfSignaturesTogether) {
    const auto help = run({"check", "--help-all"}).out;
    EXPECT_THAT(help, HasSubstr("\nsignature of the files:\n      --signature SIG"));
    EXPECT_LT(help.find("--html FILE"), help.find("signature of the files:"));
    EXPECT_THAT(run({"check", "--help"}).out, Not(HasSubstr("--signature SIG")));
}

TEST_F(SignVerify, JsonIsAnEntryOfTheCheck) {
    ASSERT_EQ(sign().code, 0);
    auto report = nlohmann::json::parse(verify({"--json"}).out);
    EXPECT_EQ(report["schema"], "modelseal-check/1");
    EXPECT_EQ(report["verdict"], "intact");
    EXPECT_EQ(report["exit_code"], 0);
    ASSERT_EQ(report["checks"].size(), 1u);
    EXPECT_EQ(report["checks"][0]["kind"], "signature");
    EXPECT_EQ(report["checks"][0]["outcome"], "valid");
    EXPECT_EQ(report["checks"][0]["files_compared"], 2);
    scratch.write("net/config.json", "[]");
    const auto changed = verify({"--json"});
    EXPECT_EQ(changed.code, 1);
    report = nlohmann::json::parse(changed.out);
    EXPECT_EQ(report["verdict"], "tampered");
    EXPECT_EQ(report["checks"][0]["outcome"], "invalid");
    EXPECT_EQ(report["checks"][0]["files"].dump(), R"([{"name":"config.json","outcome":"changed"}])");
    scratch.write("net.sig", "{}");
    const auto broken = verify({"--json"});
    EXPECT_EQ(broken.code, 3);
    report = nlohmann::json::parse(broken.out);
    EXPECT_EQ(report["verdict"], "error");
    EXPECT_EQ(report["checks"][0]["outcome"], "error");
    EXPECT_EQ(run({"sign", "net", "-k", "signer.key"}).code, 2) << "there is a file that is no signature";
    std::filesystem::remove(scratch / "net.sig");
    const auto done = nlohmann::json::parse(run({"sign", "net", "-k", "signer.key", "--json"}).out);
    EXPECT_EQ(done["schema"], "modelseal-sign/1");
    EXPECT_EQ(done["files"], 2);
    EXPECT_EQ(done["tensors"], 2);
}

TEST_F(SignVerify, RecordsTheSealThatItChecked) {
    ASSERT_EQ(run({"keygen", "vendor", "--no-passphrase"}).code, 0);
    scratch.write("big.safetensors", test::safetensors({{"alpha", 200'000}}));
    ASSERT_EQ(run({"seal", "big.safetensors", "-k", "vendor.key", "-o", "sealed.safetensors"}).code, 0);
    const test::Words words = {"sign", "sealed.safetensors", "-k", "signer.key", "--seal-pub", "vendor.pub"};
    ASSERT_EQ(run(words).code, 0);
    const auto verified = run({"verify", "sealed.safetensors", "--pub", "signer.pub", "--json"});
    EXPECT_EQ(verified.code, 0) << verified.out;
    const auto report = nlohmann::json::parse(verified.out);
    EXPECT_EQ(report["checks"][0]["seal_root"].get<std::string>().size(), 64u);
    const auto unsealed = run({"sign", "big.safetensors", "-k", "signer.key", "--seal-pub", "vendor.pub"});
    EXPECT_EQ(unsealed.code, 1);
    EXPECT_THAT(unsealed.err, HasSubstr("no seal under this vendor"));
}

}  // namespace
}  // namespace modelseal
