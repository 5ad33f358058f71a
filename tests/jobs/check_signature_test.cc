// A check of seal and signature together: the finding of each, and the verdict on both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/oms.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Signature = SignatureFinding::Outcome;
using Seal = SealFinding::Outcome;

std::string model(unsigned seed, std::size_t weights = 60'000) {
    return test::safetensors_file({{"w", "F32", {weights}, test::float_weights(weights, seed)},
                                   {"v", "F32", {9'000}, test::float_weights(9'000, seed + 1)}});
}

// A sealed model in a folder, its key, and a signer's pair.
class CheckWithSignature : public testing::Test {
  protected:
    CheckWithSignature() {
        keys.push_back(public_check_key(vendor.public_key()));
        file = seal("net.safetensors", model(1));
    }
    fs::path seal(const std::string& name, const std::string& bytes) {
        return scratch.write(name, test::sealed_bytes(bytes, vendor));
    }
    fs::path seal_by(const SigningKey& key, const std::string& name) {
        return scratch.write(name, test::sealed_bytes(model(5), key));
    }
    void sign_as(const fs::path& what, const fs::path& signature) {
        sign.signature = signature;
        const auto done = sign_model(what, sign);
        ASSERT_TRUE(done.ok()) << done.error().message;
    }
    CheckReport check(const fs::path& target, const fs::path& signature = {}) {
        CheckOptions options;
        if (!keys.empty()) options.seal = SealCheck{.keys = keys};
        if (trusted) options.signature = SignatureCheck{.signature = signature, .public_keys = {signer}};
        options.policy = policy;
        return check_model(target, options).value();
    }
    void flip(const fs::path& path, std::size_t from_end) {
        auto bytes = test::content_of(path);
        bytes[bytes.size() - from_end] = static_cast<char>(bytes[bytes.size() - from_end] ^ 1);
        scratch.write(path, bytes);
    }

    test::Scratch scratch;
    const SigningKey vendor = test::test_key();
    std::vector<CheckKey> keys;
    SignOptions sign{.key = SigningKey::generate(KeyType::p256)};
    PublicKey signer = sign.key.public_key();
    fs::path file;
    CheckPolicy policy;
    bool trusted = true;
};

TEST_F(CheckWithSignature, IsIntactIfBothHold) {
    sign_as(file, scratch / "model.sig");
    const auto report = check(file, scratch / "model.sig");
    EXPECT_EQ(report.verdict, Verdict::intact) << report.error;
    ASSERT_TRUE(report.seal && report.signature);
    EXPECT_EQ(report.seal->outcome, Seal::intact);
    EXPECT_EQ(report.signature->outcome, Signature::valid);
}

TEST_F(CheckWithSignature, NamesTheChangeInBoth) {
    sign_as(file, scratch / "model.sig");
    flip(file, 5);
    const auto report = check(file, scratch / "model.sig");
    EXPECT_EQ(report.verdict, Verdict::tampered);
    ASSERT_TRUE(report.seal && report.signature);
    EXPECT_EQ(report.seal->tensors.size(), 1u);
    ASSERT_EQ(report.signature->findings.size(), 1u);
    EXPECT_EQ(report.signature->findings[0].tensors[0].name, report.seal->tensors[0].name);
}

TEST_F(CheckWithSignature, FindsSignaturesNextToTheModelUnderTheUsualNames) {
    const auto found = [&] { return check(file).signature.has_value(); };
    EXPECT_FALSE(found());
    EXPECT_EQ(check(file).verdict, Verdict::unsealed) << "a signer was given: a signature is expected";
    sign_as(file, scratch / "net.safetensors.sig");
    EXPECT_TRUE(found());
    fs::rename(scratch / "net.safetensors.sig", scratch / "model.sig");
    EXPECT_TRUE(found()) << "it says that it is of net.safetensors";
    EXPECT_EQ(check(file).verdict, Verdict::intact);
    const auto neighbour = seal("neighbour.safetensors", model(2));
    EXPECT_FALSE(check(neighbour).signature) << "it is of another model";
}

