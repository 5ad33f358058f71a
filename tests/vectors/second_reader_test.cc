// A second implementation, second_reader.py, was written from the page modelseal-seal(5) alone. It must come to
// the answers of the program: that proves the page complete, and keeps it true.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>

namespace modelseal {
namespace {

using test::safetensors_file;

template <typename To, typename From>
std::string each(const std::string& data, To (*convert)(From)) {
    std::string made(data.size() / sizeof(From) * sizeof(To), '\0');
    for (std::size_t i = 0; i < data.size() / sizeof(From); ++i) {
        From value;
        std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
        const To converted = convert(value);
        std::memcpy(made.data() + i * sizeof converted, &converted, sizeof converted);
    }
    return made;
}

// Floats of test::float_weights in other types, and cut to the values that a smaller type has.
using Weights = std::string(std::size_t count, unsigned seed);

std::string on_grid_of_f16(std::size_t count, unsigned seed) {
    return each<std::uint32_t, std::uint32_t>(test::float_weights(count, seed),
                                              [](std::uint32_t bits) { return bits & 0xFFFF'E000; });
}

std::string on_grid_of_bf16(std::size_t count, unsigned seed) {
    return each<std::uint32_t, std::uint32_t>(test::float_weights(count, seed),
                                              [](std::uint32_t bits) { return bits & 0xFFFF'0000; });
}

template <Weights weights>
std::string as_f16(std::size_t count, unsigned seed) {
    return each<std::uint16_t, std::uint32_t>(weights(count, seed), [](std::uint32_t bits) {
        const auto size = static_cast<std::int32_t>(bits >> 13 & 0x3'FFFF) - (112 << 10);
        return static_cast<std::uint16_t>(bits >> 31 << 15 | static_cast<std::uint32_t>(std::max(size, 0)));
    });
}

std::string as_bf16(std::size_t count, unsigned seed) {
    return each<std::uint16_t, std::uint32_t>(test::float_weights(count, seed), [](std::uint32_t bits) {
        return static_cast<std::uint16_t>(bits >> 16);
    });
}

// Eight times as large, which fp8 has many values for; with so many bits of mantissa, cut off.
template <unsigned Mantissa, std::uint32_t Bias>
std::string as_f8(std::size_t count, unsigned seed) {
    return each<std::uint8_t, std::uint32_t>(test::float_weights(count, seed), [](std::uint32_t bits) {
        const auto exponent =
            static_cast<std::int32_t>(bits >> 23 & 0xFF) + 3 - 127 + static_cast<std::int32_t>(Bias);
        const auto size = exponent < 1 ? 0u
                                       : static_cast<std::uint32_t>(exponent) << Mantissa |
                                             (bits >> (23 - Mantissa) & ((1u << Mantissa) - 1));
        return static_cast<std::uint8_t>((size == 0 ? 0u : bits >> 31 << 7) | size);
    });
}

template <Weights weights>
std::string as_f64(std::size_t count, unsigned seed) {
    return each<double, float>(weights(count, seed), [](float value) { return double{value}; });
}

// Noise down to the last place: a float has 24 bits of the 53.
std::string f64_weights(std::size_t count, unsigned seed) {
    auto data = as_f64<test::float_weights>(count, seed);
    for (const int places : {22, 44}) {
        const auto finer = as_f64<test::float_weights>(count, seed + static_cast<unsigned>(places));
        for (std::size_t at = 0; at < data.size(); at += sizeof(double)) {
            double value, low;
            std::memcpy(&value, data.data() + at, sizeof value);
            std::memcpy(&low, finer.data() + at, sizeof low);
            value += std::ldexp(low, -places);
            std::memcpy(data.data() + at, &value, sizeof value);
        }
    }
    return data;
}

// As models have them that keep tables or counts among their weights: they cannot carry.
std::string integers_as_f32(std::size_t count, unsigned seed) {
    return each<float, unsigned char>(test::integer_weights(count, seed),
                                      [](unsigned char value) { return static_cast<float>(value); });
}

// Enough blocks for a table of its own, more than one node, and other tensors around.
std::string many_blocks(const std::string& dtype, Weights weights) {
    return safetensors_file({{"a.weight", dtype, {300, 150}, weights(45'000, 1)},
                             {"b.weight", dtype, {15'000}, weights(15'000, 2)},
                             {"c.bias", "F32", {300}, test::float_weights(300, 3)},
                             {"d.steps", "I64", {}, std::string(8, '\7')},
                             {"e.\xC3\xA9mpty", "F32", {0, 3}, {}}});
}

// Cells on three grids, cells that do not carry, and tensors of one shape.
std::string mixed() {
    return safetensors_file({{"a.weight", "F32", {3000}, test::float_weights(3000, 1)},
                             {"b.weight", "F32", {120, 100}, integers_as_f32(12'000, 2)},
                             {"c.weight", "F32", {120, 100}, on_grid_of_f16(12'000, 3)},
                             {"d.weight", "F32", {120, 100}, on_grid_of_bf16(12'000, 4)},
                             {"e.weight", "BF16", {700}, as_bf16(700, 5)}});
}

std::string one_tensor() {
    return safetensors_file({{"w", "F32", {6000}, test::float_weights(6000, 1)}});
}

std::vector<test::SmallModel> models() {
    std::vector<test::SmallModel> all = {
        {"i8", [] { return many_blocks("I8", test::integer_weights); }},
        {"u8", [] { return many_blocks("U8", test::integer_weights); }},
        {"e4m3", [] { return many_blocks("F8_E4M3", as_f8<3, 7>); }},
        {"e5m2", [] { return many_blocks("F8_E5M2", as_f8<2, 15>); }},
        {"e4m3fnuz", [] { return many_blocks("F8_E4M3FNUZ", as_f8<3, 8>); }},
        {"e5m2fnuz", [] { return many_blocks("F8_E5M2FNUZ", as_f8<2, 16>); }},
        {"f16", [] { return many_blocks("F16", as_f16<test::float_weights>); }},
        {"f16_of_bf16", [] { return many_blocks("F16", as_f16<on_grid_of_bf16>); }},
        {"bf16", [] { return many_blocks("BF16", as_bf16); }},
        {"f32", [] { return many_blocks("F32", test::float_weights); }},
        {"f32_of_f16", [] { return many_blocks("F32", on_grid_of_f16); }},
        {"f32_of_bf16", [] { return many_blocks("F32", on_grid_of_bf16); }},
        {"f64", [] { return many_blocks("F64", f64_weights); }},
        {"f64_of_f32", [] { return many_blocks("F64", as_f64<test::float_weights>); }},
        {"f64_of_f16", [] { return many_blocks("F64", as_f64<on_grid_of_f16>); }},
        {"f64_of_bf16", [] { return many_blocks("F64", as_f64<on_grid_of_bf16>); }},
        {"mixed", mixed},
    };
    for (const auto& model : test::small_models()) {
        if (model.name.starts_with("safetensors")) all.push_back({"small_" + model.name, model.file});
    }
    return all;
}

test::Outcome second_reader(const std::filesystem::path& model, const std::filesystem::path& key) {
    const auto script = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/vectors/second_reader.py";
    return test::run({"python3", "-B", script, model, key});
}

#define MODELSEAL_NEED_PYTHON() \
    if (!test::installed("python3")) GTEST_SKIP() << "no python3 for the second reader"

class SecondReader : public testing::TestWithParam<test::SmallModel> {
  protected:
    test::Scratch folder_;
    SigningKey key_ = test::test_key();
    std::filesystem::path public_key_ = folder_.write("vendor.pub", public_key_pem(key_.public_key()));
};

TEST_P(SecondReader, CallsIntactWhatTheProgramSealed) {
    MODELSEAL_NEED_PYTHON();
    const auto sealed = folder_.write("sealed", test::sealed_bytes(GetParam().file(), key_));
    const auto outcome = second_reader(sealed, public_key_);
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(OfType, SecondReader, testing::ValuesIn(models()),
                         [](const auto& given) { return given.param.name; });

TEST(SecondReaderOfVersion1, CallsTheGoldenFilesIntact) {
    MODELSEAL_NEED_PYTHON();
    const test::Scratch folder;
    const auto golden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1";
    const auto ed25519 = folder.write("ed25519.pub", public_key_pem(test::test_key().public_key()));
    const auto p256 = folder.write("p256.pub", public_key_pem(test::test_key_p256().public_key()));
    for (const std::string name : {"safetensors_i8.sealed", "safetensors_f32.sealed"}) {
        for (const auto& [file, key] :
             {std::pair(golden / name, ed25519), std::pair(golden / ("p256_" + name), p256)}) {
            const auto outcome = second_reader(file, key);
            EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
            EXPECT_NE(outcome.out.find("version 1"), std::string::npos) << outcome.out;
        }
    }
}

class SecondReaderOfSpoiled : public SecondReader {};

TEST_P(SecondReaderOfSpoiled, AgreesWithTheProgramThatAFlippedBitIsNotIntact) {
    MODELSEAL_NEED_PYTHON();
    const auto sealed = test::sealed_bytes(GetParam().file(), key_);
    const auto check = public_check_key(key_.public_key());
    for (const auto place : {sealed.size() - 1, sealed.size() / 2, sealed.size() / 3}) {
        auto spoiled = sealed;
        spoiled[place] = static_cast<char>(spoiled[place] ^ 1);
        const auto file = folder_.write("spoiled", spoiled);
        const auto outcome = second_reader(file, public_key_);
        EXPECT_EQ(outcome.code, 1) << place << ": " << outcome.out << outcome.err;
        const auto report = check_model(file, {.seal = SealCheck{.keys = {check}}, .jobs = 1}).value();
        EXPECT_EQ(report.verdict, Verdict::tampered) << place << ": " << report.error;
    }
}

INSTANTIATE_TEST_SUITE_P(
    OfType, SecondReaderOfSpoiled,
    testing::Values(test::SmallModel{"i8", [] { return many_blocks("I8", test::integer_weights); }},
                    test::SmallModel{"f32", one_tensor}, test::SmallModel{"mixed", mixed}),
    [](const auto& given) { return given.param.name; });

TEST_P(SecondReaderOfSpoiled, FindsNoSealUnderTheKeyOfAnother) {
    MODELSEAL_NEED_PYTHON();
    const auto sealed = folder_.write("sealed", test::sealed_bytes(GetParam().file(), key_));
    const auto other = folder_.write("other.pub", public_key_pem(test::test_key(2).public_key()));
    const auto outcome = second_reader(sealed, other);
    EXPECT_EQ(outcome.code, 4) << outcome.out << outcome.err;
}

TEST_P(SecondReaderOfSpoiled, FindsWhatIsSealedForACustomerWithTheCustomersKeyOnly) {
    MODELSEAL_NEED_PYTHON();
    const auto check_key = folder_.write("acme.check", new_check_key(key_, "ACME, Inc.").value());
    const auto check = load_check_key(check_key).value();
    const auto parent = folder_.write("parent", test::sealed_bytes(GetParam().file(), key_));
    const auto original = folder_.write("original", GetParam().file());
    const auto done =
        seal_model(original, folder_ / "sealed",
                   {.key = key_, .check = check, .stamp = {{"use", "test"}}, .parent = parent, .jobs = 1});
    ASSERT_TRUE(done.ok()) << done.error().message;
    const auto found = second_reader(folder_ / "sealed", check_key);
    EXPECT_EQ(found.code, 0) << found.out << found.err;
    EXPECT_NE(found.out.find(done->root), std::string::npos) << found.out;
    EXPECT_EQ(second_reader(folder_ / "sealed", public_key_).code, 4);
}

TEST(SecondReaderOnP256, AgreesAboutPublicAndCheckKey) {
    MODELSEAL_NEED_PYTHON();
    const test::Scratch folder;
    const auto key = SigningKey::generate(KeyType::p256);
    const auto model = folder.write("model", one_tensor());
    const auto open = folder.write("vendor.pub", public_key_pem(key.public_key()));
    const auto customer = folder.write("acme.check", new_check_key(key, "ACME, Inc.").value());
    for (const auto& [file, check] : {std::pair(open, public_check_key(key.public_key())),
                                      std::pair(customer, *load_check_key(customer))}) {
        ASSERT_TRUE(seal_model(model, folder / "sealed", {.key = key, .check = check, .jobs = 1}).ok());
        const auto found = second_reader(folder / "sealed", file);
        EXPECT_EQ(found.code, 0) << found.out << found.err;
    }
    EXPECT_EQ(second_reader(folder / "sealed", open).code, 4);
}

}  // namespace
}  // namespace modelseal
