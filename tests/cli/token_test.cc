// Keys in hardware, end to end: SoftHSM2 is the hardware.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oms/bundle.h"
#include "oms/statement.h"
#include "tests/oms/data.h"
#include "tests/support/models/small_models.h"
#include "tests/support/pki/signing_certificates.h"
#include "tests/support/pki/soft_token.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using test::content_of;
using test::modelseal;
using test::Outcome;
using test::SoftToken;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPinInUri =
    "12-34%3f";  // as a URI has it: '?' stands for itself there, and may be encoded

class Token : public testing::Test {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_TOKEN();
        token.emplace();
        token->make_key("seal", "01");
        scratch.write("net.safetensors", test::small_models()[1].file());
    }
    // With the PIN in the environment unless told otherwise.
    Outcome run(test::Words words, bool with_pin = true) {
        auto variables = token->variables();
        if (with_pin) variables["MODELSEAL_PASSPHRASE"] = SoftToken::kPin;
        return test::run(modelseal(std::move(words)), {.folder = scratch.path(), .variables = variables});
    }
    void must(const test::Words& words) {
        const auto done = run(words);
        ASSERT_EQ(done.code, 0) << done.err;
    }
    Outcome seal(const std::string& key, const std::string& out = "sealed") {
        return run({"seal", "net.safetensors", "-k", key, "-o", out});
    }
    bool there(const std::string& name) { return std::filesystem::exists(scratch / name); }

    std::optional<SoftToken> token;
    test::Scratch scratch;
};

TEST_F(Token, SealsVerifyUnderThePublicHalf) {
    must({"seal", "net.safetensors", "-k", "pkcs11:token=vendor;object=seal;type=private", "-o", "sealed",
          "--receipt", "receipt"});
    must({"keygen", "vendor", "--from", "pkcs11:token=vendor;object=seal;type=public"});
    must({"keygen", "other", "--type", "p256", "--no-passphrase"});
    EXPECT_FALSE(there("vendor.key"));
    EXPECT_EQ(run({"check", "sealed", "--pub", "vendor.pub"}, false).code, 0);
    EXPECT_EQ(run({"check", "sealed", "--pub", "other.pub"}, false).code, 4);
    auto bytes = content_of(scratch / "sealed");
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    scratch.write("spoiled", bytes);
    EXPECT_EQ(run({"check", "spoiled", "--pub", "vendor.pub"}, false).code, 1);
    EXPECT_EQ(run({"unseal", "sealed", "--receipt", "receipt", "-o", "back"}, false).code, 0);
    EXPECT_EQ(content_of(scratch / "back"), content_of(scratch / "net.safetensors"));
}

TEST_F(Token, SealsForOneCustomer) {
    const std::string key = "pkcs11:token=vendor;object=seal";
    must({"keygen", "acme", "--type", "check", "-k", key});
    must({"seal", "net.safetensors", "-k", key, "-o", "sealed", "--for", "acme.check"});
    must({"keygen", "vendor", "--from", key});
    EXPECT_EQ(run({"check", "sealed", "--key", "acme.check"}, false).code, 0);
    EXPECT_EQ(run({"check", "sealed", "--pub", "vendor.pub"}, false).code, 4);
}

TEST_F(Token, SealsInThePublishedScheme) {
    scratch.write("net.safetensors",
                  test::safetensors_file({{"w", "F32", {64, 128}, test::float_weights(8192, 1)}}));
    must({"seal", "net.safetensors", "-k", "pkcs11:object=seal", "-o", "sealed", "--scheme", "deepisign"});
    must({"keygen", "vendor", "--from", "pkcs11:object=seal"});
    EXPECT_EQ(run({"check", "sealed", "--pub", "vendor.pub", "--scheme", "deepisign"}, false).code, 0);
    const auto strict = run({"check", "sealed", "--pub", "vendor.pub"}, false);
    EXPECT_EQ(strict.code, 4);
    EXPECT_THAT(strict.err, HasSubstr("--scheme deepisign"));
    EXPECT_EQ(strict.err.find("hint:"), strict.err.rfind("hint:")) << strict.err;
}

