// Keyless signatures of a test's own Sigstore, in the forms of Rekor 1 and Rekor 2: they verify, and with one
// thing about them spoiled they do not. What is spoiled is spoiled at its source, so that everything that
// covers it is as good as before: only the check that is meant can refuse it.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "io/rfc3339.h"
#include "oms/statement.h"
#include "tests/oms/data.h"
#include "tests/support/pki/keyless.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

using nlohmann::json;
using test::KeylessRecipe;
using test::Sigstore;
using testing::HasSubstr;
using Recipe = KeylessRecipe;

class KeylessMade : public testing::Test {
  protected:
    KeylessMade() {
        scratch.write("model/a", "aaaa");
        options = {.signature = scratch / "model.sig",
                   .trusted_root = (scratch / "root.json").string(),
                   .identity = test::kIdentity,
                   .issuer = test::kIssuer};
        oms::Statement statement{.subject = "model"};
        statement.resources = {{.name = "a"}};
        const auto digest = crypto::Sha256().update(test::bytes_of("aaaa")).finish();
        statement.resources[0].digest = {digest.begin(), digest.end()};
        statement.root = oms::root_of(statement.resources);
        payload = oms::write_statement(statement);
    }

    // Empty if it is valid.
    std::string refused(const json& bundle, const json& root) {
        scratch.write("model.sig", bundle.dump());
        scratch.write("root.json", root.dump());
        const auto finding = verify_model(scratch / "model", options);
        if (!finding.ok()) {
            EXPECT_NE(finding.error().kind, ErrorKind::internal);
            EXPECT_NE(finding.error().kind, ErrorKind::usage) << finding.error().message;
            return finding.error().message;
        }
        return finding->outcome == SignatureFinding::Outcome::valid ? "" : finding->detail;
    }
    std::string refused(const Recipe& recipe) {
        const auto made = Sigstore::shared().sign(payload, recipe);
        return refused(made.bundle, made.root);
    }

    test::Scratch scratch;
    SignatureCheck options;
    oms::Bytes payload;
};

struct Row {
    const char* name;
    std::function<void(Recipe&)> spoil;
    const char* message;
    int rekor = 0;  // 0: both
};

std::string time_at(std::int64_t offset) {
    return io::rfc3339(Sigstore::signing_time() + offset);
}

void replace(std::string& text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
}