TEST_F(CheckWithSignature, FindsSignaturesInAndNextToAFolder) {
    fs::create_directory(scratch / "net");
    fs::rename(file, scratch / "net" / "net.safetensors");
    keys.clear();
    sign_as(scratch / "net", scratch / "net" / "model.sig");
    EXPECT_EQ(check(scratch / "net").verdict, Verdict::intact);
    EXPECT_EQ(check(scratch / "net" / "").verdict, Verdict::intact);
    EXPECT_EQ(check(scratch / "net" / ".").verdict, Verdict::intact);
    fs::remove(scratch / "net" / "model.sig");
    sign_as(scratch / "net", scratch / "net.sig");
    EXPECT_TRUE(check(scratch / "net" / "").signature);
    scratch.write("net/added", "");
    EXPECT_EQ(check(scratch / "net").verdict, Verdict::tampered);
}

TEST_F(CheckWithSignature, MentionsASignatureWithoutASignerAndChangesNothing) {
    trusted = false;
    const auto alone = check(file);
    EXPECT_TRUE(alone.warnings.empty());
    sign_as(file, scratch / "net.safetensors.sig");
    const auto report = check(file);
    EXPECT_EQ(report.verdict, Verdict::intact);
    EXPECT_FALSE(report.signature || report.expected.signature);
    ASSERT_EQ(report.warnings.size(), 1u);
    EXPECT_THAT(report.warnings[0], HasSubstr("net.safetensors.sig was not verified"));
    flip(file, 5);
    EXPECT_EQ(check(file).verdict, Verdict::tampered);
    EXPECT_EQ(check(scratch.write("plain", model(3))).verdict, Verdict::unsealed);
}

// A key on P-256 may seal and sign; given as a key of seals it vouches for the seal alone.
TEST_F(CheckWithSignature, AKeyForSealsIsNotASigner) {
    const auto sealer = SigningKey::generate(KeyType::p256);
    const auto own = seal_by(sealer, "own.safetensors");
    sign.key = sealer;
    sign_as(own, scratch / "own.safetensors.sig");
    keys.clear();
    keys.push_back(public_check_key(sealer.public_key()));
    trusted = false;
    EXPECT_EQ(check(own).verdict, Verdict::intact);
    EXPECT_FALSE(check(own).signature);
    // Without its seal the signature alone does not let it pass.
    const auto plain = scratch.write("plain.safetensors", model(6));
    sign_as(plain, scratch / "plain.safetensors.sig");
    EXPECT_EQ(check(plain).verdict, Verdict::unsealed);
    trusted = true;
    signer = sealer.public_key();
    EXPECT_EQ(check(own).verdict, Verdict::intact);
    EXPECT_EQ(check(own).signature->outcome, Signature::valid);
    EXPECT_EQ(check(plain).verdict, Verdict::unsealed) << "the seal is still expected";
}

TEST_F(CheckWithSignature, ByAnotherSignerIsTampered) {
    sign_as(file, scratch / "net.safetensors.sig");
    signer = SigningKey::generate(KeyType::p384).public_key();
    const auto report = check(file);
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_EQ(report.seal->outcome, Seal::intact);
    EXPECT_EQ(report.signature->outcome, Signature::invalid);
}

TEST_F(CheckWithSignature, ExpectsASealOnlyIfAKeyOrARequirementAsksForIt) {
    const auto plain = scratch.write("plain.safetensors", model(3));
    sign_as(plain, scratch / "plain.sig");
    EXPECT_EQ(check(plain).verdict, Verdict::unsealed);
    EXPECT_EQ(check(plain, scratch / "plain.sig").verdict, Verdict::unsealed) << "a key for seals was given";
    keys.clear();
    EXPECT_EQ(check(plain, scratch / "plain.sig").verdict, Verdict::intact);
    policy.stamp = {{"version", "1"}};
    EXPECT_EQ(check(plain, scratch / "plain.sig").verdict, Verdict::unsealed) << "no stamp says so";
    policy.stamp.clear();
    policy.expected.seal = true;
    const auto report = check(plain, scratch / "plain.sig");
    EXPECT_EQ(report.verdict, Verdict::unsealed) << "a required seal was not even looked for";
    EXPECT_THAT(report.error, HasSubstr("no key to look for one was given"));
}

TEST_F(CheckWithSignature, FindsNothingIfARequiredOneIsMissing) {
    policy.expected.signature = true;
    for (const bool trust : {true, false}) {
        trusted = trust;
        const auto report = check(file);
        EXPECT_EQ(report.verdict, Verdict::unsealed);
        EXPECT_EQ(report.exit_code, ExitCode::nothing);
        EXPECT_THAT(report.error, HasSubstr("no signature found next to it"));
    }
    sign_as(file, scratch / "net.safetensors.sig");
    EXPECT_THAT(check(file).error, HasSubstr("no signer is trusted"));
}