TEST_F(Token, SignaturesOnEveryCurveVerifyUnderOpenssl) {
    const std::tuple<const char*, const char*, const char*> curves[] = {{"EC:prime256v1", "02", "-sha256"},
                                                                        {"EC:secp384r1", "03", "-sha384"},
                                                                        {"EC:secp521r1", "04", "-sha512"}};
    for (const auto& [type, id, digest] : curves) {
        token->make_key("signer", id, type);
        const auto key = std::string("pkcs11:token=vendor;object=signer;id=%") + id;
        const std::string name = id;
        must({"sign", "net.safetensors", "-k", key, "-o", name + ".sig"});
        must({"keygen", name, "--from", key});
        EXPECT_EQ(
            run({"verify", "net.safetensors", "--signature", name + ".sig", "--pub", name + ".pub"}, false)
                .code,
            0);
        const auto bundle = oms::parse_bundle(content_of(scratch / (name + ".sig")), "s").value();
        const auto pae = scratch.write("pae", test::text_of(oms::pre_authentication_encoding(bundle.payload)));
        const auto der = scratch.write("der", test::text_of(bundle.signature));
        const auto done = test::run({"openssl", "dgst", digest, "-verify", (scratch / (name + ".pub")).string(),
                                     "-signature", der, pae});
        EXPECT_THAT(done.out, HasSubstr("Verified OK")) << type << done.err;
    }
}

TEST_F(Token, SignsWithACertificateOfItsKey) {
    const auto root = test::certify({.name = "root", .authority = true, .usage = "critical,keyCertSign"});
    const auto leaf = test::certify({.name = "leaf"}, &root);
    scratch.write("root.pem", root.pem);
    scratch.write("leaf.pem", leaf.pem);
    const auto key = scratch.write("leaf.key", leaf.key).string(), open = (scratch / "leaf.pub").string();
    ASSERT_EQ(test::run({"openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", open}).code, 0);
    token->tool({"--write-object", key, "--type", "privkey", "--usage-sign", "--label", "leaf", "--id", "09"});
    const auto hidden =
        run({"sign", "net.safetensors", "-k", "pkcs11:object=leaf", "-o", "s", "--cert", "leaf.pem"});
    EXPECT_EQ(hidden.code, 3);
    EXPECT_THAT(hidden.err, HasSubstr("does not show the public half"));
    token->tool({"--write-object", open, "--type", "pubkey", "--label", "leaf", "--id", "09"});
    must({"sign", "net.safetensors", "-k", "pkcs11:object=leaf", "-o", "s", "--cert", "leaf.pem"});
    EXPECT_EQ(run({"verify", "net.safetensors", "--signature", "s", "--cert-chain", "root.pem"}, false).code,
              0);
    EXPECT_EQ(
        run({"sign", "net.safetensors", "-k", "pkcs11:object=seal", "-o", "t", "--cert", "leaf.pem"}).code, 1);
}

// As slot 9c of a PIV card does.
TEST_F(Token, GivesThePinAgainToAKeyThatAsksForItAtEverySignature) {
    token->make_key("careful", "05", "EC:prime256v1", {"--usage-sign", "--always-auth"});
    const std::string key = "pkcs11:token=vendor;object=careful";
    must({"seal", "net.safetensors", "-k", key, "-o", "sealed", "--receipt", "receipt"});
    must({"keygen", "vendor", "--from", key});
    EXPECT_EQ(run({"check", "sealed", "--pub", "vendor.pub"}, false).code, 0);
}

