#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "blackbox/container/container.h"
#include "report/inspection.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/models/small_fingerprint.h"
#include "tests/support/models/small_models.h"
#include "tests/support/models/tensor_file.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using nlohmann::json;
using report::to_json;
using report::to_text;
using test::floats;
using test::tensor_file;
using testing::HasSubstr;
using testing::Not;

class Inspect : public testing::Test {
  protected:
    Inspection of(const std::string& name, const std::string& content) const {
        auto result = inspect(scratch_.write(name, content));
        if (!result.ok()) throw std::runtime_error(result.error().message);
        return std::move(result).value();
    }
    test::Scratch scratch_;
};

TEST_F(Inspect, DescribesAModelByTheContract) {
    const auto file = tensor_file({floats("w", {1, 2, 3}), {"h", "F16", {2, 1}, "abcd"}});
    const auto found = of("m.safetensors", file);
    const auto parsed = json::parse(to_json(found));
    EXPECT_EQ(parsed["schema"], "modelseal-inspect/1");
    EXPECT_EQ(parsed["format"], "safetensors");
    EXPECT_EQ(parsed["files"], json({"m.safetensors"}));
    EXPECT_EQ(parsed["tensors"][0], json({{"name", "h"},
                                          {"dtype", "f16"},
                                          {"shape", {2, 1}},
                                          {"file", "m.safetensors"},
                                          {"offset", file.size() - 4},
                                          {"bytes", 4}}));
    EXPECT_EQ(parsed["tensors"][1]["offset"], file.size() - 16);
    EXPECT_EQ(parsed["warnings"], json::array());
}

TEST_F(Inspect, TheTextHasATableTotalsAndAHint) {
    const auto text = to_text(of("m", tensor_file({floats("w", {1, 2, 3}), floats("v", {1})})), {});
    EXPECT_THAT(text, HasSubstr("m: safetensors, 2 tensors, 4 parameters, 16 B\n"));
    EXPECT_THAT(text, HasSubstr("w       f32   [3]       12"));
    EXPECT_THAT(text, HasSubstr("f32         2         4  16 B"));
    EXPECT_THAT(text, HasSubstr("a seal cannot be seen without a key"));
}

TEST_F(Inspect, DescribesKeysWithoutPassphraseAndWithoutSecrets) {
    constexpr std::string_view kSeed = "0123456789abcdef0123456789abcdef";
    const SigningKey key(Secret32(std::as_bytes(std::span(kSeed)).first<32>()));
    const auto id = to_hex(key.public_key().id());
    const auto encrypted = json::parse(to_json(of("e.key", signing_key_pem(key, "secret").value())));
    EXPECT_EQ(encrypted["kind"], "private-key");
    EXPECT_EQ(encrypted["encrypted"], true);
    EXPECT_FALSE(encrypted.contains("key_id"));

    const auto plain = of("p.key", signing_key_pem(key, "").value());
    EXPECT_EQ(json::parse(to_json(plain))["encrypted"], false);
    EXPECT_EQ(json::parse(to_json(plain))["key_id"], id);
    EXPECT_THAT(to_text(plain, {}), HasSubstr("not encrypted"));
    for (const auto& text : {to_json(plain), to_text(plain, {})}) {
        EXPECT_THAT(text, Not(HasSubstr(std::string(kSeed))));
        EXPECT_THAT(text, Not(HasSubstr(to_hex(std::as_bytes(std::span(kSeed))))));
    }

    const auto open = json::parse(to_json(of("k.pub", public_key_pem(key.public_key()))));
    EXPECT_EQ(open["kind"], "public-key");
    EXPECT_EQ(open["key_id"], id);
    EXPECT_EQ(open["algorithm"], "Ed25519");

    const auto check = of("c.check", new_check_key(key, "acme").value());
    EXPECT_EQ(json::parse(to_json(check))["kind"], "check-key");
    EXPECT_EQ(json::parse(to_json(check))["customer"], "acme");
    EXPECT_EQ(json::parse(to_json(check))["vendor_key"], id);
}

