// Signatures of modelseal verify in the reference tool, which the tests lack: reference_reader.py
// takes its place, a second reader that follows the reference's steps and strictness, and proves itself on what
// the reference has signed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/oms/signing.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/pki/signing_certificates.h"
#include "tests/support/run.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

bool reader_runs() {
    return test::installed("openssl") && test::installed("python3") &&
           test::run({"python3", "-c", "import cryptography"}).code == 0;
}

class ReferenceReader : public test::Signing {
  protected:
    void SetUp() override {
        if (!reader_runs()) GTEST_SKIP() << "no python3 with cryptography, or no openssl";
    }

    // Empty if it takes the signature. Ours agree with the published schemas where those are at hand; `spec`:
    // where they are meant to.
    std::string refused_by_reference(bool spec = true) {
        const auto script = fs::path(MODELSEAL_SOURCE_DIR) / "tests/oms/reference_reader.py";
        const bool key = sign.certificate.empty();
        const std::string open =
            key ? scratch.write("k.pub", public_key_pem(verify.public_keys[0])).string() : std::string();
        test::Words words = {"python3",
                             "-B",
                             script,
                             key ? "key" : "certificate",
                             model,
                             sign.signature,
                             key ? open : verify.anchors[0]};
        const auto schemas = test::oms_folder() / "spec/schemas";
        if (spec && fs::exists(schemas)) words.insert(words.end(), {"--schemas", schemas});
        const auto done = test::run(words);
        return done.code == 0 ? "" : done.out + done.err;
    }
    std::string sign_and_ask(bool spec = true) {
        must_sign();
        EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
        return refused_by_reference(spec);
    }
};

TEST_F(ReferenceReader, AcceptsSignaturesOfTheReference) {
    MODELSEAL_NEED_DATA();
    for (const auto& folder : fs::directory_iterator(test::historical(""))) {
        const auto name = folder.path().filename().string();
        if (name.ends_with("-sigstore") || name.starts_with("v0.2.0")) continue;
        // Without ignore-me, which its makers ignore on the command line.
        const auto copy = scratch / name;
        fs::create_directory(copy);
        for (const auto& file : fs::directory_iterator(folder.path())) {
            const auto leaf = file.path().filename();
            if (leaf != "model.sig" && leaf != "ignore-me") fs::copy(file.path(), copy / leaf);
        }
        sign.signature = verify.signature = folder.path() / "model.sig";
        sign.certificate = name.ends_with("certificate") ? "used" : "";
        verify.public_keys = {test::oms_public_key()};
        verify.anchors = {test::oms_key("ca-cert.pem")};
        const bool single = test::content_of(folder.path() / "model.sig").size() < 1700 &&
                            statement()["predicate"]["resources"][0]["name"] == ".";
        use_model(single ? copy / "signme-1" : copy);
        EXPECT_EQ(refused_by_reference(false), "") << name;
        scratch.write(fs::path(name) / "signme-1", "another");
        EXPECT_THAT(refused_by_reference(false), HasSubstr("differ")) << name;
    }
}

TEST_F(ReferenceReader, AcceptsEveryCurveAndHash) {
    for (const auto type : {KeyType::p256, KeyType::p384, KeyType::p521}) {
        use_type(type);
        for (const bool blake : {false, true}) {
            sign.blake2b = blake;
            EXPECT_EQ(sign_and_ask(), "") << name_of(type);
        }
    }
}

TEST_F(ReferenceReader, AcceptsFoldersWithOddNames) {
    for (const char* name : {"a b", "\xC3\xA9", "e\xCC\x81", "\xF0\x9F\xA6\x86/x", "new\nline", "quo\"te",
                             "back\\slash", "..x", "~", "-k", "a/y", "a-b/x", "a.bin", "a/b/c", "co:lon"}) {
        scratch.write(fs::path("model") / name, name);
    }
    EXPECT_EQ(sign_and_ask(), "");
    sign.component_order = true;
    EXPECT_EQ(sign_and_ask(), "");
}

TEST_F(ReferenceReader, AcceptsIgnoredFilesAndASignatureInside) {
    scratch.write("model/.git/HEAD", "ref");
    scratch.write("model/notes/a", "x");
    sign.ignore = {model / "notes"};
    sign.signature = verify.signature = model / "model.sig";
    EXPECT_EQ(sign_and_ask(), "");
    scratch.write("model/more", "x");
    EXPECT_THAT(refused_by_reference(), HasSubstr("differ"));
}

TEST_F(ReferenceReader, AcceptsLinks) {
    fs::create_symlink("config.json", model / "link");
    sign.allow_symlinks = true;
    EXPECT_EQ(sign_and_ask(), "");
}

TEST_F(ReferenceReader, AcceptsAnnotationsOfTensors) {
    scratch.write("model/net.safetensors", test::safetensors({{"alpha", 100}, {"beta", 50}}));
    sign.seal_root = std::string(64, 'a');
    sign.fingerprint = "f";
    EXPECT_EQ(sign_and_ask(), "");
    EXPECT_EQ(statement()["predicate"]["resources"][2]["annotations"].size(), 1u);
}

// Two choices of the specification the reference refuses; the other choice is offered for each.
TEST_F(ReferenceReader, AcceptsASingleFileAndShardsUnderItsOwnNames) {
    sign.shard_size = 1000;
    sign.sharded_algorithm = true;
    EXPECT_EQ(sign_and_ask(false), "");
    sign.sharded_algorithm = false;
    EXPECT_THAT(sign_and_ask(), HasSubstr("differ"));
    sign.shard_size.reset();
    use_model(model / "config.json");
    EXPECT_EQ(sign_and_ask(), "");
    sign.base_name = true;
    EXPECT_THAT(sign_and_ask(), HasSubstr("differ"));
}

TEST_F(ReferenceReader, AcceptsCertificates) {
    const auto root = test::certify({.name = "root", .authority = true});
    const auto between = test::certify({.name = "between", .authority = true}, &root);
    for (const char* curve : {"P-256", "P-384", "P-521"}) {
        const auto leaf = test::certify({.name = "leaf", .curve = curve}, &between);
        sign.key = test::signing_key(leaf.key);
        sign.certificate = scratch.write("leaf.pem", leaf.pem).string();
        sign.chain = {scratch.write("between.pem", between.pem).string()};
        verify.public_keys.clear();
        verify.anchors = {scratch.write("root.pem", root.pem).string()};
        EXPECT_EQ(sign_and_ask(), "") << curve;
    }
    const auto other = test::certify({.name = "root", .authority = true});
    verify.anchors = {scratch.write("other.pem", other.pem).string()};
    EXPECT_THAT(refused_by_reference(), HasSubstr("does not hold"));
}

TEST_F(ReferenceReader, RefusesAnotherKey) {
    must_sign();
    verify.public_keys = {SigningKey::generate(KeyType::p256).public_key()};
    EXPECT_THAT(refused_by_reference(), HasSubstr("hint"));
}

}  // namespace
}  // namespace modelseal
