// Keyless signatures of the reference verify offline, for one identity and issuer, until any part of what the
// log or the certificate says is another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "oms/log.h"
#include "tests/oms/data.h"
#include "tests/support/pki/merkle.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

using nlohmann::json;
using test::historical;
using testing::HasSubstr;
using Outcome = SignatureFinding::Outcome;

SignatureCheck options_for(const std::filesystem::path& folder) {
    return {.signature = folder / "model.sig",
            .trusted_root = (test::oms_folder() / "trusted_root.json").string(),
            .identity = "stefanb@us.ibm.com",
            .issuer = "https://sigstore.verify.ibm.com/oauth2",
            .ignore = {folder / "ignore-me", folder / "model.sig"}};
}

// Empty if it is valid.
std::string refused(const std::filesystem::path& folder, const SignatureCheck& options) {
    const auto finding = verify_model(folder, options);
    if (!finding.ok()) return finding.error().message;
    return finding->outcome == Outcome::valid ? "" : finding->detail;
}

class KeylessRelease : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override { MODELSEAL_NEED_DATA(); }
    std::filesystem::path folder = historical(std::string(GetParam()) + "-sigstore");
};
INSTANTIATE_TEST_SUITE_P(All, KeylessRelease, testing::Values("v0.3.1", "v1.0.0", "v1.0.1", "v1.1.0"),
                         [](const auto& row) {
                             std::string name = row.param;
                             std::ranges::replace(name, '.', '_');
                             return name;
                         });

TEST_P(KeylessRelease, VerifiesForItsIdentity) {
    EXPECT_EQ(refused(folder, options_for(folder)), "");
    const auto finding = verify_model(folder, options_for(folder)).value();
    EXPECT_EQ(finding.method, "sigstore");
    EXPECT_EQ(finding.signer, "stefanb@us.ibm.com");
    EXPECT_THAT(finding.timestamp, testing::StartsWith("2025-"));
}

TEST_P(KeylessRelease, DoesNotVerifyForAnotherIdentity) {
    auto options = options_for(folder);
    options.identity = "stefanb@us.ibm.co";
    EXPECT_THAT(refused(folder, options), HasSubstr("signed by 'stefanb@us.ibm.com', expected"));
    options = options_for(folder);
    options.issuer = "https://accounts.google.com";
    EXPECT_THAT(refused(folder, options), HasSubstr("the identity was authenticated by '"));
    options.issuer.clear();
    EXPECT_EQ(verify_model(folder, options).error().kind, ErrorKind::usage);
    options = options_for(folder);
    options.public_keys = {test::oms_public_key()};
    EXPECT_EQ(verify_model(folder, options).error().kind, ErrorKind::usage);
    options.trusted_root.clear();
    EXPECT_THAT(refused(folder, options), HasSubstr("signed with an identity"));
}

// Text in hexadecimal or base64 stays what it is, with another digit in it.
std::string another(std::string text, std::size_t at) {
    text[at] = text[at] == '1' ? '2' : '1';
    return text;
}

TEST_P(KeylessRelease, DoesNotVerifyWithAnyFieldOfTheLogChanged) {
    const auto bundle = json::parse(test::content_of(folder / "model.sig"));
    const test::Scratch scratch;
    auto options = options_for(folder);
    options.signature = scratch / "model.sig";
    const auto material = bundle["verificationMaterial"].flatten();
    std::size_t rows = 0;
    for (const auto& [place, value] : material.items()) {
        if (!value.is_string()) continue;
        const auto good = value.get<std::string>();
        for (const auto at : {good.size() / 2, good.size() - good.size() / 8 - 1}) {
            // In the middle of a timestamp is a copy of its authority's certificate, which nobody uses.
            if (place.ends_with("signedTimestamp") && at == good.size() / 2) continue;
            auto edited = bundle;
            edited["verificationMaterial"][json::json_pointer(place)] = another(good, at);
            scratch.write("model.sig", edited.dump());
            EXPECT_NE(refused(folder, options), "") << place << " at " << at;
            ++rows;
        }
    }
    scratch.write("model.sig", bundle.dump());
    EXPECT_EQ(refused(folder, options), "");
    EXPECT_GE(rows, 40u);
}