TEST_F(Token, AcceptsThePinFromEverySource) {
    scratch.write("pin", std::string(SoftToken::kPin) + "\r\nmore\n");
    const std::string key = "pkcs11:token=vendor;object=seal";
    const auto file = (scratch / "pin").string();
    const test::Words ways[] = {{key + "?pin-value=" + kPinInUri},
                                {key + "?pin-value=" + SoftToken::kPin},
                                {key + "?pin-source=" + file},
                                {key + "?pin-source=file:" + file},
                                {key, "--passphrase-file", "pin"}};
    for (const auto& way : ways) {
        test::Words words = {"seal", "net.safetensors", "-o", "sealed", "-k"};
        words.insert(words.end(), way.begin(), way.end());
        EXPECT_EQ(run(words, false).code, 0) << way[0];
    }
    const auto typed = test::run_on_terminal(modelseal({"seal", "net.safetensors", "-o", "sealed", "-k", key}),
                                             {{"of token 'vendor': ", std::string(SoftToken::kPin) + "\n"}},
                                             {.folder = scratch.path(), .variables = token->variables()});
    EXPECT_EQ(typed.code, 0) << typed.out;
    EXPECT_THAT(typed.out, Not(HasSubstr(SoftToken::kPin)));
    EXPECT_EQ(run({"seal", "net.safetensors", "-o", "sealed", "-k", key}, false).code, 2);
}

TEST_F(Token, IsAskedOnceWithAWrongPin) {
    const std::string spy = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so";
    if (!std::filesystem::exists(spy)) GTEST_SKIP() << "no spy to count (opensc-pkcs11)";
    auto variables = token->variables();
    variables["ASAN_OPTIONS"] = "detect_leaks=0";  // of the spy
    variables["PKCS11SPY"] = variables["PKCS11_MODULE_PATH"];
    variables["PKCS11SPY_OUTPUT"] = (scratch / "log").string();
    variables["PKCS11_MODULE_PATH"] = spy;
    const auto logins = [&](const std::string& pin) {
        std::filesystem::remove(scratch / "log");
        const auto done = test::run(
            modelseal({"seal", "net.safetensors", "-k", "pkcs11:object=seal?pin-value=" + pin, "-o", "sealed"}),
            {.folder = scratch.path(), .variables = variables});
        const auto log = content_of(scratch / "log");
        std::size_t count = 0;
        for (auto at = log.find("C_Login"); at != std::string::npos; at = log.find("C_Login", at + 1)) ++count;
        return std::pair(done, count);
    };
    const auto [wrong, tries] = logins("864213");
    EXPECT_EQ(wrong.code, 1);
    EXPECT_EQ(tries, 1u);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("token 'vendor': wrong PIN"), Not(HasSubstr("864213"))));
    EXPECT_FALSE(there("sealed"));
    const auto [right, once] = logins(kPinInUri);
    EXPECT_EQ(right.code, 0) << right.err;
    EXPECT_EQ(once, 1u);
}

struct RefusedCase {
    const char* name;
    std::string key;
    int code;
    const char* says;
    const char* hints;
};