TEST_F(Inspect, DescribesALedgerWithoutItsKey) {
    const auto key = test::test_key();
    ASSERT_TRUE(Ledger::open_or_create(scratch_ / "book", key)->add(key, "acme").ok());
    const auto found = inspect(scratch_ / "book", {});
    ASSERT_TRUE(found.ok()) << found.error().message;
    const auto told = json::parse(to_json(*found));
    EXPECT_EQ(told["kind"], "ledger");
    EXPECT_EQ(told["vendor_key"], to_hex(key.public_key().id()));
    EXPECT_EQ(told["customers"], 1);
    EXPECT_EQ(told["entries"], 0);
    EXPECT_THAT(to_text(*found, {}), HasSubstr("ledger"));
}

TEST_F(Inspect, ABundleIsASignature) {
    const auto found = of("model.sig", R"({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "00"}}, "dsseEnvelope": {}})");
    EXPECT_EQ(found.kind, "signature");
    EXPECT_THAT(to_text(found, {}), HasSubstr("OpenSSF model signature"));
    EXPECT_EQ(json::parse(to_json(found))["method"], "key");
}

TEST_F(Inspect, AnUnknownKindIsAnErrorThatNamesTheFile) {
    const std::pair<const char*, const char*> rows[] = {
        {"empty", ""},
        {"text", "hello"},
        {"json", R"({"a": 1})"},
        {"bundle", R"({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"})"},
        {"broken.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
        {"other.pem", "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"},
        {"cut.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n"},
    };
    for (const auto& [name, content] : rows) {
        const auto result = inspect(scratch_.write(name, content));
        ASSERT_FALSE(result.ok()) << name;
        EXPECT_THAT(result.error().message, HasSubstr(name));
        EXPECT_NE(result.error().kind, ErrorKind::internal);
    }
    EXPECT_EQ(inspect(scratch_ / "absent").error().kind, ErrorKind::unreadable);
}

