// Real models under a policy.
#include "report/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/oms.h>
#include <modelseal/policy.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using Outcome = Ruling::Outcome;

class UnderPolicy : public testing::Test {
  protected:
    void SetUp() override {
        scratch.write("keys/acme.pub", public_key_pem(acme.public_key()));
        scratch.write("keys/beta.pub", public_key_pem(beta.public_key()));
        write_policy(R"(
[[model]]
match = "acme/**"
vendor = "acme"
[[model]]
match = "beta/**"
vendor = "beta"
)");
    }
    void write_policy(const std::string& rules, const std::string& defaults = {}) {
        scratch.write("policy.toml", "version = 1\n" + defaults + R"(
[[vendor]]
name = "acme"
keys = ["keys/acme.pub"]
[[vendor]]
name = "beta"
keys = ["keys/beta.pub"]
)" + rules);
    }
    CheckReport check(const std::filesystem::path& target, const std::string& name) {
        const auto policy = Policy::load(scratch / "policy.toml");
        if (!policy.ok()) throw std::runtime_error(policy.error().message);
        return policy->check(target, {.name = name}).value();
    }
    std::filesystem::path sealed(const std::string& name, const SigningKey& key) {
        return scratch.write(name, test::sealed_bytes(plain, key));
    }
    static std::string found(const CheckReport& report, std::string_view what) {
        for (const auto& requirement : report.ruling->requirements) {
            if (requirement.what == what) return requirement.found;
        }
        return "not required";
    }

    const std::string plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const SigningKey acme = test::test_key(1), beta = test::test_key(2);
    test::Scratch scratch;
};

TEST_F(UnderPolicy, TheRuleChoosesTheVendor) {
    const auto net = sealed("net", acme);
    EXPECT_EQ(check(net, "acme/net").ruling->outcome, Outcome::allow);
    EXPECT_EQ(check(net, "acme/net").exit_code, ExitCode::done);
    const auto others = check(net, "beta/net");
    EXPECT_EQ(others.ruling->outcome, Outcome::deny);
    EXPECT_EQ(others.exit_code, ExitCode::mismatch);
    EXPECT_EQ(others.verdict, Verdict::unsealed);
    // No rule: [defaults], of any vendor.
    EXPECT_EQ(check(net, "other/net").ruling->outcome, Outcome::allow);
    EXPECT_EQ(check(net, "other/net").ruling->match, "");
    EXPECT_EQ(check(scratch.write("plain", plain), "other/net").exit_code, ExitCode::mismatch);
}

TEST_F(UnderPolicy, AnswersInWordsJsonSarifAndOnAPage) {
    const auto report = check(sealed("net", beta), "acme/net");
    const auto answer = nlohmann::json::parse(report::to_json({&report, 1}, true));
    EXPECT_EQ(answer["policy"]["outcome"], "deny");
    EXPECT_EQ(answer["policy"]["rule"]["match"], "acme/**");
    EXPECT_EQ(answer["policy"]["requirements"][0]["what"], "seal");
    EXPECT_EQ(answer["policy"]["requirements"][0]["holds"], false);
    EXPECT_EQ(answer["exit_code"], 1);
    EXPECT_THAT(report::to_text(report, {}), HasSubstr("denied by rule 'acme/**' in line 10 of"));
    EXPECT_THAT(report::to_sarif({&report, 1}, "1"), HasSubstr("\"policy-failed\""));
    EXPECT_THAT(report::to_html({&report, 1}, {}), HasSubstr("policy: denied by rule"));
    EXPECT_THAT(report::policy_text(report, {}), HasSubstr("a seal of acme"));
    const auto explained = nlohmann::json::parse(report::policy_json(report));
    EXPECT_EQ(explained["schema"], "modelseal-policy/1");
    EXPECT_EQ(explained["outcome"], "deny");
    EXPECT_EQ(explained["verdict"], "unsealed");
}