const RefusedCase kRefusedTokens[] = {
    RefusedCase{"NoSuchToken", "pkcs11:token=vendro;object=seal", 3, "token 'vendro': token not found",
                "tokens found:"},
    RefusedCase{"NoSuchSerial", "pkcs11:serial=77", 3, "token with serial '77': token not found",
                "'vendor' (serial="},
    RefusedCase{"NoSuchSlot", "pkcs11:token=vendor;slot-id=77", 3, ": token not found", "'vendor'"},
    RefusedCase{"OtherManufacturer", "pkcs11:token=vendor;manufacturer=a", 3, ": token not found", "'vendor'"},
    RefusedCase{"OtherLibrary", "pkcs11:token=vendor;library-description=a", 3, ": token not found",
                "'vendor'"},
    RefusedCase{"TwoTokens", "pkcs11:object=seal", 3, "fits 2 tokens: ", "add token= or serial="},
    RefusedCase{"NoSuchObject", "pkcs11:token=vendor;object=sael", 3,
                "token 'vendor', object 'sael': no such private key is there", "'wide' (id=%02)"},
    RefusedCase{"NoSuchId", "pkcs11:token=vendor;id=%99", 3, "object of id 99: no such private key",
                "'rsa' (id=%03)"},
    RefusedCase{"IdOfAnother", "pkcs11:token=vendor;object=seal;id=%02", 3, "no such private key",
                "tokens found:"},
    RefusedCase{"EmptyToken", "pkcs11:token=spare", 3, "token 'spare': no such private key is there",
                "no private key at all is there"},
    RefusedCase{"TwoObjects", "pkcs11:token=vendor;object=seal", 3,
                "fits 2 private keys: ", "add object= or id="},
    RefusedCase{"OnP384", "pkcs11:token=vendor;object=wide", 3,
                "token 'vendor', object 'wide': is a P-384 key, which is for signatures of files", ""},
    RefusedCase{"OnSecp256k1", "pkcs11:token=vendor;id=%04", 3, "a key of type EC secp256k1 is not", ""},
    RefusedCase{"Rsa", "pkcs11:token=vendor;object=rsa", 3, "a key of type RSA 2048 is not supported", ""},
    RefusedCase{"PublicHalf", "pkcs11:token=vendor;object=wide;type=public", 2,
                "PKCS#11 URI: does not name a private key, which signing needs", "type=private"},
    RefusedCase{"WrongPin", "pkcs11:token=vendor;id=%01?pin-value=864213", 1, "token 'vendor': wrong PIN",
                "it was tried once"},
    RefusedCase{"NoPinFile", "pkcs11:token=vendor;id=%01?pin-source=/nonexistent", 3,
                "/nonexistent: cannot open", ""},
    RefusedCase{"NoModule", "pkcs11:token=vendor?module-path=/nonexistent.so&pin-value=864213", 3,
                "/nonexistent.so: the PKCS#11 module could not be loaded",
                "give the path of the token's library as module-path, such as /usr/lib/softhsm/libsofthsm2.so"},
    RefusedCase{"NoModuleOfThatName", "pkcs11:token=vendor?module-name=nonexistent", 3,
                "module 'nonexistent': the PKCS#11 module could not be loaded",
                "give the module's file as module-path"},
    RefusedCase{"NotAModule", "pkcs11:token=vendor?module-path=libz.so.1", 3,
                "libz.so.1: is a library, but not a PKCS#11 module",
                "give the path of the token's library as module-path, such as /usr/lib/softhsm/libsofthsm2.so"},
    RefusedCase{"BrokenUri", "pkcs11:token=vendor;pin-value=864213", 2, "pin-value: is after the '?'",
                "RFC 7512"}};

// One test for all, because its tokens take a while.
TEST_F(Token, ThatDoesNotFitIsRefusedWithTheReason) {
    token->add("spare");
    token->make_key("wide", "02", "EC:secp384r1");
    token->make_key("rsa", "03", "rsa:2048");
    token->make_key("seal", "04", "EC:secp256k1");
    const auto files = [&] { return std::distance(std::filesystem::directory_iterator(scratch.path()), {}); };
    const auto before = files();
    for (const auto& [name, key, code, says, hints] : kRefusedTokens) {
        SCOPED_TRACE(name);
        const auto outcome = seal(key);
        EXPECT_EQ(outcome.code, code);
        EXPECT_THAT(outcome.err, AllOf(HasSubstr(says), HasSubstr(hints)));
        EXPECT_THAT(outcome.err, Not(HasSubstr("864213")));
        EXPECT_EQ(outcome.out, "");
        EXPECT_EQ(files(), before);
    }
}

TEST_F(Token, WithAnEd25519KeyIsRefusedWithTheReason) {
    token->make_key("ed", "06", "EC:edwards25519");
    for (const char* key : {"pkcs11:object=ed", "pkcs11:object=seal"}) {
        const auto outcome = seal(key);
        EXPECT_EQ(outcome.code, 3);
        EXPECT_THAT(outcome.err, AllOf(HasSubstr(": its keys could not be listed; libp11 supports RSA and EC "
                                                 "keys only, and fails if the token has an Ed25519 key"),
                                       HasSubstr("use a P-256 key")));
    }
}

