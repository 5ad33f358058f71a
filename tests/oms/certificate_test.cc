// Signatures with a certificate: the chain must lead to an authority that is trusted, now, or at the time that
// a trusted timestamp says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/x509/certificates.h"
#include "tests/oms/data.h"
#include "tests/support/pki/signing_certificates.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

using test::CertifiedKey;
using test::certify;
using testing::HasSubstr;
using Outcome = SignatureFinding::Outcome;

class Certified : public testing::Test {
  protected:
    Certified() {
        scratch.write("model/a", "aaaa");
        sign.signature = verify.signature = scratch / "model.sig";
        verify.anchors = {file("root.pem", root.pem)};
        sign.chain = {file("between.pem", between.pem)};
    }

    std::string file(const std::string& name, const std::string& text) {
        return scratch.write(name, text).string();
    }

    void use(const CertifiedKey& leaf) {
        sign.key = test::signing_key(leaf.key);
        sign.certificate = file("leaf.pem", leaf.pem);
    }
    CertifiedKey leaf(const test::CertificateRequest& request) { return certify(request, &between); }

    // Empty if the signature is valid.
    std::string refused() {
        const auto finding = verify_model(scratch / "model", verify);
        if (!finding.ok()) return finding.error().message;
        signer = finding->signer;
        timestamp = finding->timestamp;
        return finding->outcome == Outcome::valid ? "" : finding->detail;
    }
    std::string not_signed() {
        const auto summary = sign_model(scratch / "model", sign);
        return summary.ok() ? "" : summary.error().message;
    }

    // A certificate that was good when it signed and is not any more: the signature of one that is, under it.
    void sign_with_expired(const test::CertificateRequest& request, long stamped_days_ago,
                           const CertifiedKey& authority, const char* digest = "SHA256") {
        auto expired = request;
        const auto old = leaf(expired);
        auto bundle = signed_by(old);
        bundle.timestamps = {test::timestamp(authority, bundle.signature, -stamped_days_ago, digest)};
        scratch.write("model.sig", oms::write_bundle(bundle));
    }

    // As sign_model() makes it, but with any certificate.
    oms::Bundle signed_by(const CertifiedKey& leaf_key) {
        auto plain = sign;
        plain.key = test::signing_key(leaf_key.key);
        plain.certificate.clear();
        plain.chain.clear();
        EXPECT_TRUE(sign_model(scratch / "model", plain).ok());
        auto bundle = oms::parse_bundle(test::content_of(sign.signature), "s").value();
        bundle.method = oms::Bundle::Method::certificate;
        bundle.hint.clear();
        for (const auto& pem : {leaf_key.pem, between.pem}) {
            bundle.certificates.push_back(crypto::Certificate::of_pem(pem, "c").value().front().der());
        }
        return bundle;
    }
    void write_signed_by(const CertifiedKey& leaf_key) {
        scratch.write("model.sig", oms::write_bundle(signed_by(leaf_key)));
    }

    test::Scratch scratch;
    CertifiedKey root = certify({.name = "root", .authority = true, .from_days = -5000, .to_days = 5000});
    CertifiedKey between =
        certify({.name = "between", .authority = true, .from_days = -4000, .to_days = 4000}, &root);
    SignOptions sign{.key = SigningKey::generate(KeyType::p256)};
    SignatureCheck verify;
    std::string signer, timestamp;
};

TEST_F(Certified, SignatureVerifiesUnderItsAuthority) {
    for (const char* curve : {"P-256", "P-384", "P-521"}) {
        use(leaf({.name = "signer of models", .curve = curve}));
        ASSERT_EQ(not_signed(), "");
        EXPECT_EQ(refused(), "");
        EXPECT_EQ(signer, "CN=signer of models");
        EXPECT_EQ(timestamp, "");
    }
}

TEST_F(Certified, SignatureDoesNotVerifyUnderAnother) {
    use(leaf({.name = "a"}));
    ASSERT_EQ(not_signed(), "");
    const auto other = certify({.name = "root", .authority = true});
    verify.anchors = {file("other.pem", other.pem)};
    EXPECT_THAT(refused(), HasSubstr("its certificate is not valid at"));
    verify.anchors = {file("leaf2.pem", test::content_of(sign.certificate))};
    EXPECT_THAT(refused(), HasSubstr("its certificate is not valid at"));
    verify.anchors = {file("root2.pem", root.pem)};
    EXPECT_EQ(refused(), "");
}

// Its own issuer does not matter then, and is not asked for.
TEST_F(Certified, SignatureVerifiesUnderAnIntermediateAuthorityAlone) {
    use(leaf({.name = "a"}));
    verify.anchors = {file("between2.pem", between.pem)};
    for (const bool with_chain : {true, false}) {
        if (!with_chain) sign.chain.clear();
        ASSERT_EQ(not_signed(), "");
        EXPECT_EQ(refused(), "");
    }
    const auto other = certify({.name = "between", .authority = true}, &root);
    verify.anchors = {file("between3.pem", other.pem)};
    EXPECT_THAT(refused(), HasSubstr("its certificate is not valid at"));
    const auto limited =
        certify({.name = "below", .authority = true, .authority_extended_usage = "serverAuth"}, &root);
    use(certify({.name = "b"}, &limited));
    ASSERT_EQ(not_signed(), "");
    verify.anchors = {file("below.pem", limited.pem)};
    EXPECT_THAT(refused(), HasSubstr("does not include code signing"));
}

