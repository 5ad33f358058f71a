// Signatures that the releases of the reference made verify, and stop to when anything is another.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/oms/data.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using test::historical;
using test::oms_key;
using test::Scratch;
using testing::HasSubstr;
using Outcome = SignatureFinding::Outcome;
using FileOutcome = SignatureFinding::FileFinding::Outcome;

// By release and method, with the options that its makers verify it with.
SignatureCheck options_for(const std::string& name, const fs::path& folder) {
    SignatureCheck options{.signature = folder / "model.sig", .ignore = {folder / "ignore-me"}};
    if (name.ends_with("elliptic-key")) {
        options.public_keys = {test::oms_public_key()};
    } else {
        options.anchors = {oms_key("ca-cert.pem")};
    }
    return options;
}

struct Copy {
    explicit Copy(const std::string& name) {
        fs::copy(historical(name), scratch / "model", fs::copy_options::recursive);
        for (const auto& file : fs::recursive_directory_iterator(scratch / "model")) {
            fs::permissions(file.path(), fs::perms::owner_all);
        }
        fs::permissions(scratch / "model", fs::perms::owner_all);
        options = options_for(name, model);
    }
    Scratch scratch;
    fs::path model = scratch / "model";
    SignatureCheck options;
};

class Release : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override { MODELSEAL_NEED_DATA(); }
};
INSTANTIATE_TEST_SUITE_P(All, Release,
                         testing::Values("v0.2.0-certificate", "v0.3.1-certificate", "v1.0.0-certificate",
                                         "v1.0.1-certificate", "v1.1.0-certificate", "v0.3.1-elliptic-key",
                                         "v1.0.0-elliptic-key", "v1.0.1-elliptic-key", "v1.1.0-elliptic-key"),
                         [](const auto& row) {
                             std::string name;
                             for (const char c : std::string(row.param)) name += c == '.' || c == '-' ? '_' : c;
                             return name;
                         });

// Two releases were given a single file, in samples whose folder holds just that.
fs::path target_of(const std::string& name, const fs::path& folder) {
    return name == "v0.3.1-elliptic-key" || name == "v1.0.0-elliptic-key" ? folder / "signme-1" : folder;
}

TEST_P(Release, Verifies) {
    const auto folder = historical(GetParam());
    const auto finding = verify_model(target_of(GetParam(), folder), options_for(GetParam(), folder));
    ASSERT_TRUE(finding.ok()) << finding.error().message;
    EXPECT_EQ(finding->outcome, Outcome::valid) << finding->detail;
    EXPECT_GE(finding->files, 1u);
    EXPECT_FALSE(finding->signer.empty());
}

TEST_P(Release, DoesNotVerifyWhenAFileChanged) {
    const Copy copy(GetParam());
    copy.scratch.write("model/signme-1", "something else");
    const auto finding = verify_model(target_of(GetParam(), copy.model), copy.options);
    ASSERT_TRUE(finding.ok()) << finding.error().message;
    EXPECT_EQ(finding->outcome, Outcome::invalid);
    ASSERT_EQ(finding->findings.size(), 1u);
    EXPECT_EQ(finding->findings[0].name, "signme-1");
    EXPECT_EQ(finding->findings[0].outcome, FileOutcome::changed);
}

TEST_P(Release, DoesNotVerifyWhenAFileWasAdded) {
    const Copy copy(GetParam());
    if (target_of(GetParam(), copy.model) != copy.model) GTEST_SKIP() << "a single file";
    copy.scratch.write("model/sub/more", "more");
    auto finding = verify_model(copy.model, copy.options).value();
    EXPECT_EQ(finding.outcome, Outcome::invalid);
    ASSERT_EQ(finding.findings.size(), 1u);
    EXPECT_EQ(finding.findings[0].name, "sub/more");
    EXPECT_EQ(finding.findings[0].outcome, FileOutcome::added);
    auto lenient = copy.options;
    lenient.ignore_unsigned_files = true;
    finding = verify_model(copy.model, lenient).value();
    EXPECT_EQ(finding.outcome, Outcome::valid);
    EXPECT_EQ(finding.unsigned_files, 1u);
}

TEST_P(Release, DoesNotVerifyWhenAFileIsMissing) {
    const Copy copy(GetParam());
    if (target_of(GetParam(), copy.model) != copy.model) GTEST_SKIP() << "a single file";
    fs::remove(copy.model / "signme-1");
    const auto finding = verify_model(copy.model, copy.options).value();
    EXPECT_EQ(finding.outcome, Outcome::invalid);
    ASSERT_EQ(finding.findings.size(), 1u);
    EXPECT_EQ(finding.findings[0].outcome, FileOutcome::missing);
}

TEST_P(Release, DoesNotVerifyUnderTheOtherMethod) {
    const auto folder = historical(GetParam());
    auto options = options_for(GetParam(), folder);
    if (options.public_keys.empty()) {
        options.anchors.clear();
        options.public_keys = {test::oms_public_key()};
    } else {
        options.public_keys.clear();
        options.anchors = {oms_key("ca-cert.pem")};
    }
    const auto finding = verify_model(target_of(GetParam(), folder), options);
    ASSERT_TRUE(finding.ok()) << finding.error().message;
    EXPECT_EQ(finding->outcome, Outcome::invalid);
    EXPECT_THAT(finding->detail, HasSubstr("signed with a"));
}

// Whoever gives it trusts it, whatever its own issuer is.
TEST(Anchors, MayBeAnIntermediateAuthority) {
    MODELSEAL_NEED_DATA();
    const auto folder = historical("v1.1.0-certificate");
    auto options = options_for("v1.1.0-certificate", folder);
    options.anchors = {oms_key("int-ca-cert.pem")};
    EXPECT_EQ(verify_model(folder, options).value().outcome, Outcome::valid);
    options.anchors = {oms_key("signing-key-cert.pem")};
    const auto finding = verify_model(folder, options).value();
    EXPECT_EQ(finding.outcome, Outcome::invalid) << "a leaf is no authority";
    EXPECT_THAT(finding.detail, HasSubstr("its certificate is not valid at"));
}

TEST(Keyless, IsNotTakenForACertificate) {
    MODELSEAL_NEED_DATA();
    const auto folder = historical("v1.1.0-sigstore");
    const auto finding = verify_model(folder, options_for("v1.1.0-certificate", folder)).value();
    EXPECT_EQ(finding.outcome, Outcome::invalid);
    EXPECT_THAT(finding.detail, HasSubstr("signed with an identity"));
}

}  // namespace
}  // namespace modelseal
