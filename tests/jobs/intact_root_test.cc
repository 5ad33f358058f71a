// "The intact root of this model, or why not": no seal, a broken seal and a broken file are three answers.
#include "jobs/intact_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/fingerprint.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using testing::HasSubstr;

class IntactRoot : public testing::Test {
  protected:
    Result<std::optional<std::string>> root_of(const std::string& bytes) {
        return jobs::intact_root(scratch.write("net", bytes), {&check, 1}, 1);
    }
    const std::string plain =
        test::safetensors_file({{"w", "F32", {256, 256}, test::float_weights(1 << 16, 1)}});
    const SigningKey vendor = test::test_key();
    const CheckKey check = public_check_key(vendor.public_key());
    test::Scratch scratch;
};

TEST_F(IntactRoot, IsTheRootOfTheSeal) {
    const auto root = root_of(test::sealed_bytes(plain, vendor));
    ASSERT_TRUE(root.ok() && *root) << root.error().message;
    EXPECT_EQ((*root)->size(), 64u);
}

TEST_F(IntactRoot, IsEmptyWithoutASealUnderTheKey) {
    EXPECT_EQ(root_of(plain).value(), std::nullopt);
    EXPECT_EQ(root_of(test::sealed_bytes(plain, test::test_key(2))).value(), std::nullopt);
    EXPECT_EQ(root_of(test::sealed_bytes(plain, vendor, Scheme::deepisign)).value(), std::nullopt)
        << "a mark without a root binds nothing";
}

TEST_F(IntactRoot, IsAMismatchIfTheSealIsBroken) {
    auto bytes = test::sealed_bytes(plain, vendor);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    const auto root = root_of(bytes);
    ASSERT_FALSE(root.ok());
    EXPECT_EQ(root.error().kind, ErrorKind::mismatch);
    EXPECT_THAT(root.error().message, HasSubstr("its seal is not intact"));
}

TEST_F(IntactRoot, IsAnErrorIfTheModelCannotBeRead) {
    const auto cut = root_of(plain.substr(0, plain.size() / 2));
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().kind, ErrorKind::malformed);
    EXPECT_EQ(jobs::intact_root(scratch / "none", {&check, 1}, 1).error().kind, ErrorKind::unreadable);
}

// The fingerprint of what cannot be read is not one of an unsealed model.
TEST_F(IntactRoot, IsWhatAFingerprintIsBoundToOrItsError) {
    const auto cut = scratch.write("cut", plain.substr(0, plain.size() / 2));
    const auto made = fingerprint_model(cut, scratch / "net.fp", {.key = vendor, .check = check});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().kind, ErrorKind::malformed);
    EXPECT_FALSE(std::filesystem::exists(scratch / "net.fp"));
}

}  // namespace
}  // namespace modelseal