TEST_F(UnderPolicy, AFileThatIsNoModelIsNotLetThroughSilently) {
    const auto readme = scratch.write("README.md", "# A model\n");
    const auto denied = check(readme, "acme/README.md");
    EXPECT_EQ(denied.ruling->outcome, Outcome::deny);
    EXPECT_EQ(found(denied, "format"), "a file of no format that is known");
    write_policy("", "[defaults]\nunknown_files = \"ignore\"\n");
    EXPECT_EQ(check(readme, "acme/README.md").exit_code, ExitCode::done);
    // One that claims to be a model is one.
    EXPECT_EQ(check(scratch.write("cut", plain.substr(0, plain.size() / 2)), "acme/cut").exit_code,
              ExitCode::failed);
}

TEST_F(UnderPolicy, ALargeModelIsNotEvenRead) {
    write_policy("", "[defaults]\nmax_bytes = 1000\n");
    const auto report = check(sealed("net", acme), "net");
    EXPECT_EQ(report.ruling->outcome, Outcome::deny);
    EXPECT_FALSE(report.seal);
    EXPECT_THAT(report.error, HasSubstr("the policy allows 1,000"));
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
}

TEST_F(UnderPolicy, ADeadlineEndsReading) {
    const auto net = sealed("net", acme);
    Limits limits;
    limits.deadline = std::chrono::steady_clock::now();
    const auto keys = std::vector{public_check_key(acme.public_key())};
    const auto report = check_model(net, {.seal = SealCheck{.keys = keys}, .limits = limits}).value();
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    EXPECT_THAT(report.error, HasSubstr("the time for reading it is over"));
}

class FolderUnderPolicy : public UnderPolicy {
  protected:
    // Sealed as a whole.
    std::filesystem::path folder(const std::vector<std::pair<std::string, std::string>>& files) {
        scratch.write("folder/model.safetensors", plain);
        for (const auto& [name, text] : files) scratch.write("folder/" + name, text);
        const auto out = scratch / "sealed";
        std::filesystem::remove_all(out);
        const auto done =
            seal_model(scratch / "folder", out, {.key = acme, .check = public_check_key(acme.public_key())});
        if (!done.ok()) throw std::runtime_error(done.error().message);
        return out;
    }
};

TEST_F(FolderUnderPolicy, CodeThatTheConfigurationNamesIsInside) {
    const auto config =
        R"({"auto_map": {"AutoModel": "modeling_x.Model", "AutoTokenizer": ["tok.Slow", null]}})";
    const auto complete =
        check(folder({{"config.json", config}, {"modeling_x.py", "x"}, {"tok.py", "y"}}), "acme/a");
    EXPECT_EQ(complete.ruling->outcome, Outcome::allow) << found(complete, "closure");
    EXPECT_EQ(found(complete, "closure"), "2 references, all inside");
    std::filesystem::remove(scratch / "folder/tok.py");
    const auto lacking = check(folder({{"config.json", config}}), "acme/a");
    EXPECT_EQ(lacking.verdict, Verdict::intact);
    EXPECT_EQ(lacking.ruling->outcome, Outcome::deny);
    EXPECT_EQ(lacking.exit_code, ExitCode::mismatch);
    EXPECT_THAT(found(lacking, "closure"),
                HasSubstr("remote code 'tok.Slow' (config.json: auto_map.AutoTokenizer) is not inside"));
}

