// All that is given to a check is expected: what a missing seal, another scheme, or a broken seal makes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"
#include "tests/support/data.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using report::to_html;
using report::to_json;
using report::to_sarif;
using report::to_text;
using testing::HasSubstr;
using testing::IsEmpty;

class Expectations : public testing::Test {
  protected:
    std::filesystem::path write(const std::string& name, const std::string& bytes) {
        return scratch.write(name, bytes);
    }
    CheckReport check(const std::filesystem::path& target, CheckOptions options = {}) {
        options.seal = SealCheck{.keys = {key}};
        return check_model(target, options).value();
    }
    const std::string plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const SigningKey vendor = test::test_key();
    const CheckKey key = public_check_key(vendor.public_key());
    test::Scratch scratch;
};

TEST_F(Expectations, ADeepisignMarkIsNotASealUnlessItsSchemeIsNamed) {
    const auto weights = test::float_weights(1 << 16, 1);
    const auto marked =
        write("marked", test::sealed_bytes(test::safetensors_file({{"w", "F32", {256, 256}, weights}}), vendor,
                                           Scheme::deepisign));
    for (const auto& policy :
         std::vector<CheckPolicy>{{}, {.expected = {.seal = true}}, {.weights_only = true}}) {
        const auto report = check(marked, {.policy = policy});
        EXPECT_EQ(report.exit_code, ExitCode::nothing);
        EXPECT_THAT(report.hint, HasSubstr("the deepisign scheme"));
    }
    EXPECT_EQ(check(marked, {.policy = {.scheme = Scheme::deepisign}}).verdict, Verdict::intact);
    const auto sealed = write("sealed", test::sealed_bytes(plain, vendor));
    EXPECT_EQ(check(sealed, {.policy = {.scheme = Scheme::deepisign}}).verdict, Verdict::intact)
        << "a seal is more";
}

// A seal that was erased counts, whatever the fingerprint would say; and what nobody vouches for is not run.
TEST_F(Expectations, AModelWithoutItsSealIsNotRunForItsFingerprint) {
    MODELSEAL_NEED_DATA();
    const auto data = test::data_folder() / "security";
    if (!std::filesystem::exists(data / "snet.fp")) GTEST_SKIP() << "no " << data;
    const auto security_key = public_check_key(load_public_key((data / "vendor.pub").string()).value());
    const auto with = [&](const char* model) {
        const FingerprintCheck fingerprint{.file = data / "snet.fp", .keys = {security_key}};
        return check_model(data / model,
                           {.seal = SealCheck{.keys = {security_key}}, .fingerprint = fingerprint})
            .value();
    };
    const auto report = with("backdoored.onnx");
    EXPECT_EQ(report.exit_code, ExitCode::nothing) << report.error;
    EXPECT_EQ(report.verdict, Verdict::unsealed);
    EXPECT_FALSE(report.fingerprint);
    const auto entries = nlohmann::json::parse(to_json({&report, 1}, true))["checks"];
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0]["outcome"], "not-found");
    EXPECT_EQ(entries[1]["kind"], "fingerprint");
    EXPECT_EQ(entries[1]["expected"], true);
    EXPECT_EQ(entries[1]["outcome"], "not-run");
}

TEST_F(Expectations, AModelIsRunForItsFingerprintIfItsSealIsIntact) {
    MODELSEAL_NEED_DATA();
    MODELSEAL_NEED_TORCH();
    const auto data = test::data_folder() / "security";
    if (!std::filesystem::exists(data / "snet.fp")) GTEST_SKIP() << "no " << data;
    const auto security_key = public_check_key(load_public_key((data / "vendor.pub").string()).value());
    // One thread is not the runtime of the fingerprint, whose last bits another machine need not give.
    const FingerprintCheck fingerprint{.file = data / "snet.fp", .keys = {security_key}};
    const CheckOptions options{
        .seal = SealCheck{.keys = {security_key}}, .fingerprint = fingerprint, .jobs = 1};
    const auto intact = check_model(data / "snet.onnx", options).value();
    EXPECT_EQ(intact.verdict, Verdict::intact) << intact.error;
    EXPECT_TRUE(intact.fingerprint);
    auto bytes = test::content_of(data / "snet.onnx");
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    const auto tampered = check_model(write("tampered.onnx", bytes), options).value();
    EXPECT_EQ(tampered.verdict, Verdict::tampered);
    EXPECT_FALSE(tampered.fingerprint);
    ASSERT_EQ(tampered.missing.size(), 1u);
    EXPECT_EQ(tampered.missing[0].outcome, MissingCheck::Outcome::not_run);
}

// Nothing about the model would be known, so there is no report.
TEST_F(Expectations, ACallThatCanCheckNothingIsAnError) {
    const auto model = write("sealed", test::sealed_bytes(plain, vendor));
    const FingerprintCheck no_key{.file = "net.fp"};
    for (const auto& options : std::vector<CheckOptions>{{},
                                                         {.seal = SealCheck{}},
                                                         {.seal = SealCheck{{key}}, .fingerprint = no_key},
                                                         {.signature = SignatureCheck{}},
                                                         {.signature = SignatureCheck{.signature = "a.sig"}}}) {
        const auto report = check_model(model, options);
        ASSERT_FALSE(report.ok());
        EXPECT_EQ(report.error().kind, ErrorKind::usage);
        EXPECT_THAT(report.error().message, HasSubstr("no key"));
    }
    const auto absent = check_model(scratch / "absent", {.seal = SealCheck{{key}}});
    ASSERT_TRUE(absent.ok()) << "what is wrong with the model is in the report";
    EXPECT_EQ(absent->verdict, Verdict::error);
}

TEST_F(Expectations, OptionsOwnTheirKeys) {
    const auto model = write("sealed", test::sealed_bytes(plain, vendor));
    CheckOptions options;
    {
        const std::vector keys{public_check_key(vendor.public_key())};
        options.seal = SealCheck{.keys = keys};
    }
    EXPECT_EQ(check_model(model, options)->verdict, Verdict::intact);
}

TEST_F(Expectations, WarningsOfTheModelAreShownInEveryForm) {
    const auto part = write("net-00001-of-00002.safetensors", test::sealed_bytes(plain, vendor));
    const auto report = check(part);
    EXPECT_EQ(report.verdict, Verdict::intact);
    ASSERT_EQ(report.warnings.size(), 1u);
    constexpr const char* kWarning = "; no other is found in its folder";
    EXPECT_THAT(to_text(report, {}), HasSubstr(kWarning));
    EXPECT_THAT(to_html({&report, 1}), HasSubstr(kWarning));
    EXPECT_THAT(to_sarif({&report, 1}, "1"), HasSubstr(kWarning));
    EXPECT_THAT(nlohmann::json::parse(to_json({&report, 1}, true))["warnings"][0].get<std::string>(),
                HasSubstr(kWarning));
    EXPECT_THAT(check(write("net", test::sealed_bytes(plain, vendor))).warnings, IsEmpty());
}

TEST_F(Expectations, HardLinksAreAWarning) {
    write("net/a.safetensors", plain);
    write("net/b.txt", "b");
    ASSERT_TRUE(seal_model(scratch / "net", scratch / "sealed", {.key = vendor, .check = key}).ok());
    std::filesystem::create_hard_link(scratch / "sealed" / "b.txt", scratch / "elsewhere");
    const auto report = check(scratch / "sealed");
    EXPECT_EQ(report.verdict, Verdict::intact);
    ASSERT_EQ(report.warnings.size(), 1u);
    EXPECT_THAT(report.warnings[0], HasSubstr("hard links"));
}

}  // namespace
}  // namespace modelseal
