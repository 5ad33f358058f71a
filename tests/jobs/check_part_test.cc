// A check of some tensors: what it reads, what it finds, and that no form of its report can be taken for an intact model.
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mark/checking/part.h"
#include "model/model.h"
#include "report/check/read.h"
#include "report/report.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/oms.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CheckPart : public testing::Test {
  protected:
    static constexpr std::size_t kLarge = 600'000, kSmall = 9'000;

    // Sealed once for all tests.
    static const std::string& sealed() {
        static const auto plain =
            test::safetensors_file({{"layers.0.w", "F32", {kLarge}, test::float_weights(kLarge, 1)},
                                    {"layers.1.w", "F32", {kLarge}, test::float_weights(kLarge, 2)},
                                    {"head.b", "F32", {kSmall}, test::float_weights(kSmall, 3)}});
        static const auto made = test::sealed_bytes(plain, test::test_key());
        return made;
    }
    CheckPart() {
        file = scratch.write("net.safetensors", bytes);
        keys.push_back(public_check_key(vendor.public_key()));
    }
    // Flips a bit of the value `index` of the tensor that begins `before` values into the data.
    void flip(std::size_t before, std::size_t index) {
        auto changed = bytes;
        const auto data = changed.size() - 4 * (2 * kLarge + kSmall);
        changed[data + 4 * (before + index)] = static_cast<char>(changed[data + 4 * (before + index)] ^ 1);
        scratch.write("net.safetensors", changed);
    }
    CheckReport check(std::vector<std::string> tensors, CheckOptions options = {}) {
        options.seal = SealCheck{.keys = keys};
        options.tensors = std::move(tensors);
        return check_model(file, options).value();
    }
    CheckReport verify(std::vector<std::string> tensors) {
        return check_model(file, {.signature = SignatureCheck{.signature = scratch / "m.sig",
                                                              .public_keys = {sign.key.public_key()}},
                                  .tensors = std::move(tensors)})
            .value();
    }
    void sign_it() {
        sign.signature = scratch / "m.sig";
        ASSERT_TRUE(sign_model(file, sign).ok());
    }

    test::Scratch scratch;
    const SigningKey vendor = test::test_key();
    std::vector<CheckKey> keys;
    SignOptions sign{.key = SigningKey::generate(KeyType::p256)};
    const std::string& bytes = sealed();
    fs::path file;
};

TEST_F(CheckPart, OfAnIntactModelIsPartialAndExits3) {
    const auto report = check({"layers.1.*"});
    EXPECT_EQ(report.verdict, Verdict::partial) << report.error;
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    ASSERT_TRUE(report.seal && report.seal->part);
    const auto& part = *report.seal->part;
    EXPECT_EQ(part.tensors, 1u);
    EXPECT_EQ(part.tensors_total, 3u);
    EXPECT_EQ(part.bytes, 4 * kLarge);
    EXPECT_EQ(part.bytes_total, bytes.size());
    EXPECT_EQ(part.bits, 24u);
    EXPECT_FALSE(part.is_signed) << "check values stand after the signature";
    EXPECT_TRUE(report.seal->stamp_authentic);
    EXPECT_EQ(report.seal->vendor_key, to_hex(keys.front().vendor.id()));
}

