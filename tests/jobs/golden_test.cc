// Files sealed by past releases keep verifying. tests/golden/README.md describes each one;
// MODELSEAL_UPDATE_GOLDENS=1 writes those of this release.
#include <cstdlib>

#include <gtest/gtest.h>

#include "jobs/receipt.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v1";

void expect_golden(const std::string& name, const std::string& original, const SigningKey& key) {
    const auto check = public_check_key(key.public_key());
    const auto sealed = kGolden / (name + ".sealed");
    const auto receipt = kGolden / (name + ".receipt");
    const test::Scratch folder;
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        const auto model = folder.write("model", original);
        const SealOptions options{
            .key = key,
            .check = check,
            .stamp = {{"name", "golden"}, {"version", "1"}, {"time", "2026-11-21T00:00:00Z"}},
            .receipt = receipt};
        ASSERT_TRUE(seal_model(model, sealed, options).ok());
    }
    const auto report =
        check_model(sealed, {.keys = {&check, 1}, .expect = {{"name", "golden"}, {"version", "1"}}});
    EXPECT_EQ(report.verdict, Verdict::intact) << report.error;
    ASSERT_TRUE(unseal_model(sealed, receipt, folder / "original").ok());
    EXPECT_EQ(test::content_of(folder / "original"), original);
}

class Golden : public testing::TestWithParam<test::SmallModel> {};

TEST_P(Golden, SealedFileStillChecksAndUnseals) {
    expect_golden(GetParam().name, GetParam().file(), test::test_key());
}

INSTANTIATE_TEST_SUITE_P(OfVersion1, Golden, testing::ValuesIn(test::small_models()),
                         [](const auto& given) { return given.param.name; });

TEST(GoldenOfAKeyOnP256, SealedFilesStillCheckAndUnseal) {
    for (const auto& model : test::small_models()) {
        if (!model.name.starts_with("safetensors")) continue;
        expect_golden("p256_" + model.name, model.file(), test::test_key_p256());
    }
}

TEST(GoldenOfAKeyOnP256, ReceiptWithAnyBitChangedIsRefused) {
    const auto good = test::content_of(kGolden / "p256_safetensors_i8.receipt");
    ASSERT_TRUE(jobs::decode_receipt(std::as_bytes(std::span(good)), "receipt").ok());
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto spoiled = good;
        spoiled[bit / 8] = static_cast<char>(spoiled[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_FALSE(jobs::decode_receipt(std::as_bytes(std::span(spoiled)), "receipt").ok()) << bit;
    }
}

TEST(GoldenOfAKeyOnP256, CheckKeyStillOpens) {
    const auto path = kGolden / "p256_acme.check";
    const auto key = test::test_key_p256();
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        std::ofstream(path) << new_check_key(key, "ACME, Inc.").value();
    }
    const auto check = load_check_key(path.string());
    ASSERT_TRUE(check.ok()) << check.error().message;
    EXPECT_EQ(check->customer, "ACME, Inc.");
    EXPECT_EQ(check->vendor, key.public_key());
}

}  // namespace
}  // namespace modelseal