TEST_F(CheckWithSignature, CountsAChangeMoreThanAReadError) {
    flip(file, 5);
    const auto report = check(file, scratch / "not there.sig");
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_EQ(report.signature->outcome, Signature::error);
    EXPECT_THAT(report.signature->detail, HasSubstr("not there.sig"));
    EXPECT_EQ(check(seal("other.safetensors", model(4)), scratch / "none.sig").verdict, Verdict::error);
}

TEST_F(CheckWithSignature, VerifiesFilesThatAreNotAModel) {
    const auto text = scratch.write("notes.txt", "no model at all");
    sign_as(text, scratch / "notes.sig");
    const auto report = check(text, scratch / "notes.sig");
    EXPECT_EQ(report.verdict, Verdict::error) << "a seal was looked for as well";
    ASSERT_TRUE(report.signature);
    EXPECT_EQ(report.signature->outcome, Signature::valid);
    EXPECT_EQ(report.seal->outcome, Seal::error);
    keys.clear();
    EXPECT_EQ(check(text, scratch / "notes.sig").verdict, Verdict::intact);
}

// An index is one file: its signature does not cover the shards, and must not accept other ones.
TEST_F(CheckWithSignature, OfAnIndexIsRefusedWhateverTheStateOfTheShards) {
    const char* index = "model.safetensors.index.json";
    scratch.write("net/a.safetensors",
                  test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}}));
    scratch.write("net/" + std::string(index), R"({"weight_map": {"w": "a.safetensors"}})");
    sign.signature = scratch / "net" / (std::string(index) + ".sig");
    const auto refused = sign_model(scratch / "net" / index, sign);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    // Another tool may have signed it: as the only file of the folder.
    sign.ignore = {scratch / "net" / "a.safetensors"};
    sign_as(scratch / "net", scratch / "net" / "index.sig");
    keys.clear();
    EXPECT_EQ(check(scratch / "net", scratch / "net" / "index.sig").verdict, Verdict::intact);
    const auto report = check(scratch / "net" / index, scratch / "net" / "index.sig");
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    EXPECT_THAT(report.error, HasSubstr("an index: the tensors are in its shards"));
    EXPECT_THAT(report.hint, HasSubstr("verify the folder"));
}

TEST_F(CheckWithSignature, GivesTheSameResultIfManyShardsAreReadAtOnce) {
    fs::create_directory(scratch / "shards");
    for (int i = 0; i < 7; ++i) {
        const auto name = "shards/" + std::to_string(i) + ".safetensors";
        const auto weights = test::float_weights(700'000, static_cast<unsigned>(i));
        scratch.write(name, test::safetensors_file({{std::to_string(i), "F32", {700'000}, weights}}));
    }
    const SealOptions how{.key = vendor, .check = keys[0]};
    ASSERT_TRUE(seal_model(scratch / "shards", scratch / "sealed", how).ok());
    sign_as(scratch / "sealed", scratch / "sealed.sig");
    for (const unsigned jobs : {1u, 2u, 3u, 8u}) {
        const CheckOptions options{.seal = SealCheck{.keys = keys},
                                   .signature = SignatureCheck{.public_keys = {signer}},
                                   .jobs = jobs};
        EXPECT_EQ(check_model(scratch / "sealed", options)->verdict, Verdict::intact) << jobs;
    }
    flip(scratch / "sealed" / "6.safetensors", 9);
    const auto report = check(scratch / "sealed");
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_EQ(report.seal->tensors.at(0).name, "6");
    EXPECT_EQ(report.signature->findings.at(0).name, "6.safetensors");
}

TEST_F(CheckWithSignature, IsNotPossibleForAnEndpoint) {
    sign_as(file, scratch / "model.sig");
    const SignatureCheck named{.signature = scratch / "model.sig", .public_keys = {signer}};
    const auto refused =
        check_model("http://127.0.0.1:1/v2/models/net", {.seal = SealCheck{.keys = keys}, .signature = named});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    const auto unnamed = check("http://127.0.0.1:1/v2/models/net");
    EXPECT_EQ(unnamed.exit_code, ExitCode::nothing);
    ASSERT_EQ(unnamed.missing.size(), 2u) << "the key can only be for a fingerprint";
    EXPECT_THAT(unnamed.missing[1].detail, HasSubstr("has none to read"));
}

}  // namespace
}  // namespace modelseal