TEST_F(CheckPart, FindsAChangeInWhatWasAskedForAndNoneInTheRest) {
    flip(0, 250'000);  // in the first of them
    EXPECT_EQ(check({"layers.1.*", "head.*"}).verdict, Verdict::partial);
    const auto report = check({"layers.*"});
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
    ASSERT_EQ(report.seal->tensors.size(), 1u);
    EXPECT_EQ(report.seal->tensors[0].name, "layers.0.w");
    ASSERT_EQ(report.seal->tensors[0].changed.size(), 1u);
    const auto range = report.seal->tensors[0].changed[0];
    EXPECT_LE(range.first, 250'000u);
    EXPECT_GT(range.first + range.count, 250'000u);
    EXPECT_EQ(report.seal->detail, "1 of 2 tensors changed, the rest was not looked at");
    EXPECT_THAT(report::to_text(report, {}), HasSubstr("tampered, 1 of 2 tensors changed"));
}

TEST_F(CheckPart, FindsAFlipInEveryBlockOfASmallTensor) {
    for (std::size_t value = 0; value < kSmall; value += 997) {
        // Tensors lie in the order of their list in the file that the test wrote.
        flip(2 * kLarge, value);
        const auto report = check({"head.b"});
        EXPECT_EQ(report.verdict, Verdict::tampered) << value << report.error;
    }
}

// A source that counts what is read.
class Counting final : public Source {
  public:
    Counting(std::unique_ptr<Source> source, std::atomic<std::uint64_t>& count)
        : source_(std::move(source)), count_(count) {}
    const std::string& name() const override { return source_->name(); }
    std::uint64_t size() const override { return source_->size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        count_ += out.size();
        return source_->read(offset, out);
    }

  private:
    std::unique_ptr<Source> source_;
    std::atomic<std::uint64_t>& count_;
};

TEST_F(CheckPart, ReadsTheCellsThatItNeedsAndTheTensorsAskedFor) {
    auto model = model::open_model(file).value();
    std::atomic<std::uint64_t> read = 0;
    model.files[0].source = std::make_unique<Counting>(std::move(model.files[0].source), read);
    const auto chosen = [](std::string_view name) { return name == "head.b"; };
    const auto found = mark::check_part(model, keys.front(), chosen, false, 1, no_progress()).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->outcome, SealFinding::Outcome::partial);
    EXPECT_GE(read, 4 * kSmall);
    EXPECT_LT(read, bytes.size() / 3) << "cells of the manifest, and the small tensor";
}

TEST_F(CheckPart, TheStampAloneComparesNoTensor) {
    flip(0, 7);
    const auto model = model::open_model(file).value();
    const auto found = mark::read_stamp(model, keys.front(), 1).value();
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->stamp_authentic);
    EXPECT_EQ(found->outcome, SealFinding::Outcome::partial);
    EXPECT_EQ(found->part->tensors, 0u);
    EXPECT_EQ(found->part->bits, 0u);
}

TEST_F(CheckPart, APatternWithoutATensorIsNoSuccess) {
    const auto report = check({"layers.0.*", "layer.1.*"});
    EXPECT_EQ(report.verdict, Verdict::error);
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    EXPECT_THAT(report.error, HasSubstr("no tensor matches 'layer.1.*'"));
    EXPECT_EQ(check_model(file, {.seal = SealCheck{.keys = keys}, .tensors = {"[a"}}).error().kind,
              ErrorKind::usage);
}

TEST_F(CheckPart, WithoutASealUnderTheKeyNothingIsFound) {
    keys = {public_check_key(SigningKey::generate(KeyType::ed25519).public_key())};
    const auto report = check({"head.b"});
    EXPECT_EQ(report.verdict, Verdict::unsealed);
    EXPECT_EQ(report.exit_code, ExitCode::nothing);
}

TEST_F(CheckPart, TheStampThatIsExpectedCounts) {
    const auto report = check({"head.b"}, {.policy = {.stamp = {{"name", "other"}}}});
    EXPECT_EQ(report.verdict, Verdict::unexpected);
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
}

TEST_F(CheckPart, BySignatureIsAgainstSignedDigests) {
    sign_it();
    auto report = verify({"head.b", "layers.1.w"});
    EXPECT_EQ(report.verdict, Verdict::partial) << report.error;
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    ASSERT_TRUE(report.signature && report.signature->part);
    EXPECT_EQ(report.signature->part->tensors, 2u);
    EXPECT_EQ(report.signature->part->bits, 256u);
    EXPECT_TRUE(report.signature->part->is_signed);
    EXPECT_EQ(report.signature->detail, "2 of 3 tensors as signed, the rest was not looked at");
    flip(kLarge, 3);
    EXPECT_EQ(verify({"head.b"}).verdict, Verdict::partial);
    report = verify({"layers.*"});
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_EQ(report.signature->outcome, SignatureFinding::Outcome::invalid);
    ASSERT_EQ(report.signature->findings.size(), 1u);
    ASSERT_EQ(report.signature->findings[0].tensors.size(), 1u);
    EXPECT_EQ(report.signature->findings[0].tensors[0].name, "layers.1.w");
}

TEST_F(CheckPart, BySignatureNeedsDigestsOfTensorsAndTheRightKey) {
    sign.tensors = false;
    sign_it();
    const auto report = verify({"head.b"});
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    EXPECT_THAT(report.error, HasSubstr("lists no digests of tensors"));
    sign.key = SigningKey::generate(KeyType::p256);
    EXPECT_EQ(verify({"head.b"}).verdict, Verdict::tampered) << "by another key";
}

TEST_F(CheckPart, AnExpectedSignatureThatIsMissingOutweighsIt) {
    const auto report = check({"head.b"}, {.policy = {.expected = {.signature = true}}});
    EXPECT_EQ(report.verdict, Verdict::unsealed);
    EXPECT_EQ(report.exit_code, ExitCode::nothing);
}

TEST_F(CheckPart, NoFormOfTheReportSaysIntact) {
    sign_it();
    auto report = check({"head.b"}, {.signature = SignatureCheck{.signature = scratch / "m.sig",
                                                                 .public_keys = {sign.key.public_key()}}});
    ASSERT_EQ(report.verdict, Verdict::partial) << report.error;
    const auto text = report::to_text(report, {});
    EXPECT_THAT(text, HasSubstr("partial, no change found in 1 of 3 tensors, the rest was not looked at"));
    EXPECT_THAT(text, HasSubstr("not checked: 2 other tensors, and all else in the files"));
    EXPECT_THAT(text, HasSubstr("24 bits of SHA-256 for each block, not signed"));
    EXPECT_THAT(text, HasSubstr("256 signed bits of SHA-256 for each tensor"));
    EXPECT_THAT(text, Not(HasSubstr("intact")));
    const auto json = nlohmann::json::parse(report::to_json({&report, 1}, true));
    EXPECT_EQ(json["verdict"], "partial");
    EXPECT_EQ(json["exit_code"], 3);
    EXPECT_EQ(json["checks"][0]["outcome"], "partial");
    EXPECT_FALSE(json["checks"][0].contains("frame"));
    EXPECT_FALSE(json["checks"][0].contains("weights"));
    EXPECT_EQ(json["checks"][0]["partial"]["patterns"], nlohmann::json({"head.b"}));
    EXPECT_EQ(json["checks"][1]["partial"]["signed"], true);
    EXPECT_THAT(json.dump(), Not(HasSubstr("\"intact\"")));
    const auto sarif = nlohmann::json::parse(report::to_sarif({&report, 1}, "1", {}));
    ASSERT_EQ(sarif["runs"][0]["results"].size(), 2u);
    EXPECT_EQ(sarif["runs"][0]["results"][0]["ruleId"], "partially-checked");
    EXPECT_EQ(sarif["runs"][0]["results"][0]["level"], "warning");
    EXPECT_EQ(sarif["runs"][0]["results"][0]["properties"]["tensorsTotal"], 3);
    const auto page = report::to_html({&report, 1}, {});
    EXPECT_THAT(page, HasSubstr("the rest was not looked at"));
    EXPECT_THAT(page, HasSubstr("Checked in part"));
    EXPECT_THAT(report::to_junit({&report, 1}, {}), HasSubstr("failures=\"2\""));
}

TEST_F(CheckPart, IsReadBackFromItsJson) {
    const auto report = check({"head.b"});
    const auto again = report::read_report(report::to_json({&report, 1}, true)).value();
    EXPECT_EQ(again.verdict, Verdict::partial);
    ASSERT_TRUE(again.seal && again.seal->part);
    EXPECT_EQ(again.seal->part->tensors_total, 3u);
    EXPECT_EQ(report::to_json({&again, 1}, true), report::to_json({&report, 1}, true));
    auto json = nlohmann::json::parse(report::to_json({&report, 1}, true));
    json["exit_code"] = 0;
    EXPECT_FALSE(report::read_report(json.dump()).ok()) << "a part is no success";
}

}  // namespace
}  // namespace modelseal