TEST_F(Inspect, ShowsTheStampOfASealedModelWithItsKey) {
    std::vector<float> weights(20'000);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i));
    const auto model = scratch_.write("m.safetensors", tensor_file({floats("w", weights)}));
    const auto key = SigningKey::generate();
    const auto check = public_check_key(key.public_key());
    const auto sealed = scratch_ / "s.safetensors";
    ASSERT_TRUE(
        seal_model(model, sealed,
                   {.key = key, .check = check, .stamp = {{"version", "3.1"}}, .receipt = scratch_ / "r"})
            .ok());

    const auto found = inspect(sealed, {.keys = {check}}).value();
    EXPECT_THAT(to_text(found, {}), HasSubstr("seal        intact\n    version     3.1\n"));
    const auto seal = json::parse(to_json(found))["seal"];
    EXPECT_EQ(seal["outcome"], "intact");
    EXPECT_EQ(seal["stamp"]["version"], "3.1");
    EXPECT_FALSE(json::parse(to_json(inspect(sealed).value())).contains("seal"));

    const auto receipt = inspect(scratch_ / "r").value();
    EXPECT_EQ(receipt.kind, "receipt");
    EXPECT_EQ(json::parse(to_json(receipt))["root"], seal["root"]);
    EXPECT_EQ(json::parse(to_json(receipt))["vendor_key"], seal["vendor_key"]);
    EXPECT_THAT(to_text(receipt, {}), Not(HasSubstr(to_hex(check.secret.bytes()))));

    const auto stranger = public_check_key(SigningKey::generate().public_key());
    EXPECT_THAT(to_text(inspect(sealed, {.keys = {stranger}}).value(), {}),
                HasSubstr("no seal under this key"));
}

TEST_F(Inspect, AModelThatQuotesAKeyIsAModel) {
    EXPECT_EQ(of("m", tensor_file({floats("w", {1})}, "\n-----BEGIN PUBLIC KEY-----\n")).kind, "model");
}

TEST_F(Inspect, HostileNamesStayInTheirPlace) {
    const auto found = of("m", tensor_file({floats("a\x1b[31m\xc2\x9b", {1})}));
    EXPECT_THAT(to_text(found, {}), HasSubstr("a\\x1b[31m\\xc2\\x9b"));
    EXPECT_EQ(to_json(found).find('\x1b'), std::string::npos);
    EXPECT_EQ(json::parse(to_json(found))["tensors"][0]["name"], "a\x1b[31m\xc2\x9b");
}

TEST_F(Inspect, AFolderIsOneModelOfSeveralFiles) {
    scratch_.write("f/one.safetensors", tensor_file({floats("w", {1})}));
    scratch_.write("f/two.safetensors", tensor_file({floats("v", {1, 2})}));
    const auto found = inspect(scratch_ / "f").value();
    const auto parsed = json::parse(to_json(found));
    EXPECT_EQ(parsed["files"], json({"one.safetensors", "two.safetensors"}));
    EXPECT_EQ(parsed["tensors"][0]["file"], "two.safetensors");
    EXPECT_THAT(to_text(found, {}), HasSubstr("in 2 files"));
}

TEST(InspectRealFiles, EachIsDescribedOrRefusedByName) {
    MODELSEAL_NEED_DATA();
    std::size_t models = 0, signatures = 0, certificates = 0;
    for (const auto* folder : {"models", "hostile", "oms"}) {
        for (const auto& path : test::files_under(test::data_folder() / folder)) {
            const auto result = inspect(path);
            if (!result.ok()) {
                EXPECT_NE(result.error().kind, ErrorKind::internal) << result.error().message;
                EXPECT_THAT(result.error().message, HasSubstr(path.filename().string()));
                continue;
            }
            models += result.value().kind == "model";
            signatures += result.value().kind == "signature";
            certificates += result.value().kind == "certificate";
            EXPECT_TRUE(json::accept(to_json(result.value()))) << path;
            EXPECT_FALSE(to_text(result.value(), {}).empty());
        }
    }
    EXPECT_GT(models, 15u);
    EXPECT_GT(signatures, 10u);
    EXPECT_GT(certificates, 2u);
}

TEST_F(Inspect, AFingerprintShowsItsHeaderAndWithItsKeyWhatIsInside) {
    const auto vendor = test::test_key();
    const auto customer = test::customer_key(vendor), other = test::customer_key(vendor, "other", 8);
    auto made = test::small_fingerprint();
    made.customer = "acme";
    made.expires = "2026-11-22T00:00:00Z";
    const auto id = test::write_fingerprint(made, vendor, customer, scratch_ / "net.fp");
    const auto told = [&](const std::vector<CheckKey>& keys) {
        return json::parse(to_json(inspect(scratch_ / "net.fp", {.keys = keys}).value()));
    };
    const auto closed = told({});
    EXPECT_EQ(closed["kind"], "fingerprint");
    EXPECT_EQ(closed["id"], id);
    EXPECT_EQ(closed["vendor_key"], to_hex(vendor.public_key().id()));
    EXPECT_EQ(closed["expires"], made.expires);
    EXPECT_EQ(closed["for_everybody"], false);
    EXPECT_FALSE(closed.contains("customer"));
    EXPECT_FALSE(closed.contains("root"));
    const auto open = told({customer});
    EXPECT_EQ(open["customer"], "acme");
    EXPECT_EQ(open["root"], made.root);
    EXPECT_EQ(open["pairs_fp32"], 2);
    EXPECT_EQ(told({other})["warnings"].size(), 1u);
    auto spoiled = test::content_of(scratch_ / "net.fp");
    spoiled.back() = static_cast<char>(spoiled.back() ^ 1);
    EXPECT_EQ(inspect(scratch_.write("spoiled.fp", spoiled)).error().kind, ErrorKind::mismatch);
}

}  // namespace
}  // namespace modelseal
