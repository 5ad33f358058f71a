// Signed models verify, under every choice of key, method and hash, and nothing else does.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "crypto/keys/pem.h"
#include "oms/statement.h"
#include "tests/oms/signing.h"
#include "tests/support/models/external_graph.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/pki/signing_certificates.h"
#include "tests/support/run.h"
#include <modelseal/oms.h>
#include <modelseal/progress.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using test::content_of;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = SignatureFinding::Outcome;

class Signing : public test::Signing {};

TEST_F(Signing, RoundTripsOnEveryCurve) {
    for (const auto type : {KeyType::p256, KeyType::p384, KeyType::p521}) {
        use_type(type);
        const auto summary = must_sign();
        EXPECT_EQ(summary.files, 3u);
        EXPECT_EQ(summary.bytes, 100'002u);
        EXPECT_EQ(summary.method, "key");
        const auto finding = must_verify();
        EXPECT_EQ(finding.outcome, Outcome::valid) << finding.detail;
        EXPECT_EQ(finding.root, summary.root);
        EXPECT_EQ(finding.signer, summary.signer);
        EXPECT_EQ(finding.files, 3u);
        EXPECT_EQ(finding.model, "model");
        EXPECT_THAT(names(), ElementsAre("config.json", "empty", "sub/weights.bin"));
    }
}

TEST_F(Signing, RoundTripsInEveryForm) {
    for (const bool blake : {false, true}) {
        for (const std::optional<std::uint64_t> shard :
             {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(1000)}) {
            sign.blake2b = blake;
            sign.shard_size = shard;
            must_sign();
            const auto finding = must_verify();
            EXPECT_EQ(finding.outcome, Outcome::valid) << finding.detail;
            EXPECT_EQ(finding.hash, blake ? "blake2b" : "sha256");
            EXPECT_EQ(finding.serialization, shard ? "shards" : "files");
            if (shard) {
                EXPECT_EQ(names().size(), 101u);
            }
            scratch.write("model/sub/weights.bin", std::string(99'999, 'w') + "x");
            EXPECT_THAT(wrong(), ElementsAre("sub/weights.bin changed"));
            scratch.write("model/sub/weights.bin", std::string(100'001, 'w'));
            EXPECT_THAT(wrong(), ElementsAre("sub/weights.bin changed"));
            scratch.write("model/sub/weights.bin", std::string(100'000, 'w'));
        }
    }
}

TEST_F(Signing, ListsEveryFileThatChanged) {
    must_sign();
    scratch.write("model/config.json", "[]");
    scratch.write("model/new", "");
    fs::remove(model / "empty");
    EXPECT_THAT(wrong(), ElementsAre("config.json changed", "empty missing", "new added"));
    EXPECT_EQ(must_verify().detail, "1 file changed, 1 file missing, 1 file not signed");
}

TEST_F(Signing, OfAnotherKeyDoesNotVerify) {
    must_sign();
    verify.public_keys = {SigningKey::generate(KeyType::p256).public_key(),
                          SigningKey::generate(KeyType::p521).public_key()};
    const auto finding = must_verify();
    EXPECT_EQ(finding.outcome, Outcome::invalid);
    EXPECT_EQ(finding.detail,
              fmt::format("{}: signed with key {}; given: key {}, {}", verify.signature.string(),
                          to_hex(sign.key.public_key().id()), to_hex(verify.public_keys[0].id()),
                          to_hex(verify.public_keys[1].id())));
    // A key that the signature names, and did not make it.
    auto spoiled = bundle();
    spoiled.hint = crypto::pem_digest(verify.public_keys[1]);
    scratch.write("model.sig", oms::write_bundle(spoiled));
    EXPECT_THAT(must_verify().detail,
                HasSubstr("is not valid under key " + to_hex(verify.public_keys[1].id())));
}

TEST_F(Signing, TakesKeysOfFilesOnly) {
    const auto seals = SigningKey::generate(KeyType::ed25519);
    must_sign();
    verify.public_keys = {seals.public_key()};
    const auto finding = verify_model(model, verify);
    ASSERT_FALSE(finding.ok());
    EXPECT_EQ(finding.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(finding.error().message,
              "key " + to_hex(seals.public_key().id()) +
                  ": is an Ed25519 key, which is for seals; a signature of files needs a "
                  "P-256, P-384 or P-521 key");
    sign.key = seals;
    const auto summary = sign_model(model, sign);
    ASSERT_FALSE(summary.ok());
    EXPECT_EQ(summary.error().message, finding.error().message);
}

TEST_F(Signing, VerifiesUnderTheOldKeyAndTheNewWhileAKeyIsReplaced) {
    must_sign();
    const auto later = SigningKey::generate(KeyType::p384).public_key();
    const auto signer = verify.public_keys.front();
    for (const auto& keys : {std::vector{later, signer}, std::vector{signer, later}}) {
        verify.public_keys = keys;
        EXPECT_EQ(must_verify().outcome, Outcome::valid);
    }
    verify.public_keys = {later, later};
    EXPECT_EQ(must_verify().outcome, Outcome::invalid);
}

TEST_F(Signing, OfAGraphAloneIsRefusedIfItsTensorsLieElsewhere) {
    scratch.write("graph/net.onnx", test::graph_of({{"w", "w.bin"}}));
    scratch.write("graph/w.bin", "weights!");
    use_model(scratch / "graph" / "net.onnx");
    EXPECT_THAT(refused(), HasSubstr("net.onnx: its tensors are in other files ('w.bin')"));
    use_model(scratch / "graph");
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    // A signature by another tool may cover the graph alone, or leave out the weights: too little.
    sign.ignore = {scratch / "graph" / "w.bin"};
    must_sign();
    const auto finding = verify_model(scratch / "graph" / "net.onnx", verify);
    ASSERT_FALSE(finding.ok());
    EXPECT_THAT(finding.error().message, HasSubstr("does not cover"));
}

TEST_F(Signing, VerifiesUnderOpenssl) {
    if (!test::installed("openssl")) GTEST_SKIP() << "no openssl";
    for (const auto& [type, digest] : std::map<KeyType, const char*>{
             {KeyType::p256, "-sha256"}, {KeyType::p384, "-sha384"}, {KeyType::p521, "-sha512"}}) {
        use_type(type);
        const auto summary = must_sign();
        const auto pae =
            scratch.write("pae", test::text_of(oms::pre_authentication_encoding(bundle().payload)));
        const auto der = scratch.write("der", test::text_of(bundle().signature));
        const std::string open = scratch.write("k.pub", public_key_pem(verify.public_keys.front()));
        const auto done = test::run({"openssl", "dgst", digest, "-verify", open, "-signature", der, pae});
        EXPECT_EQ(done.code, 0) << done.err;
        EXPECT_THAT(done.out, HasSubstr("Verified OK"));
        const auto hash = test::run({"sh", "-c", "openssl pkey -pubin -in " + open + " | sha256sum"});
        EXPECT_THAT(hash.out, testing::StartsWith(bundle().hint));
        EXPECT_THAT(hash.out, testing::StartsWith(summary.signer));
        EXPECT_EQ(summary.signer.size(), 16u);
    }
}

TEST_F(Signing, AcceptsKeysThatOpensslMade) {
    if (!test::installed("openssl")) GTEST_SKIP() << "no openssl";
    const auto key = (scratch / "o.key").string(), open = (scratch / "o.pub").string();
    ASSERT_EQ(test::run({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", key}).code, 0);
    ASSERT_EQ(test::run({"openssl", "ec", "-in", key, "-pubout", "-out", open}).code, 0);
    sign.key = load_signing_key(key, {}).value();
    verify.public_keys = {load_public_key(open).value()};
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
}

TEST_F(Signing, OfAFileNamesItAsTheReferenceDoesOrAsTheSpecificationDoes) {
    use_model(scratch / "model/config.json");
    for (const bool base_name : {false, true}) {
        sign.base_name = base_name;
        must_sign();
        EXPECT_THAT(names(), ElementsAre(base_name ? "config.json" : "."));
        EXPECT_EQ(must_verify().outcome, Outcome::valid);
        scratch.write("model/config.json", "[]");
        EXPECT_THAT(wrong(), ElementsAre("config.json changed"));
        scratch.write("model/config.json", "{}");
    }
    fs::copy(model, scratch / "elsewhere.json");
    use_model(scratch / "elsewhere.json");
    EXPECT_THAT(wrong(), ElementsAre("config.json missing", "elsewhere.json added"));
}

TEST_F(Signing, LeavesOutIgnoredFiles) {
    scratch.write("model/.git/HEAD", "ref");
    scratch.write("model/.gitignore", "x");
    scratch.write("model/sub/.git/HEAD", "ref");
    scratch.write("model/.hidden", "x");
    scratch.write("model/notes/a", "x");
    scratch.write("model/notes.txt", "x");
    sign.ignore = {model / "notes", scratch / "outside", model};
    sign.signature = verify.signature = model / "model.sig";
    must_sign();
    EXPECT_THAT(names(), ElementsAre(".hidden", "config.json", "empty", "notes.txt", "sub/.git/HEAD",
                                     "sub/weights.bin"));
    EXPECT_EQ(statement()["predicate"]["serialization"]["ignore_paths"].dump(),
              R"([".git",".gitattributes",".github",".gitignore","model.sig","notes"])");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);  // knows what was ignored
    scratch.write("model/notes/b", "x");
    scratch.write("model/.git/index", "x");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    scratch.write("model/notes2", "x");
    EXPECT_THAT(wrong(), ElementsAre("notes2 added"));
    verify.ignore = {model / "notes2"};
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
}

TEST_F(Signing, FilesOfGitCountForAVerifierWhoAsksForThem) {
    must_sign();
    scratch.write("model/.git/config", "x");
    scratch.write("model/.github/w.py", "x");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    verify.ignore_git_paths = false;
    EXPECT_THAT(wrong(), ElementsAre(".git/config added", ".github/w.py added"));
}

TEST_F(Signing, AFileThatAppearsWhileOthersAreReadIsNoticed) {
    struct Writer final : Progress {
        void total(std::uint64_t) override { folder->write("model/late.py", "x"); }
        void advance(std::uint64_t) override {}
        test::Scratch* folder;
    } writer;
    writer.folder = &scratch;
    must_sign();
    const auto found = verify_model(model, verify, {.progress = &writer});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(found.error().message,
                testing::HasSubstr(": files were added or removed during the verification"));
}

TEST_F(Signing, OfFilesOfGitHoldsThoughTheyAreIgnoredLater) {
    scratch.write("model/.git/HEAD", "ref");
    sign.ignore_git_paths = false;
    must_sign();
    EXPECT_EQ(names()[0], ".git/HEAD");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    scratch.write("model/.git/HEAD", "fer");
    EXPECT_THAT(wrong(), ElementsAre(".git/HEAD changed"));
    fs::remove_all(model / ".git");
    EXPECT_THAT(wrong(), ElementsAre(".git/HEAD missing"));
}

TEST_F(Signing, ComparesSignedFilesEvenIfTheyAreIgnored) {
    must_sign();
    scratch.write("model/config.json", "[]");
    verify.ignore = {model / "config.json"};
    EXPECT_THAT(wrong(), ElementsAre("config.json changed"));
}

TEST_F(Signing, ListsFilesInTheOrderOfTheSpecificationOrOfTheReference) {
    fs::remove_all(model);
    for (const char* name : {"a/y", "a-b/x", "a.bin", "a/b/c", "a b"})
        scratch.write(std::string("model/") + name, name);
    must_sign();
    EXPECT_THAT(names(), ElementsAre("a b", "a-b/x", "a.bin", "a/b/c", "a/y"));
    const auto root = must_verify().root;
    sign.component_order = true;
    must_sign();
    EXPECT_THAT(names(), ElementsAre("a/b/c", "a/y", "a b", "a-b/x", "a.bin"));
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_NE(must_verify().root, root);
}

TEST_F(Signing, ReproducesTheDigestsOfTheReference) {
    MODELSEAL_NEED_DATA();
    const auto folder = test::oms_folder() / "model-transparency";
    const std::map<std::string, std::string> models = {
        {"deep_model_folder", "deep_model"},
        {"sample_model_folder", "sample_model"},
        {"sample_model_file", "file_model"},
        {"empty_model_file", "empty_file_model"},
        {"model_folder_with_empty_file", "empty_file_inside_model"}};
    const std::map<std::string, std::optional<std::uint64_t>> methods = {
        {"", std::nullopt}, {"_shard", 1'000'000'000}, {"_small_shards", 8}};
    sign.component_order = true;
    for (const auto& [golden, name] : models) {
        for (const auto& [suffix, shard] : methods) {
            const auto wanted =
                nlohmann::json::parse(content_of(folder / "payload_goldens" / (golden + suffix)));
            use_model(folder / "golden_models" / name);
            sign.shard_size = shard;
            fs::remove(sign.signature);
            if (wanted["predicate"]["resources"].empty()) {
                EXPECT_THAT(refused(), HasSubstr("contains no files to sign")) << golden << suffix;
                continue;
            }
            EXPECT_EQ(must_sign().root, wanted["subject"][0]["digest"]["sha256"].get<std::string>())
                << golden << suffix;
            EXPECT_EQ(must_verify().outcome, Outcome::valid);
        }
    }
}

TEST_F(Signing, NamesTheTensorThatChanged) {
    fs::remove_all(model);
    auto file = test::safetensors({{"alpha", 100}, {"beta", 50}, {"gamma", 7}});
    scratch.write("model/net.safetensors", file);
    scratch.write("model/config.json", "{}");
    EXPECT_EQ(must_sign().tensors, 3u);
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    auto spoiled = file;
    spoiled[spoiled.size() - 20] = static_cast<char>(spoiled[spoiled.size() - 20] ^ 1);
    scratch.write("model/net.safetensors", spoiled);
    auto finding = must_verify();
    ASSERT_EQ(finding.findings.size(), 1u);
    ASSERT_EQ(finding.findings[0].tensors.size(), 1u);
    EXPECT_EQ(finding.findings[0].tensors[0].name, "beta");
    EXPECT_EQ(finding.findings[0].tensors[0].outcome, TensorFinding::Outcome::changed);
    scratch.write("model/net.safetensors", test::safetensors({{"alpha", 100}, {"delta", 50}}));
    finding = must_verify();
    std::vector<std::string> tensors;
    for (const auto& each : finding.findings[0].tensors) tensors.push_back(each.name);
    EXPECT_THAT(tensors, ElementsAre("beta", "delta", "gamma"));
    scratch.write("model/net.safetensors", "no model");
    EXPECT_THAT(must_verify().findings[0].detail, HasSubstr("no longer a readable model:"));
}

TEST_F(Signing, RecordsSealAndFingerprintWhereTheSchemaHasRoom) {
    sign.seal_root = "ab";
    sign.fingerprint = "cd";
    must_sign();
    EXPECT_EQ(must_verify().seal_root, "ab");
    EXPECT_EQ(must_verify().fingerprint, "cd");
    EXPECT_EQ(statement()["subject"][0]["annotations"].size(), 2u);
}

TEST_F(Signing, WritesNothingOverTheModelOrAfterAnError) {
    use_model(scratch / "model/config.json");
    sign.signature = scratch / "model/../model/config.json";
    const auto summary = sign_model(model, sign);
    ASSERT_FALSE(summary.ok());
    EXPECT_EQ(summary.error().kind, ErrorKind::usage);
    EXPECT_EQ(content_of(model), "{}");
}

}  // namespace
}  // namespace modelseal