TEST_P(KeylessRelease, NeedsProofAndTime) {
    const auto bundle = json::parse(test::content_of(folder / "model.sig"));
    const test::Scratch scratch;
    auto options = options_for(folder);
    options.signature = scratch / "model.sig";
    const auto with = [&](auto edit) {
        auto edited = bundle;
        edit(edited["verificationMaterial"]);
        scratch.write("model.sig", edited.dump());
        return refused(folder, options);
    };
    EXPECT_EQ(with([](json&) {}), "");
    EXPECT_THAT(with([](json& material) { material["tlogEntries"][0].erase("inclusionProof"); }),
                HasSubstr("proof of inclusion is not valid"));
    EXPECT_THAT(with([](json& material) {
                    material["tlogEntries"][0].erase("inclusionPromise");
                    material["tlogEntries"][0].erase("integratedTime");
                    material.erase("timestampVerificationData");
                }),
                HasSubstr("it has no trusted time of signing"));
    EXPECT_THAT(with([](json& material) { material["tlogEntries"][0]["inclusionProof"]["hashes"].erase(0); }),
                HasSubstr("proof of inclusion is not valid"));
    EXPECT_THAT(with([](json& material) { material.erase("tlogEntries"); }),
                HasSubstr("'tlogEntries' is missing"));
}

TEST_P(KeylessRelease, NeedsTheRightRoot) {
    const auto root = json::parse(test::content_of(test::oms_folder() / "trusted_root.json"));
    const test::Scratch scratch;
    auto options = options_for(folder);
    options.trusted_root = (scratch / "root.json").string();
    const auto with = [&](auto edit) {
        auto edited = root;
        edit(edited);
        scratch.write("root.json", edited.dump());
        return refused(folder, options);
    };
    EXPECT_EQ(with([](json&) {}), "");
    EXPECT_THAT(with([](json& all) { all["tlogs"].erase(0); }), HasSubstr("is not in the trusted root"));
    EXPECT_THAT(with([](json& all) { all["certificateAuthorities"].erase(1); }),
                HasSubstr("the trusted root has no authority that was in use at"));
    EXPECT_THAT(
        with([](json& all) { all["certificateAuthorities"][1]["validFor"]["end"] = "2024-01-01T00:00:00Z"; }),
        HasSubstr("the trusted root has no authority that was in use at"));
    EXPECT_THAT(with([](json& all) {
                    all["tlogs"][0]["publicKey"]["rawBytes"] = all["ctlogs"][0]["publicKey"]["rawBytes"];
                }),
                HasSubstr("the log's signature over the tree of its proof is not valid"));
    EXPECT_THAT(with([](json& all) { all["mediaType"] = "x"; }), HasSubstr("'mediaType'"));
}

TEST(InclusionProof, OfATreeOfAnySizeHolds) {
    std::vector<test::Leaf> leaves;
    for (std::size_t size = 1; size <= 20; ++size) {
        leaves.push_back({static_cast<std::byte>(size - 1)});
        for (std::size_t leaf = 0; leaf < size; ++leaf) {
            oms::LogEntry entry{.proven = true, .body = {static_cast<std::byte>(leaf)}};
            entry.proof.index = leaf;
            entry.proof.tree_size = size;
            entry.proof.root = test::merkle_root(leaves);
            entry.proof.hashes = test::merkle_path(leaves, leaf);
            EXPECT_TRUE(oms::in_tree(entry)) << leaf << " of " << size;
            entry.body[0] ^= std::byte{64};
            EXPECT_FALSE(oms::in_tree(entry)) << leaf << " of " << size;
            entry.body[0] ^= std::byte{64};
            entry.proof.hashes.push_back(entry.proof.root);
            EXPECT_FALSE(oms::in_tree(entry)) << leaf << " of " << size;
        }
    }
}

}  // namespace
}  // namespace modelseal
