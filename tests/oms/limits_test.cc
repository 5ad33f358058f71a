// Files that are given beside a model, signatures, keys, certificates and trusted roots, are bounded in size
// and depth, and refused with a word about what is wrong when they are not what they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "oms/trusted_root.h"
#include "tests/oms/signing.h"
#include "tests/support/pki/signing_certificates.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Limits : public test::Signing {
  protected:
    Limits() { must_sign(); }

    // Of verifying with what was changed.
    std::string said() {
        const auto finding = verify_model(model, verify);
        if (finding.ok()) return finding->detail;
        EXPECT_NE(finding.error().kind, ErrorKind::internal);
        return finding.error().message;
    }
    std::string sparse(const char* name, std::uintmax_t bytes) {
        const auto path = scratch.write(name, "");
        fs::resize_file(path, bytes);
        return path.string();
    }
};

TEST_F(Limits, OfSizeHoldForEveryFile) {
    const auto good = verify;
    struct rusage before {};
    ::getrusage(RUSAGE_SELF, &before);
    verify.signature = sparse("huge.sig", 65u << 20);
    EXPECT_THAT(said(), HasSubstr("huge.sig: larger than the limit of 67,108,864 bytes"));
    struct rusage after {};
    ::getrusage(RUSAGE_SELF, &after);
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10) << "KiB: it was read before it was refused";
    verify = good;
    EXPECT_THAT(load_public_key(sparse("huge.pub", 1u << 20)).error().message,
                HasSubstr("huge.pub: larger than the limit of"));
    verify.public_keys.clear();
    const auto root = test::certify({.name = "root", .authority = true});
    const auto leaf = test::certify({.name = "leaf"}, &root);
    sign.key = test::signing_key(leaf.key);
    sign.certificate = scratch.write("leaf.pem", leaf.pem).string();
    must_sign();
    verify.anchors = {sparse("huge.pem", 2u << 20)};
    EXPECT_THAT(said(), HasSubstr("huge.pem: larger than the limit of"));
    sign.certificate = verify.anchors[0];
    EXPECT_THAT(sign_model(model, sign).error().message, HasSubstr("huge.pem: larger than the limit of"));
    EXPECT_THAT(oms::load_trusted_root(sparse("root.json", 5u << 20)).error().message,
                HasSubstr("root.json: larger than the limit of"));
    verify.anchors = {scratch.write("root.pem", root.pem).string()};
    EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
}

TEST_F(Limits, OfDepthAndNumberHoldInJson) {
    const auto text = test::content_of(sign.signature);
    for (const char* open : {"[", "{\"a\":"}) {
        std::string deep;
        for (int i = 0; i < 100'000; ++i) deep += open;
        scratch.write("model.sig", deep);
        EXPECT_THAT(said(), HasSubstr("nested too deeply"));
        scratch.write("model.sig", text.substr(0, text.size() - 1) + ",\"x\":" + deep);
        EXPECT_THAT(said(), HasSubstr("nested too deeply"));
    }
    std::string many = "{\"x\":[";
    for (int i = 0; i < 1'100'000; ++i) many += "0,";
    scratch.write("model.sig", many + "0]}");
    EXPECT_THAT(said(), HasSubstr("more than 1,048,576 values"));
    auto bundle = nlohmann::json::parse(text);
    auto& material = bundle["verificationMaterial"];
    material.erase("publicKey");
    for (int i = 0; i < 33; ++i) {
        material["x509CertificateChain"]["certificates"].push_back({{"rawBytes", "AAAA"}});
    }
    scratch.write("model.sig", bundle.dump());
    EXPECT_THAT(said(), HasSubstr("'certificates' has 33 entries, the limit is 32"));
}

TEST_F(Limits, OfKeysAndCertificatesHold) {
    const auto root = test::certify({.name = "root", .authority = true});
    const auto leaf = test::certify({.name = "leaf"}, &root);
    struct LimitRow {
        const char* name;
        std::string text;
        const char* message;
    };
    const std::string begin = "-----BEGIN CERTIFICATE-----\n", end = "-----END CERTIFICATE-----\n";
    const LimitRow rows[] = {
        {"empty", "", ": the file is empty; a certificate is needed"},
        {"text", "hello", ": not a certificate"},
        {"cut", root.pem.substr(0, root.pem.size() / 2), "invalid PEM"},
        {"other letters", begin + "!!!!\n" + end, "invalid PEM"},
        {"no DER", begin + "AAAA\n" + end, ": invalid certificate:"},
        {"of a key", leaf.key, ": contains a PEM block 'PRIVATE KEY'; certificates are needed"},
        {"key behind it", root.pem + leaf.key, ": contains a PEM block 'PRIVATE KEY'; certificates are needed"},
        {"second cut", root.pem + root.pem.substr(0, 100), "invalid PEM"},
    };
    sign.key = test::signing_key(leaf.key);
    sign.certificate = scratch.write("leaf.pem", leaf.pem).string();
    must_sign();
    verify.public_keys.clear();
    for (const auto& row : rows) {
        verify.anchors = {scratch.write("root.pem", row.text).string()};
        EXPECT_THAT(said(), HasSubstr(row.message)) << row.name;
    }
    verify.anchors = {scratch.write("root.pem", "a note\n" + root.pem).string()};
    EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
    verify.anchors = {(scratch / "none.pem").string()};
    EXPECT_THAT(said(), HasSubstr("none.pem: cannot open: not found"));
    verify.anchors = {scratch.path().string()};
    EXPECT_THAT(said(), HasSubstr("directory"));
    verify.signature = scratch.path();
    EXPECT_THAT(said(), HasSubstr("directory"));
}

}  // namespace
}  // namespace modelseal
