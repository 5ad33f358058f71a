// Which of many keys counts: the one of the intact seal, whatever was checked before.
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

class ManyKeys : public testing::Test {
  protected:
    CheckReport check(const std::string& bytes, const std::vector<unsigned>& seeds) {
        SealCheck seal;
        for (const auto seed : seeds) seal.keys.push_back(public_check_key(test::test_key(seed).public_key()));
        return check_model(scratch.write("net", bytes), {.seal = seal, .jobs = 1}).value();
    }
    static std::string id(unsigned seed) { return to_hex(test::test_key(seed).public_key().id()); }
    static std::string plain(unsigned seed) {
        return test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, seed)}});
    }
    const test::Scratch scratch;
    const std::vector<unsigned> all = {1, 2, 3, 4, 5, 6, 7};
};

TEST_F(ManyKeys, EachVendorIsFound) {
    for (const unsigned vendor : {7u, 1u, 4u, 4u}) {
        const auto report = check(test::sealed_bytes(plain(vendor), test::test_key(vendor)), all);
        ASSERT_EQ(report.verdict, Verdict::intact);
        EXPECT_EQ(report.seal->vendor_key, id(vendor));
    }
}

TEST_F(ManyKeys, NoneOfThemFindsNothing) {
    const auto report = check(test::sealed_bytes(plain(1), test::test_key(9)), {1, 2, 3});
    EXPECT_EQ(report.verdict, Verdict::unsealed);
    EXPECT_EQ(report.exit_code, ExitCode::nothing);
}

TEST_F(ManyKeys, AnIntactSealCountsBeforeABrokenOne) {
    const auto twice = test::sealed_bytes(test::sealed_bytes(plain(1), test::test_key(1)), test::test_key(2));
    for (const auto& keys : {std::vector<unsigned>{1, 2}, {2, 1}, {3, 1, 2}}) {
        const auto report = check(twice, keys);
        EXPECT_EQ(report.verdict, Verdict::intact);
        EXPECT_EQ(report.seal->vendor_key, id(2));
    }
    EXPECT_EQ(check(twice, {1, 3}).verdict, Verdict::tampered);
}

// The copies of customers may be cut into other blocks, which a glance does not see.
TEST_F(ManyKeys, AnIntactCopyOfACustomerCountsBeforeTheSealUnderIt) {
    const auto floats = test::float_weights(600'000, 1);
    std::string halves;  // the upper ones: bf16
    for (std::size_t i = 0; i < floats.size(); i += 4) halves += floats.substr(i + 2, 2);
    const auto original = test::safetensors_file({{"w", "BF16", {600'000}, halves}});
    const auto vendor = test::test_key(2);
    const std::array<std::byte, 32> secret{std::byte{7}};
    const CheckKey customer(vendor.public_key(), "acme", Secret32(secret));
    // Of the seals below, those of 4 and 5 are seen at a glance still.
    for (const unsigned below : {1u, 4u, 5u}) {
        const auto everybody = public_check_key(test::test_key(below).public_key());
        const auto file = scratch.write("below", test::sealed_bytes(original, test::test_key(below)));
        std::filesystem::remove(scratch / "above");
        const auto made = seal_model(file, scratch / "above", {.key = vendor, .check = customer});
        ASSERT_TRUE(made.ok()) << made.error().message;
        for (const auto& keys : {std::vector{everybody, customer}, {customer, everybody}}) {
            const auto report =
                check_model(scratch / "above", {.seal = SealCheck{.keys = keys}, .jobs = 1}).value();
            EXPECT_EQ(report.verdict, Verdict::intact) << below;
            EXPECT_EQ(report.seal->vendor_key, id(2)) << below;
        }
    }
}

TEST_F(ManyKeys, ATamperedModelIsOfItsVendorWhateverWasCheckedBefore) {
    auto bytes = test::sealed_bytes(plain(1), test::test_key(3));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    for (const unsigned before : {1u, 3u}) {
        check(test::sealed_bytes(plain(2), test::test_key(before)), all);
        const auto report = check(bytes, all);
        EXPECT_EQ(report.verdict, Verdict::tampered);
        EXPECT_EQ(report.seal->vendor_key, id(3));
    }
}

}  // namespace
}  // namespace modelseal
