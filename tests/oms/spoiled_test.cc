// One thing is spoiled at a time, in a signature that verifies: none of the results does.
//
// The signed statement is spoiled under a good signature, by whoever has the key; everything else by whoever
// has not. Where an edit leaves a signature that says the same, it is listed as harmless, and must verify.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/oms/data.h"
#include "tests/support/json_edits.h"
#include "util/encodings.h"
#include <modelseal/oms.h>
#include <modelseal/signer.h>

namespace modelseal {
namespace {

using nlohmann::json;
using test::for_each_edit;
using test::Pointer;

class Spoiled : public testing::Test {
  protected:
    Spoiled() {
        scratch.write("model/a", "aaaa");
        scratch.write("model/b/c", "cc");
        verify.public_keys = {key.public_key()};
        verify.signature = scratch / "model.sig";
        EXPECT_TRUE(sign_model(scratch / "model", {.key = key, .signature = verify.signature}).ok());
        text = test::content_of(verify.signature);
        bundle = json::parse(text);
        statement = json::parse(test::text_of(oms::parse_bundle(text, "s").value().payload));
    }

    void TearDown() override { RecordProperty("rows", static_cast<int>(rows)); }

    // Whether a signature of this text verifies; it must never fail by a fault of ours.
    bool accepted(const std::string& signature) {
        ++rows;
        scratch.write("model.sig", signature);
        const auto finding = verify_model(scratch / "model", verify);
        if (!finding.ok()) {
            EXPECT_NE(finding.error().kind, ErrorKind::internal) << finding.error().message;
            EXPECT_NE(finding.error().kind, ErrorKind::usage) << finding.error().message;
            EXPECT_FALSE(finding.error().message.empty());
        }
        return finding.ok() && finding->outcome == SignatureFinding::Outcome::valid;
    }

    // A bundle with this statement, signed by the right key.
    std::string signed_text(const std::string& payload) {
        auto out = oms::parse_bundle(text, "s").value();
        out.payload = test::bytes_of(payload);
        out.signature = key.signer().sign_der(oms::pre_authentication_encoding(out.payload)).value();
        return oms::write_bundle(out);
    }