TEST_F(FolderUnderPolicy, CodeAndModelsOfOtherRepositoriesAreOutside) {
    for (const auto& [file, text] : std::vector<std::pair<std::string, std::string>>{
             {"config.json", R"({"auto_map": {"AutoModel": "org/repo--modeling.Model"}})"},
             {"config.json", R"({"text_config": {"auto_map": {"AutoModel": "gone.Model"}}})"},
             {"config.json", R"({"custom_pipelines": {"x": {"impl": "gone.Pipe", "pt": ["AutoModel"]}}})"},
             {"config.json", R"({"auto_map": {"AutoModel": "../../etc/x.Model"}})"},
             {"adapter_config.json", R"({"base_model_name_or_path": "org/base"})"},
             {"modules.json", R"([{"type": "sentence_transformers.models.Pooling"}, {"type": "custom.Head"}])"},
             {"model_index.json", R"({"_class_name": ["my_pipeline", "Pipe"]})"}}) {
        std::filesystem::remove_all(scratch / "folder");
        const auto report = check(folder({{file, text}}), "acme/a");
        EXPECT_EQ(report.ruling->outcome, Outcome::deny) << text;
        EXPECT_THAT(found(report, "closure"), HasSubstr("is not inside")) << text;
        EXPECT_EQ(std::ranges::count(found(report, "closure"), ';'), 0)
            << "one reference: " << found(report, "closure");
    }
}

TEST_F(FolderUnderPolicy, AConfigurationThatCannotBeReadLeavesItOpen) {
    const auto report = check(folder({{"config.json", "{\"a\": NaN"}}), "acme/a");
    EXPECT_EQ(report.verdict, Verdict::intact);
    EXPECT_EQ(report.ruling->outcome, Outcome::deny);
    EXPECT_EQ(report.exit_code, ExitCode::failed);
}

TEST_F(UnderPolicy, AnAdapterNextToTheModelFallsUnderTheSameRule) {
    const auto net = sealed("m/net", acme);
    const auto adapter = scratch.write("m/adapter_model.safetensors", plain);
    const auto report = check(net, "acme/net");
    EXPECT_EQ(report.ruling->outcome, Outcome::deny);
    EXPECT_THAT(found(report, "adapters"), HasSubstr("adapter_model.safetensors: no seal"));
    sealed("m/adapter_model.safetensors", acme);
    EXPECT_EQ(check(net, "acme/net").ruling->outcome, Outcome::allow);
    sealed("m/adapter_model.safetensors", beta);
    EXPECT_EQ(check(net, "acme/net").ruling->outcome, Outcome::deny);
}

TEST_F(UnderPolicy, ASignatureOfOneOfTheSigners) {
    const auto signer = test::test_key_p256();
    scratch.write("keys/signer.pub", public_key_pem(signer.public_key()));
    scratch.write("policy.toml", R"(version = 1
[defaults]
require = ["seal", "signature"]
[[vendor]]
name = "acme"
keys = ["keys/acme.pub"]
signers = [{ ca = "keys/root.pem" }, { key = "keys/signer.pub" }]
)");
    const auto missing = Policy::load(scratch / "policy.toml");
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message, HasSubstr("policy.toml:7:12: "));
    EXPECT_THAT(missing.error().message, HasSubstr("keys/root.pem: cannot open"));
    scratch.write("keys/root.pem", "none that signed this");
    const auto net = sealed("net", acme);
    EXPECT_EQ(check(net, "net").exit_code, ExitCode::mismatch) << "there is no signature";
    ASSERT_TRUE(sign_model(net, {.key = signer, .signature = scratch / "net.sig"}).ok());
    const auto both = check(net, "net");
    EXPECT_EQ(both.ruling->outcome, Outcome::allow) << found(both, "signature");
}

TEST_F(UnderPolicy, APolicyWithoutVendorsDeniesEverything) {
    scratch.write("policy.toml", "version = 1\n");
    const auto report = check(sealed("net", acme), "net");
    EXPECT_EQ(report.ruling->outcome, Outcome::deny);
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
    EXPECT_THAT(found(report, "seal"), HasSubstr("no key to look for one"));
}

TEST_F(UnderPolicy, LoadNamesAKeyThatIsNone) {
    scratch.write("keys/beta.pub", "not a key");
    const auto policy = Policy::load(scratch / "policy.toml");
    ASSERT_FALSE(policy.ok());
    EXPECT_THAT(policy.error().message, HasSubstr("policy.toml:8:9: "));
}

}  // namespace
}  // namespace modelseal