const Row kRows[] = {
    // The certificate.
    {"CertificateOfAStranger", [](Recipe& r) { r.other_authority = true; }, "its certificate is not valid at"},
    {"CertificateNotYetValid", [](Recipe& r) { r.begin = 100; }, "not yet valid"},
    {"CertificateExpired", [](Recipe& r) { r.begin = -600, r.end = 0; }, "expired"},
    {"NoIdentity", [](Recipe& r) { r.subject.clear(); }, "signed by nobody"},
    {"OtherIdentity", [](Recipe& r) { r.subject = "email:mallory@example.com"; }, "signed by 'mallory"},
    {"LongerIdentity", [](Recipe& r) { r.subject = "email:alice@example.com.evil.example"; }, "signed by"},
    {"IdentityOfAnotherCase", [](Recipe& r) { r.subject = "email:Alice@example.com"; }, "signed by"},
    {"IdentityAsHost", [](Recipe& r) { r.subject = "DNS:alice@example.com"; }, "signed by nobody"},
    {"NoIssuer", [](Recipe& r) { r.issuer.clear(); }, "authenticated by ''"},
    {"OtherIssuer", [](Recipe& r) { r.issuer = "https://accounts.example.org"; },
     "the identity was authenticated by '"},
    {"LongerIssuer", [](Recipe& r) { r.issuer += "/"; }, "the identity was authenticated by '"},
    {"ServerCertificate", [](Recipe& r) { r.extended_usage = "serverAuth"; }, "code signing"},
    {"KeyThatMayNotSign", [](Recipe& r) { r.usage = "critical,keyEncipherment"; }, "digital signatures"},
    {"KeyOnAnotherCurve", [](Recipe& r) { r.key = "secp256k1"; }, "a key of type EC secp256k1"},
    {"KeyOfRsa", [](Recipe& r) { r.key = "RSA"; }, "a key of type RSA"},

    // Its log.
    {"NoSctExtension", [](Recipe& r) { r.sct_extension = false; },
     "no log confirms the certificate's inclusion"},
    {"NoSct", [](Recipe& r) { r.scts.clear(); }, ": the certificate's list of SCTs is invalid"},
    {"SctOfAnUnknownLog", [](Recipe& r) { r.scts[0].known_log = false; }, "is not in the trusted root"},
    {"SctByAnotherKey", [](Recipe& r) { r.scts[0].right_key = false; },
     "a log's signature over the certificate's inclusion is not valid"},
    {"SctOfAnotherCertificate", [](Recipe& r) { r.scts[0].right_certificate = false; },
     "a log's signature over the certificate's inclusion is not valid"},
    {"SctOfAnotherIssuer", [](Recipe& r) { r.scts[0].right_issuer = false; },
     "a log's signature over the certificate's inclusion is not valid"},
    {"SctOfALaterVersion", [](Recipe& r) { r.scts[0].version = 1; },
     "no log confirms the certificate's inclusion"},
    {"SctWithAnotherHash", [](Recipe& r) { r.scts[0].hash = 2; },
     ": the certificate's list of SCTs is invalid"},
    {"SctBeforeTheLogsKey", [](Recipe& r) { r.scts[0].at = -2000; },
     "the key of the certificate's log was not in use at that time"},
    {"SctWithBytesBehind", [](Recipe& r) { r.scts[0].behind = "x"; },
     ": the certificate's list of SCTs is invalid"},
    {"SecondSctByAnotherKey", [](Recipe& r) { r.scts.push_back({.right_key = false}); },
     "a log's signature over the certificate's inclusion is not valid"},
    {"SctListCut", [](Recipe& r) { r.sct_list = [](std::string& der) { der.pop_back(); }; },
     "the certificate's list of SCTs is invalid"},
    {"SctListLonger", [](Recipe& r) { r.sct_list = [](std::string& der) { der += '\0'; }; },
     "the certificate's list of SCTs is invalid"},
    {"SctListOfAnotherType", [](Recipe& r) { r.sct_list = [](std::string& der) { der[0] = 5; }; },
     "the certificate's list of SCTs is invalid"},
    {"SctListEmpty", [](Recipe& r) { r.sct_list = [](std::string& der) { der.clear(); }; },
     "the certificate's list of SCTs is invalid"},
    {"NoCertificateLogs", [](Recipe& r) { r.root = [](json& root) { root.erase("ctlogs"); }; },
     "is not in the trusted root"},
    {"CertificateLogOfAnotherKind",
     [](Recipe& r) {
         r.root = [](json& root) { root["ctlogs"][0]["publicKey"]["keyDetails"] = "PKCS1_RSA_PKCS1V5"; };
     },
     ": log keys of the kind 'PKCS1_RSA_PKCS1V5' are not supported"},

    // The logged entry.
    {"EntryOfAnotherSignature", [](Recipe& r) { r.own_signature = false; },
     "the log's entry is about another signature"},
    {"EntryOfAnotherPayload", [](Recipe& r) { r.own_payload = false; },
     "the log's entry is about another signature"},
    {"EntryOfAnotherCertificate", [](Recipe& r) { r.own_certificate = false; },
     "the log's entry is about another signature"},
    {"EntryOfAnotherKind", [](Recipe& r) { r.body = [](json& body) { body["kind"] = "hashedrekord"; }; },
     "kind 'hashedrekord'"},
    {"EntryOfAnotherVersion", [](Recipe& r) { r.body = [](json& body) { body["apiVersion"] = "0.0.3"; }; },
     "'dsse' 0.0.3"},
    {"EntryWithoutSpec", [](Recipe& r) { r.body = [](json& body) { body.erase("spec"); }; },
     "'spec' is missing"},
    {"EntryCalledAnotherKind",
     [](Recipe& r) { r.entry = [](json& entry) { entry["kindVersion"]["kind"] = "intoto"; }; },
     "'kindVersion' is not that"},
    {"EntryCalledAnotherVersion",
     [](Recipe& r) { r.entry = [](json& entry) { entry["kindVersion"]["version"] = "0.0.9"; }; },
     "'kindVersion' is not that"},
    {"EntryWithTwoSignatures",
     [](Recipe& r) {
         r.body = [](json& body) {
             auto& list = body["spec"]["signatures"];
             list.push_back(list[0]);
         };
     },
     "2 entries, 1 is needed", 1},
    {"EntryWithTwoSignatures",
     [](Recipe& r) {
         r.body = [](json& body) {
             auto& list = body["spec"]["dsseV002"]["signatures"];
             list.push_back(list[0]);
         };
     },
     "2 entries, 1 is needed", 2},
    {"EntryWithoutSignature",
     [](Recipe& r) { r.body = [](json& body) { body["spec"]["signatures"].clear(); }; },
     "0 entries, 1 is needed", 1},
    {"EntryWithAWeakHash",
     [](Recipe& r) { r.body = [](json& body) { body["spec"]["payloadHash"]["algorithm"] = "sha1"; }; },
     "not sha256", 1},
    {"EntryWithAWeakHash",
     [](Recipe& r) {
         r.body = [](json& body) { body["spec"]["dsseV002"]["payloadHash"]["algorithm"] = "SHA1"; };
     },
     "not SHA2_256", 2},

    // That it was logged.
    {"CheckpointByAnotherKey", [](Recipe& r) { r.right_log_key = false; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointOfAnotherRoot",
     [](Recipe& r) { r.note = [](std::string& note) { note[note.size() - 10] ^= 1; }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointOfAnotherSize",
     [](Recipe& r) { r.note = [](std::string& note) { replace(note, "\n13", "\n14"); }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointOfAnotherLog",
     [](Recipe& r) { r.note = [](std::string& note) { note = "other.example.com" + note.substr(15); }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointWithoutOrigin",
     [](Recipe& r) { r.note = [](std::string& note) { note = note.substr(note.find('\n')); }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointOfTwoNotes", [](Recipe& r) { r.checkpoint = [](std::string& text) { text += "\n" + text; }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointWithoutSignature",
     [](Recipe& r) { r.checkpoint = [](std::string& text) { text.resize(text.find("\n\n") + 2); }; },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointWithAnotherHint",
     [](Recipe& r) {
         r.checkpoint = [](std::string& text) {
             const auto at = text.rfind(' ') + 1;
             text[at] = text[at] == 'A' ? 'B' : 'A';
         };
     },
     "the log's signature over the tree of its proof is not valid"},
    {"CheckpointWithAnotherName",
     [](Recipe& r) { r.checkpoint = [](std::string& text) { text.replace(text.rfind("log."), 4, "lag."); }; },
     "the log's signature over the tree of its proof is not valid"},
    {"LogOfAnotherId",
     [](Recipe& r) { r.entry = [](json& entry) { entry["logId"]["keyId"] = std::string(43, 'A') + "="; }; },
     "is not in the trusted root"},
    {"LogOfTheOtherKind",
     [](Recipe& r) {
         r.root = [](json& root) { std::swap(root["tlogs"][0]["publicKey"], root["tlogs"][1]["publicKey"]); };
     },
     "the log's signature over the tree of its proof is not valid"},
    {"LogOfAnUnsupportedKind",
     [](Recipe& r) {
         r.root = [](json& root) {
             for (auto& log : root["tlogs"]) log["publicKey"]["keyDetails"] = "PKIX_RSA_PKCS1V15_4096_SHA256";
         };
     },
     ": log keys of the kind 'PKIX_RSA_PKCS1V15_4096_SHA256' are not supported"},
    {"LogWhoseKeyEnded",
     [](Recipe& r) {
         r.root = [](json& root) {
             for (auto& log : root["tlogs"]) log["publicKey"]["validFor"]["end"] = time_at(-1);
         };
     },
     "log's key was not in use"},
    {"NoProof", [](Recipe& r) { r.entry = [](json& entry) { entry.erase("inclusionProof"); }; },
     "proof of inclusion is not valid"},
    {"ProofAtAnotherPlace",
     [](Recipe& r) { r.entry = [](json& entry) { entry["inclusionProof"]["logIndex"] = "7"; }; },
     "proof of inclusion is not valid"},
    {"EntryAtAnotherPlace", [](Recipe& r) { r.entry = [](json& entry) { entry["logIndex"] = "7"; }; },
     "the log's signature over the time of inclusion is missing", 1},
    {"EntryAtAnotherPlace", [](Recipe& r) { r.entry = [](json& entry) { entry["logIndex"] = "7"; }; },
     "the index of the log's entry differs from that of its proof", 2},
    {"ProofOfASmallerTree",
     [](Recipe& r) { r.entry = [](json& entry) { entry["inclusionProof"]["treeSize"] = "7"; }; },
     "proof of inclusion is not valid"},
    {"ProofWithAHashLess",
     [](Recipe& r) { r.entry = [](json& entry) { entry["inclusionProof"]["hashes"].erase(0); }; },
     "proof of inclusion is not valid"},
    {"ProofWithAHashMore",
     [](Recipe& r) {
         r.entry = [](json& entry) {
             auto& hashes = entry["inclusionProof"]["hashes"];
             hashes.push_back(hashes[0]);
         };
     },
     "proof of inclusion is not valid"},
    {"ProofWithHashesSwapped",
     [](Recipe& r) {
         r.entry = [](json& entry) {
             std::swap(entry["inclusionProof"]["hashes"][0], entry["inclusionProof"]["hashes"][1]);
         };
     },
     "proof of inclusion is not valid"},

    // When.
    {"NoTime", [](Recipe& r) { r.promise = false, r.stamps.clear(); }, "it has no trusted time of signing"},
    {"PromiseByAnotherKey", [](Recipe& r) { r.right_promise_key = false; },
     "the log's signature over the time of inclusion is missing", 1},
    {"PromiseOfAnotherTime",
     [](Recipe& r) {
         r.entry = [](json& entry) { entry["integratedTime"] = std::to_string(Sigstore::signing_time() + 6); };
     },
     "the log's signature over the time of inclusion is missing", 1},
    {"TimeWithoutPromise",
     [](Recipe& r) {
         r.stamps = {{}};
         r.entry = [](json& entry) { entry.erase("inclusionPromise"); };
     },
     "the log's signature over its time is not valid", 1},
    {"TimeWithoutPromise",
     [](Recipe& r) {
         r.entry = [](json& entry) { entry["integratedTime"] = std::to_string(Sigstore::signing_time() + 6); };
     },
     "the log's signature over its time is not valid", 2},
    {"TimestampOfAStranger", [](Recipe& r) { r.stamps = {{.known = false}}; }, ": its timestamp is not valid:"},
    {"TimestampOfSomethingElse", [](Recipe& r) { r.stamps = {{.own_signature = false}}; },
     ": its timestamp is not valid:"},
    {"TimestampTooLate", [](Recipe& r) { r.stamps = {{.at = 600}}; }, "expired"},
    {"TimestampTooEarly", [](Recipe& r) { r.stamps = {{.at = -100}}; }, "not yet valid"},
    {"SecondTimestampTooLate",
     [](Recipe& r) {
         r.stamps = {{}, {.at = 600}};
     },
     "expired"},
    {"SecondTimestampOfAStranger",
     [](Recipe& r) {
         r.stamps = {{}, {.known = false}};
     },
     ": its timestamp is not valid:"},
    {"NoTimestampAuthority",
     [](Recipe& r) {
         r.stamps = {{}};
         r.root = [](json& root) { root.erase("timestampAuthorities"); };
     },
     "the authority of its timestamp is not in the trusted root"},
    {"TimestampAuthorityThatEnded",
     [](Recipe& r) {
         r.stamps = {{}};
         r.root = [](json& root) { root["timestampAuthorities"][0]["validFor"]["end"] = time_at(9); };
     },
     "timestamp authority was not in use"},
    {"TimeBorrowedFromAnotherAuthority",  // whose own certificates did not sign the timestamp
     [](Recipe& r) {
         r.stamps = {{}};
         r.root = [](json& root) {
             auto& list = root["timestampAuthorities"];
             list.push_back(list[0]);
             list[0]["validFor"]["end"] = time_at(9);
             list[1]["certChain"]["certificates"] = json::array();
         };
     },
     "timestamp"},
    {"AuthorityNotYetInUse",
     [](Recipe& r) {
         r.root = [](json& root) { root["certificateAuthorities"][0]["validFor"]["start"] = time_at(100); };
     },
     "the trusted root has no authority that was in use at"},
    {"AuthorityWithoutItsRoot",
     [](Recipe& r) {
         r.root = [](json& root) { root["certificateAuthorities"][0]["certChain"]["certificates"].erase(1); };
     },
     "its certificate is not valid at"},
    {"RootWithoutAStart",
     [](Recipe& r) { r.root = [](json& root) { root["tlogs"][0]["publicKey"]["validFor"].erase("start"); }; },
     "'start' is missing"},
};

TEST_F(KeylessMade, VerifiesInBothForms) {
    for (const int rekor : {1, 2}) {
        auto recipe = Sigstore::good(rekor);
        EXPECT_EQ(refused(recipe), "") << rekor;
        recipe.scts.push_back({.known_log = false});  // a log more does no harm
        recipe.scts.push_back({.extensions = "x"});
        EXPECT_EQ(refused(recipe), "") << rekor;
        recipe.stamps = {{}, {.at = 20}};
        EXPECT_EQ(refused(recipe), "") << rekor;
        for (const char* key : {"P-384", "P-521"}) {
            recipe.key = key;
            EXPECT_EQ(refused(recipe), "") << rekor << key;
        }
        recipe.subject = "URI:https://example.com/workflow@main";
        EXPECT_THAT(refused(recipe), HasSubstr("signed by"));
        options.identity = "https://example.com/workflow@main";
        EXPECT_EQ(refused(recipe), "");
        options.identity = test::kIdentity;
    }
}

// The last second of a validity belongs to it, and an authority of the same name does no harm.
TEST_F(KeylessMade, VerifiesAtTheEdges) {
    auto recipe = Sigstore::good(2);
    recipe.root = [](json& root) {
        root["timestampAuthorities"][0]["validFor"]["end"] = time_at(10);
        root["tlogs"][1]["publicKey"]["validFor"]["end"] = time_at(10);
        root["certificateAuthorities"][0]["validFor"]["end"] = time_at(10);
        root["tlogs"][0]["publicKey"]["keyDetails"] = "unheard of";  // one that is not used
        auto& list = root["certificateAuthorities"];
        list.insert(list.begin(), list[0]);
        list[0]["certChain"] = root["timestampAuthorities"][0]["certChain"];
    };
    EXPECT_EQ(refused(recipe), "");
}

TEST_F(KeylessMade, IsRefusedWithOneThingSpoiled) {
    std::size_t rows = 0;
    for (const auto& row : kRows) {
        for (const int rekor : {1, 2}) {
            if (row.rekor != 0 && row.rekor != rekor) continue;
            auto recipe = Sigstore::good(rekor);
            row.spoil(recipe);
            EXPECT_THAT(refused(recipe), HasSubstr(row.message)) << row.name << " with Rekor " << rekor;
            ++rows;
        }
    }
    EXPECT_GE(rows, 150u);
    RecordProperty("rows", static_cast<int>(rows));
}

}  // namespace
}  // namespace modelseal