    test::Scratch scratch;
    SignatureCheck verify;
    const SigningKey key = SigningKey::generate(KeyType::p256);
    std::string text;
    json bundle, statement;
    std::size_t rows = 0;
};

void expect_only(const std::set<std::string>& harmless, const std::set<std::string>& accepted) {
    EXPECT_EQ(accepted, harmless);
}

TEST_F(Spoiled, BundleIsRefusedInEveryPlace) {
    std::set<std::string> passed;
    for_each_edit(bundle, [&](const std::string& what, const json& edited) {
        if (accepted(edited.dump())) passed.insert(what);
    });
    const std::string id = "/dsseEnvelope/signatures/0/keyid";
    expect_only({id + " removed", id + " null", id + " text", "/verificationMaterial/tlogEntries removed",
                 "/verificationMaterial/publicKey/hint removed", "/verificationMaterial/publicKey object"},
                passed);
    EXPECT_GE(rows, 60u);
}

TEST_F(Spoiled, StatementIsRefusedInEveryPlaceThoughItIsSigned) {
    std::set<std::string> passed;
    for_each_edit(statement, [&](const std::string& what, const json& edited) {
        if (accepted(signed_text(edited.dump()))) passed.insert(what);
    });
    const std::string ignored = "/predicate/serialization/ignore_paths";
    std::set<std::string> harmless = {"/subject/0/name text", "/predicate/serialization/allow_symlinks true",
                                      ignored + " removed", ignored + " list"};
    for (const char* i : {"/0", "/1", "/2", "/3"}) {
        harmless.insert(ignored + i + " removed");
        harmless.insert(ignored + i + " text");
    }
    expect_only(harmless, passed);
    EXPECT_GE(rows, 120u);
}

TEST_F(Spoiled, UnknownKeysAreRefusedWhereTheReferenceRefusesThem) {
    for (const char* place : {"", "/verificationMaterial", "/verificationMaterial/publicKey", "/dsseEnvelope",
                              "/dsseEnvelope/signatures/0"}) {
        auto edited = bundle;
        edited[Pointer(place)]["more"] = 1;
        EXPECT_FALSE(accepted(edited.dump())) << place;
    }
}

TEST_F(Spoiled, TextIsRefused) {
    for (std::size_t size = 0; size < text.size(); size += text.size() / 40) {
        EXPECT_FALSE(accepted(text.substr(0, size))) << size;
    }
    for (const char* before : {"//\n", "[", "x", "\xEF\xBB"}) EXPECT_FALSE(accepted(before + text)) << before;
    // A byte order mark is dropped from every text file, and is no part of what was signed.
    EXPECT_TRUE(accepted("\xEF\xBB\xBF" + text));
    for (const char* behind : {"{}", ",", "]", "x"}) EXPECT_FALSE(accepted(text + behind)) << behind;
    EXPECT_FALSE(accepted(text + std::string(1, '\0')));
    EXPECT_TRUE(accepted(bundle.dump(4) + "\n"));
}

TEST_F(Spoiled, DuplicateKeysAreRefused) {
    for (const char* key_text : {"\"mediaType\":", "\"verificationMaterial\":", "\"tlogEntries\":",
                                 "\"payload\":", "\"sig\":", "\"hint\":"}) {
        auto twice = text;
        const auto at = twice.find(key_text);
        ASSERT_NE(at, std::string::npos);
        twice.insert(at, std::string(key_text) + "\"x\",");
        EXPECT_FALSE(accepted(twice)) << key_text;
    }
    auto payload = statement.dump();
    payload.insert(payload.find("\"predicateType\""), "\"predicateType\":\"x\",");
    EXPECT_FALSE(accepted(signed_text(payload)));
}

TEST_F(Spoiled, Base64IsRefusedInAnyOtherSpelling) {
    for (const char* place : {"/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"}) {
        const auto good = bundle[Pointer(place)].get<std::string>();
        std::vector<std::string> bad = {good + "=",     good + "\n",
                                        " " + good,     good.substr(0, 20) + "\n" + good.substr(20),
                                        good + good,    good.substr(0, good.size() - 1),
                                        good.substr(4), "",
                                        "====",         good + "AAAA"};
        for (const char other : std::string("-_*\\.,~")) bad.push_back(std::string(1, other) + good.substr(1));
        for (const auto& each : bad) {
            auto edited = bundle;
            edited[Pointer(place)] = each;
            EXPECT_FALSE(accepted(edited.dump())) << place << " " << each.substr(0, 24);
        }
    }
}

TEST_F(Spoiled, SignatureIsRefusedWithAnyByteChanged) {
    const auto good = oms::parse_bundle(text, "s").value();
    for (std::size_t i = 0; i < good.signature.size(); ++i) {
        auto edited = good;
        edited.signature[i] ^= std::byte{0x10};
        EXPECT_FALSE(accepted(oms::write_bundle(edited))) << i;
    }
    for (std::size_t i = 0; i < good.payload.size(); i += 17) {
        auto edited = good;
        edited.payload[i] ^= std::byte{1};
        EXPECT_FALSE(accepted(oms::write_bundle(edited))) << i;
    }
}

// Forgeries that a careless verifier would accept.
TEST_F(Spoiled, OtherStatementsAreRefused) {
    const auto with = [&](const char* place, const json& value) {
        auto edited = statement;
        edited[Pointer(place)] = value;
        return accepted(signed_text(edited.dump()));
    };
    const std::string resource = "/predicate/resources/0";
    for (const char* name : {"../model/a", "/a", "a/", "./a", "b//c", "b/../a", "A", "a ", "a\n", "b", "b/c"}) {
        EXPECT_FALSE(with((resource + "/name").c_str(), name)) << name;
    }
    for (const char* algorithm : {"SHA256", "sha512", "sha-256", "md5", "blake2b", "sha256-sharded-8"}) {
        EXPECT_FALSE(with((resource + "/algorithm").c_str(), algorithm)) << algorithm;
    }
    for (const char* type : {"https://model_signing/signature/v1.1", "https://model_signing/signature/v1",
                             "https://model_signing/Digests/v0.1"}) {
        EXPECT_FALSE(with("/predicateType", type)) << type;
    }
    EXPECT_FALSE(with("/_type", "https://in-toto.io/Statement/v0.1"));
    EXPECT_FALSE(with("/predicate/serialization/hash_type", "blake2b"));
    EXPECT_FALSE(with("/predicate/serialization/hash_type", "blake3"));
    EXPECT_FALSE(with("/predicate/serialization/method", "shards"));
    auto swapped = statement;
    std::swap(swapped["predicate"]["resources"][0], swapped["predicate"]["resources"][1]);
    EXPECT_FALSE(accepted(signed_text(swapped.dump())));
    EXPECT_TRUE(accepted(signed_text(statement.dump())));
}

TEST_F(Spoiled, TypesOfOtherVersionsAreRefused) {
    for (const char* type : {"application/vnd.dev.sigstore.bundle+json;version=0.3",
                             "application/vnd.dev.sigstore.bundle.v0.2+json",
                             "application/vnd.dev.sigstore.bundle.v0.3+JSON", ""}) {
        auto edited = bundle;
        edited["mediaType"] = type;
        EXPECT_FALSE(accepted(edited.dump())) << type;
    }
    for (const char* type : {"application/json", "application/vnd.in-toto+json ", ""}) {
        auto edited = bundle;
        edited["dsseEnvelope"]["payloadType"] = type;
        EXPECT_FALSE(accepted(edited.dump())) << type;
    }
}

TEST_F(Spoiled, SecondSignaturesAndMaterialsAreRefused) {
    auto edited = bundle;
    auto& list = edited["dsseEnvelope"]["signatures"];
    list.push_back(list[0]);
    EXPECT_FALSE(accepted(edited.dump()));
    edited = bundle;
    edited["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA";
    EXPECT_FALSE(accepted(edited.dump()));
    edited = bundle;
    edited["verificationMaterial"]["publicKey"]["hint"] = std::string(64, 'a');
    EXPECT_FALSE(accepted(edited.dump()));
    auto upper = bundle["verificationMaterial"]["publicKey"]["hint"].get<std::string>();
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    edited["verificationMaterial"]["publicKey"]["hint"] = upper;
    EXPECT_FALSE(accepted(edited.dump()));
}

// A payload that claims to be of release 0.2.0 is believed only as that release signed it.
TEST_F(Spoiled, OldSignatureInputIsForOldStatements) {
    auto out = oms::parse_bundle(text, "s").value();
    out.signature = key.signer().sign_der(oms::encoding_of_0_2_0(out.payload)).value();
    EXPECT_FALSE(accepted(oms::write_bundle(out)));
    json old = {{"_type", "https://in-toto.io/Statement/v1"},
                {"predicateType", "https://model_signing/Digests/v0.1"},
                {"predicate", json::object()}};
    for (const auto& resource : statement["predicate"]["resources"]) {
        old["subject"].push_back({{"name", resource["name"]}, {"digest", {{"sha256", resource["digest"]}}}});
    }
    out.payload = test::bytes_of(old.dump());
    out.signature = key.signer().sign_der(oms::encoding_of_0_2_0(out.payload)).value();
    EXPECT_TRUE(accepted(oms::write_bundle(out)));
    old["subject"][0]["digest"]["sha256"] = std::string(64, '0');
    out.payload = test::bytes_of(old.dump());
    EXPECT_FALSE(accepted(oms::write_bundle(out)));
}

}  // namespace
}  // namespace modelseal
