// Files sealed by past releases keep verifying. tests/golden/README.md describes each one;
// MODELSEAL_UPDATE_GOLDENS=1 writes those of this release.
#include <cstdlib>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "jobs/receipt.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>

namespace modelseal {
namespace {

std::filesystem::path golden(int version) {
    return std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / ("v" + std::to_string(version));
}

std::string sha256_of(const std::string& bytes) {
    return to_hex(crypto::Sha256().update(std::as_bytes(std::span(bytes))).finish());
}

// The SHA-256 of each model before it was sealed, as sha256sum writes them.
std::map<std::string, std::string> originals(int version) {
    std::map<std::string, std::string> digests;
    std::ifstream list(golden(version) / "originals.sha256");
    for (std::string digest, name; list >> digest >> name;) digests[name] = digest;
    return digests;
}

struct GoldenSeal {
    int version = 0;
    std::string name;
};

std::vector<GoldenSeal> golden_seals() {
    std::vector<GoldenSeal> seals;
    for (const auto version : {1, 2}) {
        for (const auto& [name, digest] : originals(version)) seals.push_back({version, name});
    }
    return seals;
}

// Writes the golden files of this release: of version 2.
void write_golden(const test::SmallModel& small, const std::string& name, const SigningKey& key,
                  std::ofstream& list) {
    const test::Scratch folder;
    const auto original = small.file();
    const auto check = public_check_key(key.public_key());
    const SealOptions options{.key = key,
                              .check = check,
                              .stamp = {{"name", "golden"}, {"version", "1"}, {"time", "2026-11-21T00:00:00Z"}},
                              .receipt = golden(2) / (name + ".receipt")};
    const auto done = seal_model(folder.write("model", original), golden(2) / (name + ".sealed"), options);
    ASSERT_TRUE(done.ok()) << done.error().message;
    list << sha256_of(original) << "  " << name << "\n";
}

TEST(GoldenSeals, AreWrittenAnewOnRequest) {
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") == nullptr)
        GTEST_SKIP() << "MODELSEAL_UPDATE_GOLDENS is not set";
    std::ofstream list(golden(2) / "originals.sha256");
    for (const auto& small : test::small_models()) {
        write_golden(small, small.name, test::test_key(), list);
        if (small.name.starts_with("safetensors"))
            write_golden(small, "p256_" + small.name, test::test_key_p256(), list);
    }
}

class Golden : public testing::TestWithParam<GoldenSeal> {};

TEST_P(Golden, SealedFileStillChecksAndUnseals) {
    const auto& [version, name] = GetParam();
    const auto key = name.starts_with("p256") ? test::test_key_p256() : test::test_key();
    const auto check = public_check_key(key.public_key());
    const auto sealed = golden(version) / (name + ".sealed");
    const auto report = check_model(sealed, {.seal = SealCheck{.keys = {check}},
                                             .policy = {.stamp = {{"name", "golden"}, {"version", "1"}}}})
                            .value();
    EXPECT_EQ(report.verdict, Verdict::intact) << report.error;
    const test::Scratch folder;
    ASSERT_TRUE(unseal_model(sealed, golden(version) / (name + ".receipt"), folder / "original").ok());
    EXPECT_EQ(sha256_of(test::content_of(folder / "original")), originals(version)[name]);
}

INSTANTIATE_TEST_SUITE_P(OfEachVersion, Golden, testing::ValuesIn(golden_seals()), [](const auto& given) {
    return "v" + std::to_string(given.param.version) + "_" + given.param.name;
});

TEST(GoldenSeals, ThereAreSealsOfBothVersions) {
    EXPECT_EQ(originals(1).size(), 9u);
    EXPECT_EQ(originals(2).size(), 9u);
}

TEST(GoldenOfAKeyOnP256, ReceiptWithAnyBitChangedIsRefused) {
    const auto good = test::content_of(golden(1) / "p256_safetensors_i8.receipt");
    ASSERT_TRUE(jobs::decode_receipt(std::as_bytes(std::span(good)), "receipt").ok());
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto spoiled = good;
        spoiled[bit / 8] = static_cast<char>(spoiled[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_FALSE(jobs::decode_receipt(std::as_bytes(std::span(spoiled)), "receipt").ok()) << bit;
    }
}

TEST(GoldenOfAKeyOnP256, CheckKeyStillOpens) {
    const auto path = golden(1) / "p256_acme.check";
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
