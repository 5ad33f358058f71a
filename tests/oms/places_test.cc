// Nothing in a signature with a certificate, or a keyless one, may be another: each place of it is removed, of
// another type, or another by a letter. What an edit leaves as it was, in meaning, is listed as harmless.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/oms/data.h"
#include "tests/support/json_edits.h"
#include "tests/support/pki/keyless.h"
#include "tests/support/pki/signing_certificates.h"
#include "util/encodings.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

using nlohmann::json;
using test::Sigstore;

class Places : public testing::Test {
  protected:
    Places() {
        scratch.write("model/a", "aaaa");
        options.signature = scratch / "model.sig";
    }

    bool accepted(const json& bundle) {
        ++rows;
        scratch.write("model.sig", bundle.dump(-1, ' ', false, json::error_handler_t::ignore));
        const auto finding = verify_model(scratch / "model", options);
        if (!finding.ok()) {
            EXPECT_NE(finding.error().kind, ErrorKind::internal) << finding.error().message;
            EXPECT_NE(finding.error().kind, ErrorKind::usage) << finding.error().message;
        }
        return finding.ok() && finding->outcome == SignatureFinding::Outcome::valid;
    }

    // What edits of the bundle pass. The text of a timestamp has several spellings (BER) for the same meaning:
    // its letters are left to the test below.
    std::set<std::string> passed(const json& bundle) {
        EXPECT_TRUE(accepted(bundle));
        std::set<std::string> out;
        const auto visit = [&](const std::string& what, const json& edited) {
            if (what.find("signedTimestamp at") != what.npos) return;
            if (accepted(edited)) out.insert(what);
        };
        test::for_each_edit(bundle, visit);
        test::for_each_unknown_key(bundle, visit);
        test::for_each_letter(bundle, 24, visit);
        RecordProperty("rows", static_cast<int>(rows));
        return out;
    }

    oms::Bytes payload() {
        const auto key = SigningKey::generate(KeyType::p256);
        EXPECT_TRUE(sign_model(scratch / "model", {.key = key, .signature = options.signature}).ok());
        return oms::parse_bundle(test::content_of(options.signature), "s").value().payload;
    }

    void trust(const json& root) {
        options.trusted_root = scratch.write("root.json", root.dump()).string();
        options.identity = test::kIdentity;
        options.issuer = test::kIssuer;
    }

    test::Scratch scratch;
    SignatureCheck options;
    std::size_t rows = 0;
};

TEST_F(Places, OfAKeylessSignatureInRekor1AllMatter) {
    const auto made = Sigstore::shared().sign(payload(), Sigstore::good(1));
    trust(made.root);
    EXPECT_THAT(passed(made.bundle), testing::IsEmpty());
    EXPECT_GE(rows, 400u);
}

TEST_F(Places, OfAKeylessSignatureInRekor2AllMatter) {
    const auto made = Sigstore::shared().sign(payload(), Sigstore::good(2));
    trust(made.root);
    EXPECT_THAT(passed(made.bundle), testing::IsEmpty());
    EXPECT_GE(rows, 400u);
}

TEST_F(Places, OfASignatureWithACertificateAllMatter) {
    const auto root = test::certify({.name = "root", .authority = true});
    const auto leaf = test::certify({.name = "leaf"}, &root);
    options.anchors = {scratch.write("root.pem", root.pem).string()};
    const SignOptions sign{.key = test::signing_key(leaf.key),
                           .certificate = scratch.write("leaf.pem", leaf.pem).string(),
                           .signature = options.signature};
    ASSERT_TRUE(sign_model(scratch / "model", sign).ok());
    const auto bundle = json::parse(test::content_of(options.signature));
    const std::string id = "/dsseEnvelope/signatures/0/keyid";
    EXPECT_THAT(passed(bundle), testing::UnorderedElementsAre(id + " removed", id + " null", id + " text",
                                                              "/verificationMaterial/tlogEntries removed"));
    EXPECT_GE(rows, 150u);
}

TEST_F(Places, OfATimestampAllThatIsSignedMatters) {
    const auto made = Sigstore::shared().sign(payload(), Sigstore::good(2));
    trust(made.root);
    const test::Pointer place(
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp");
    const auto der = util::from_base64(made.bundle[place].get<std::string>()).value();
    const auto refused_from = [&](std::size_t begin, std::size_t count) {
        for (auto at = begin; at < begin + count; ++at) {
            auto flipped = der;
            flipped[at] ^= std::byte{1};
            auto edited = made.bundle;
            edited[place] = util::base64(flipped);
            EXPECT_FALSE(accepted(edited)) << at;
        }
    };
    // TSTInfo: the octets behind the object identifier that announces them (id-ct-TSTInfo), whose length is one
    // byte each.
    const auto oid = test::bytes_of("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x04");
    const auto found = std::search(der.begin(), der.end(), oid.begin(), oid.end());
    ASSERT_NE(found, der.end());
    const auto info = static_cast<std::size_t>(found - der.begin()) + oid.size() + 4;
    refused_from(info, std::to_integer<std::size_t>(der[info - 1]));
    refused_from(der.size() - 64, 64);  // of the signature
}

}  // namespace
}  // namespace modelseal