TEST_F(Token, IsReachedThroughModulesInThreeWays) {
    auto variables = token->variables();
    const auto module = std::exchange(variables["PKCS11_MODULE_PATH"], "");
    variables["MODELSEAL_PASSPHRASE"] = SoftToken::kPin;
    const auto code = [&](const std::string& key) {
        const auto done = test::run(modelseal({"seal", "net.safetensors", "-k", key, "-o", "sealed"}),
                                    {.folder = scratch.path(), .variables = variables});
        return std::pair(done.code, done.err);
    };
    EXPECT_EQ(code("pkcs11:object=seal?module-path=" + module).first, 0);
    EXPECT_EQ(code("pkcs11:object=seal;token=vendor").first, 0) << "through p11-kit";
    variables["PKCS11_MODULE_PATH"] = "/nonexistent.so";
    EXPECT_THAT(code("pkcs11:object=seal").second, AllOf(HasSubstr("/nonexistent.so: the PKCS#11 module could"),
                                                         HasSubstr("PKCS11_MODULE_PATH names")));
    EXPECT_EQ(code("pkcs11:object=seal?module-path=" + module).first, 0) << "the URI wins";
}

TEST_F(Token, WritesItsPublicHalfWithoutOverwriting) {
    scratch.write("vendor.pub", "here");
    const auto refused = run({"keygen", "vendor", "--from", "pkcs11:object=seal"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("exists already"));
    EXPECT_EQ(content_of(scratch / "vendor.pub"), "here");
    const auto file = run({"keygen", "other", "--from", "vendor.key"});
    EXPECT_EQ(file.code, 2);
    EXPECT_THAT(file.err, HasSubstr("--from takes the PKCS#11 URI"));
    EXPECT_EQ(run({"keygen", "other", "--from", "pkcs11:object=seal", "--type", "p256"}).code, 2);
    must({"sign", "net.safetensors", "-k", "pkcs11:object=seal"});
    for (const auto& words :
         {test::Words{"check", "net.safetensors"}, test::Words{"verify", "net.safetensors"}}) {
        auto with_key = words;
        with_key.insert(with_key.end(), {"--pub", "pkcs11:object=seal"});
        const auto outcome = run(with_key);
        EXPECT_EQ(outcome.code, 2);
        EXPECT_THAT(outcome.err, HasSubstr("'modelseal keygen NAME --from URI' writes the public key"));
    }
}

TEST_F(Token, OwnsALedgerIfItsKeyMayDerive) {
    token->make_key("both", "02", "EC:prime256v1", {"--usage-sign", "--usage-derive"});
    const auto refused = run({"customer", "add", "acme", "--ledger", "l.db", "-k", "pkcs11:object=seal"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("derives no secret"));
    EXPECT_FALSE(there("l.db"));
    must({"customer", "add", "acme", "--ledger", "l.db", "-k", "pkcs11:object=both"});
    must({"seal", "net.safetensors", "-k", "pkcs11:object=both", "-o", "sealed", "--ledger", "l.db", "--for",
          "acme"});
    const auto traced = run({"customer", "trace", "sealed", "--ledger", "l.db", "-k", "pkcs11:object=both"});
    EXPECT_EQ(traced.code, 0) << traced.err;
    EXPECT_THAT(traced.out, HasSubstr("acme"));
}

TEST_F(Token, DerivesSecretsIfItsKeyMay) {
    token->make_key("both", "02", "EC:prime256v1", {"--usage-sign", "--usage-derive"});
    token->use_here();
    const auto pin = [](const std::string&) -> Result<std::string> { return std::string(SoftToken::kPin); };
    const auto derived = [&](const char* label) {
        const auto key = load_signing_key("pkcs11:object=both", pin);
        EXPECT_TRUE(key.ok()) << key.error().message;
        return to_hex(key->derive(label).value().bytes());
    };
    EXPECT_EQ(derived("ledger"), derived("ledger"));
    EXPECT_NE(derived("ledger"), derived("other"));
    const auto key = load_signing_key("pkcs11:object=seal", pin);
    ASSERT_TRUE(key.ok()) << key.error().message;
    const auto refused = key->derive("ledger");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(refused.error().message, HasSubstr("token 'vendor', object 'seal': derives no secret"));
    EXPECT_THAT(refused.error().hint, HasSubstr("CKA_DERIVE"));
    EXPECT_FALSE(signing_key_pem(*key, "").ok());
}

}  // namespace
}  // namespace modelseal
