// inspect shows signatures of every method, and warns that nothing of them was verified.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/inspection.h"
#include "tests/oms/signing.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/pki/keyless.h"
#include "tests/support/pki/signing_certificates.h"

namespace modelseal {
namespace {

using nlohmann::json;
using report::to_json;
using report::to_text;
using testing::HasSubstr;

class InspectSignature : public test::Signing {
  protected:
    json found() {
        const auto inspection = inspect(sign.signature);
        EXPECT_TRUE(inspection.ok()) << inspection.error().message;
        text = to_text(*inspection, {});
        EXPECT_THAT(text, HasSubstr("none of this was verified"));
        return json::parse(to_json(*inspection));
    }
    std::string text;
};

TEST_F(InspectSignature, ShowsTheKeyAndTheFiles) {
    scratch.write("model/net.safetensors", test::safetensors({{"alpha", 10}, {"beta", 20}}));
    sign.seal_root = "ab";
    sign.fingerprint = "cd";
    const auto summary = must_sign();
    const auto out = found();
    EXPECT_EQ(out["kind"], "signature");
    EXPECT_EQ(out["method"], "key");
    EXPECT_EQ(out["key_id"], summary.signer);
    EXPECT_FALSE(out.contains("key_hint"));
    EXPECT_EQ(out["root"], summary.root);
    EXPECT_EQ(out["model"], "model");
    EXPECT_EQ(out["hash"], "sha256");
    EXPECT_EQ(out["serialization"], "files");
    EXPECT_EQ(out["seal_root"], "ab");
    EXPECT_EQ(out["fingerprint"], "cd");
    EXPECT_EQ(out["file_count"], 4);
    EXPECT_EQ(out["ignore_paths"].size(), 4u);
    ASSERT_EQ(out["signed_files"].size(), 4u);
    EXPECT_EQ(out["signed_files"][2]["name"], "net.safetensors");
    EXPECT_EQ(out["signed_files"][2]["tensors"], 2);
    EXPECT_EQ(out["signed_files"][0], (json{{"name", "config.json"},
                                            {"digest",
                                             "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61"
                                             "caaff8a"}}));
    EXPECT_THAT(text, HasSubstr("config.json      44136fa355b3678a"));
}

TEST_F(InspectSignature, ShowsShards) {
    sign.shard_size = 60'000;
    must_sign();
    const auto out = found();
    EXPECT_EQ(out["shard_size"], 60'000);
    EXPECT_EQ(out["file_count"], 2);
    EXPECT_EQ(out["signed_files"][1], (json{{"name", "sub/weights.bin"}, {"shards", 2}}));
    EXPECT_THAT(text, HasSubstr("of each shard"));
}

TEST_F(InspectSignature, ShowsTheCertificate) {
    const auto root = test::certify({.name = "root", .authority = true});
    const auto leaf = test::certify({.name = "leaf"}, &root);
    sign.key = test::signing_key(leaf.key);
    sign.certificate = scratch.write("leaf.pem", leaf.pem).string();
    must_sign();
    const auto out = found();
    EXPECT_EQ(out["method"], "certificate");
    EXPECT_EQ(out["key_id"], to_hex(sign.key.public_key().id()));
    EXPECT_EQ(out["subject"], "CN=leaf");
    EXPECT_EQ(out["issuer"], "CN=root");
    EXPECT_EQ(out["not_after"].get<std::string>().size(), 20u);
    EXPECT_LT(out["not_before"], out["not_after"]);
}

TEST_F(InspectSignature, ShowsIdentityTimeAndLog) {
    must_sign();
    for (const int rekor : {1, 2}) {
        auto recipe = test::Sigstore::good(rekor);
        recipe.stamps = {{}};
        scratch.write("model.sig", test::Sigstore::shared().sign(bundle().payload, recipe).bundle.dump());
        const auto out = found();
        EXPECT_EQ(out["method"], "sigstore");
        EXPECT_EQ(out["identity"], test::kIdentity);
        EXPECT_EQ(out["identity_issuer"], test::kIssuer);
        ASSERT_EQ(out["timestamps"].size(), 1u);
        EXPECT_GT(out["timestamps"][0], out["not_before"]);
        EXPECT_LT(out["timestamps"][0], out["not_after"]);
        EXPECT_EQ(out["log_entries"][0]["index"], rekor == 1 ? 1006 : 6);
        EXPECT_EQ(out["log_entries"][0].contains("time"), rekor == 1);
    }
}

TEST_F(InspectSignature, OfAForgerIsShownAndNotVerified) {
    must_sign();
    auto forged = json::parse(test::content_of(sign.signature));
    forged["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA";
    scratch.write("model.sig", forged.dump());
    EXPECT_EQ(found()["file_count"], 3);
    forged["dsseEnvelope"]["payload"] = "AAAA";
    scratch.write("model.sig", forged.dump());
    const auto inspection = inspect(sign.signature).value();
    ASSERT_EQ(inspection.warnings.size(), 1u);
    EXPECT_THAT(inspection.warnings[0], HasSubstr("cannot be verified: "));
}

}  // namespace
}  // namespace modelseal