TEST_F(Certified, SignatureNeedsTheWholeChain) {
    use(leaf({.name = "a"}));
    sign.chain.clear();
    ASSERT_EQ(not_signed(), "");
    EXPECT_THAT(refused(), HasSubstr("unable to get local issuer"));
    verify.anchors.push_back(file("between3.pem", between.pem));
    EXPECT_EQ(refused(), "");
}

TEST_F(Certified, NoAuthorityMayBeMeantForSomethingElse) {
    const auto authority = [](const char* name, const char* usage, const CertifiedKey* issuer) {
        return certify({.name = name, .authority = true, .authority_extended_usage = usage}, issuer);
    };
    for (const auto& [usage, good] : std::vector<std::pair<const char*, bool>>{{"", true},
                                                                               {"codeSigning", true},
                                                                               {"serverAuth,codeSigning", true},
                                                                               {"anyExtendedKeyUsage", true},
                                                                               {"serverAuth", false},
                                                                               {"timeStamping", false}}) {
        SCOPED_TRACE(usage);
        for (const bool at_the_root : {true, false}) {
            const auto top = authority("top", at_the_root ? usage : "", nullptr);
            const auto below = authority("below", at_the_root ? "" : usage, &top);
            verify.anchors = {file("top.pem", top.pem)};
            sign.chain = {file("below.pem", below.pem)};
            use(certify({.name = "signer"}, &below));
            ASSERT_EQ(not_signed(), "");
            const auto why = refused();
            EXPECT_EQ(why.empty(), good) << why;
            EXPECT_THAT(why, HasSubstr(good ? "" : "does not include code signing"));
        }
    }
}

TEST_F(Certified, SubjectCanBeDemanded) {
    use(leaf({.name = "signer of models"}));
    ASSERT_EQ(not_signed(), "");
    verify.subject = "CN=signer of models";
    EXPECT_EQ(refused(), "");
    for (const char* other :
         {"signer of models", "CN=signer", "CN=signer of models,O=a", "cn=signer of models"}) {
        verify.subject = other;
        EXPECT_THAT(refused(), HasSubstr("signed by 'CN=signer of models', expected '"));
    }
    verify.anchors.clear();
    verify.public_keys = {sign.key.public_key()};
    EXPECT_EQ(verify_model(scratch / "model", verify).error().kind, ErrorKind::usage);
}

TEST_F(Certified, LeafMustBeMeantForSigning) {
    struct Row {
        const char *usage, *extended, *why;
    };
    for (const auto& row : {Row{"", "", "the certificate does not permit signing"},
                            Row{"keyEncipherment", "codeSigning",
                                "the certificate's key usage does not include digital signatures"},
                            Row{"digitalSignature", "serverAuth", "does not include code signing"},
                            Row{"", "emailProtection", "does not include code signing"}}) {
        const auto bad = leaf({.name = "a", .usage = row.usage, .extended_usage = row.extended});
        use(bad);
        EXPECT_THAT(not_signed(), HasSubstr(row.why));
        write_signed_by(bad);
        EXPECT_THAT(refused(), HasSubstr(row.why));
    }
    for (const auto& row : {Row{"digitalSignature", "", ""}, Row{"", "codeSigning", ""},
                            Row{"digitalSignature", "codeSigning,serverAuth", ""}}) {
        use(leaf({.name = "a", .usage = row.usage, .extended_usage = row.extended}));
        EXPECT_EQ(not_signed(), "");
        EXPECT_EQ(refused(), "");
    }
}

TEST_F(Certified, LeafMustBeValidNow) {
    const auto expired = leaf({.name = "a", .from_days = -10, .to_days = -1});
    use(expired);
    EXPECT_THAT(not_signed(), HasSubstr("has expired"));
    write_signed_by(expired);
    EXPECT_THAT(refused(), HasSubstr("certificate has expired"));
    const auto early = leaf({.name = "a", .from_days = 1, .to_days = 10});
    use(early);
    EXPECT_THAT(not_signed(), HasSubstr("not valid yet"));
    write_signed_by(early);
    EXPECT_THAT(refused(), HasSubstr("not yet valid"));
}

TEST_F(Certified, OtherKeysAreRefused) {
    use(leaf({.name = "a"}));
    sign.key = test::signing_key(leaf({.name = "b"}).key);
    EXPECT_THAT(not_signed(), HasSubstr("the certificate is for key"));
    auto bundle = signed_by(leaf({.name = "a"}));
    bundle.certificates[0] = crypto::Certificate::of_pem(leaf({.name = "a"}).pem, "c").value().front().der();
    scratch.write("model.sig", oms::write_bundle(bundle));
    EXPECT_THAT(refused(), HasSubstr(": forged, damaged, or made with another key"));
    bundle.certificates[0] =
        crypto::Certificate::of_pem(certify({.name = "a", .curve = "RSA"}, &between).pem, "c")
            .value()
            .front()
            .der();
    scratch.write("model.sig", oms::write_bundle(bundle));
    EXPECT_THAT(refused(), HasSubstr("a key of type RSA"));
    bundle.certificates[0].push_back(std::byte{0});
    scratch.write("model.sig", oms::write_bundle(bundle));
    EXPECT_THAT(refused(), HasSubstr(": invalid certificate:"));
}

