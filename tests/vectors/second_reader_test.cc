// A second implementation, second_reader.py, was written from the page modelseal-seal(5) alone. It must come to
// the answers of the program: that proves the page complete, and keeps it true.
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>

namespace modelseal {
namespace {

using test::safetensors_file;

// Enough blocks for tables of their own, more than one node, and other tensors around.
std::string many_blocks(const std::string& dtype, std::size_t element_bytes) {
    return safetensors_file({{"a.weight", dtype, {300, 100}, test::integer_weights(30'000 * element_bytes, 1)},
                             {"b.weight", dtype, {25'000}, test::integer_weights(25'000 * element_bytes, 2)},
                             {"c.bias", "F32", {300}, test::float_weights(300, 3)},
                             {"d.steps", "I64", {}, std::string(8, '\7')},
                             {"e.\xC3\xA9mpty", "F32", {0, 3}, {}}});
}

std::string many_floats() {
    return safetensors_file({{"a.weight", "F32", {300, 100}, test::float_weights(30'000, 1)},
                             {"b.weight", "F32", {25'000}, test::float_weights(25'000, 2)},
                             {"c.weight", "BF16", {700}, test::integer_weights(1400, 3)}});
}

std::string one_tensor() {
    return safetensors_file({{"w", "F32", {6000}, test::float_weights(6000, 1)}});
}

std::vector<test::SmallModel> models() {
    std::vector<test::SmallModel> all = {
        {"i8", [] { return many_blocks("I8", 1); }},
        {"u8", [] { return many_blocks("U8", 1); }},
        {"f16", [] { return many_blocks("F16", 2); }},
        {"bf16", [] { return many_blocks("BF16", 2); }},
        {"f64", [] { return many_blocks("F64", 8); }},
        {"e4m3", [] { return many_blocks("F8_E4M3", 1); }},
        {"e5m2", [] { return many_blocks("F8_E5M2", 1); }},
        {"e4m3fnuz", [] { return many_blocks("F8_E4M3FNUZ", 1); }},
        {"e5m2fnuz", [] { return many_blocks("F8_E5M2FNUZ", 1); }},
        {"f32", many_floats},
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

INSTANTIATE_TEST_SUITE_P(OfType, SecondReaderOfSpoiled,
                         testing::Values(test::SmallModel{"i8", [] { return many_blocks("I8", 1); }},
                                         test::SmallModel{"f32", one_tensor}),
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