class Stamped : public Certified {
  protected:
    static constexpr const char* kUsage = "critical,timeStamping";
    CertifiedKey tsa_root =
        certify({.name = "time root", .authority = true, .from_days = -5000, .to_days = 5000});
    CertifiedKey tsa =
        certify({.name = "time", .from_days = -3000, .to_days = 3000, .extended_usage = kUsage}, &tsa_root);
    const test::CertificateRequest expired = {.name = "a", .from_days = -100, .to_days = -50};
    void trust_time() { verify.timestamp_anchors = {file("tsa.pem", tsa_root.pem)}; }
};

TEST_F(Stamped, SignatureOutlivesItsCertificate) {
    sign_with_expired(expired, 70, tsa);
    EXPECT_THAT(refused(), HasSubstr("has expired"));  // nobody vouches for the timestamp
    trust_time();
    EXPECT_EQ(refused(), "");
    EXPECT_EQ(timestamp.size(), 20u);
}

TEST_F(Stamped, SignatureMustHaveBeenMadeWhileItsCertificateWasValid) {
    trust_time();
    sign_with_expired(expired, 20, tsa);
    EXPECT_THAT(refused(), HasSubstr("has expired"));
    sign_with_expired(expired, 200, tsa);
    EXPECT_THAT(refused(), HasSubstr("not yet valid"));
}

TEST_F(Stamped, NoAuthorityOfTheTimestampMayBeMeantForSomethingElse) {
    for (const auto& [usage, good] :
         std::vector<std::pair<const char*, bool>>{{"timeStamping", true}, {"codeSigning", false}}) {
        const auto middle = certify({.name = "time middle",
                                     .authority = true,
                                     .from_days = -4000,
                                     .to_days = 4000,
                                     .authority_extended_usage = usage},
                                    &tsa_root);
        const auto below =
            certify({.name = "time", .from_days = -3000, .to_days = 3000, .extended_usage = kUsage}, &middle);
        sign_with_expired(expired, 70, below);
        verify.timestamp_anchors = {file("tsa.pem", tsa_root.pem), file("middle.pem", middle.pem)};
        EXPECT_EQ(refused().empty(), good) << usage;
    }
}

TEST_F(Stamped, TimestampMustBeOfATrustedAuthority) {
    trust_time();
    const auto other_root =
        certify({.name = "time root", .authority = true, .from_days = -5000, .to_days = 5000});
    sign_with_expired(
        expired, 70,
        certify({.name = "time", .from_days = -3000, .to_days = 3000, .extended_usage = kUsage}, &other_root));
    EXPECT_THAT(refused(), HasSubstr(": its timestamp is not valid:"));
    sign_with_expired(
        expired, 70,
        certify({.name = "time", .from_days = -60, .to_days = 60, .extended_usage = kUsage}, &tsa_root));
    EXPECT_THAT(refused(), HasSubstr(": its timestamp is not valid:"));
    // One authority's certificates do not speak for the other.
    verify.timestamp_anchors = verify.anchors;
    sign_with_expired(expired, 70, tsa);
    EXPECT_THAT(refused(), HasSubstr(": its timestamp is not valid:"));
}

TEST_F(Stamped, TimestampMustBeOfThisSignatureAndComplete) {
    trust_time();
    auto bundle = signed_by(leaf(expired));
    const auto good = test::timestamp(tsa, bundle.signature, -70);
    const auto outcome = [&](const oms::Bytes& stamp) {
        bundle.timestamps = {stamp};
        scratch.write("model.sig", oms::write_bundle(bundle));
        return refused();
    };
    EXPECT_EQ(outcome(good), "");
    EXPECT_THAT(outcome(test::timestamp(tsa, bundle.payload, -70)), HasSubstr(": its timestamp is not valid:"));
    EXPECT_THAT(outcome(test::timestamp(tsa, bundle.signature, -70, "SHA1")),
                HasSubstr("its digest is too weak"));
    auto longer = good;
    longer.push_back(std::byte{0});
    EXPECT_THAT(outcome(longer), HasSubstr("it is malformed"));
    EXPECT_THAT(outcome({good.begin(), good.end() - 1}), HasSubstr("it is malformed"));
    for (std::size_t i = good.size() - 60; i < good.size(); i += 7) {
        auto flipped = good;
        flipped[i] ^= std::byte{1};
        EXPECT_NE(outcome(flipped), "") << i;
    }
    bundle.timestamps = {test::bytes_of("x"), good};  // one that holds is enough
    scratch.write("model.sig", oms::write_bundle(bundle));
    EXPECT_EQ(refused(), "");
}

}  // namespace
}  // namespace modelseal
