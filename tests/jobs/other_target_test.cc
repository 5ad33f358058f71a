// A target that is not what was sealed, though nothing in it was changed, is told as such, and never hides a change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

class OtherTarget : public testing::Test {
  protected:
    // Tensors that begin with `prefix`, enough for a seal.
    static std::string file(const std::string& prefix, unsigned seed) {
        return test::safetensors_file({{prefix + ".a", "F32", {64, 128}, test::float_weights(8192, seed)},
                                       {prefix + ".b", "F32", {64, 128}, test::float_weights(8192, seed + 1)}});
    }
    void write_sealed(const fs::path& name, unsigned seed) {
        scratch_.write(name, test::sealed_bytes(file("net", seed), key_));
    }
    // A folder of two files, sealed as one model.
    void seal_folder() {
        scratch_.write("net/model-00001-of-00002.safetensors", file("first", 1));
        scratch_.write("net/model-00002-of-00002.safetensors", file("second", 3));
        scratch_.write("net/config.json", "{}");
        const auto made = seal_model(scratch_ / "net", sealed_, {.key = key_, .check = check_});
        ASSERT_TRUE(made.ok()) << made.error().message;
        ASSERT_EQ(look(sealed_).verdict, Verdict::intact);
    }
    CheckReport look(const fs::path& target) {
        return check_model(target, {.seal = SealCheck{.keys = {check_}}, .jobs = 1}).value();
    }

    const test::Scratch scratch_;
    const fs::path sealed_ = scratch_ / "sealed";
    const SigningKey key_ = test::test_key();
    const CheckKey check_ = public_check_key(key_.public_key());
};

TEST_F(OtherTarget, AFolderOfSealedModelsHasNoSealOfItsOwn) {
    write_sealed("models/a/one.safetensors", 1);
    write_sealed("models/two.safetensors", 5);
    for (const bool mixed : {false, true}) {
        if (mixed) scratch_.write("models/three.safetensors", file("net", 9));
        const auto report = look(scratch_ / "models");
        EXPECT_EQ(report.verdict, Verdict::unsealed) << report.seal->detail;
        EXPECT_EQ(report.exit_code, ExitCode::nothing);
        EXPECT_THAT(report.seal->detail, AllOf(HasSubstr("the folder was not sealed as one model: '"),
                                               HasSubstr("has a seal of its own")));
        EXPECT_EQ(report.remedy, Remedy::check_each);
    }
}

TEST_F(OtherTarget, OneFileOfASealedFolderIsNotCalledTampered) {
    seal_folder();
    fs::create_directory(scratch_ / "alone");
    const auto part = scratch_ / "alone/model-00001-of-00002.safetensors";
    fs::copy_file(sealed_ / "model-00001-of-00002.safetensors", part);
    const auto report = look(part);
    EXPECT_EQ(report.verdict, Verdict::error);
    EXPECT_EQ(report.exit_code, ExitCode::failed);
    EXPECT_THAT(report.error,
                HasSubstr("is one file of a model that was sealed as a folder; it has 2 of the 4 sealed "
                          "tensors"));
    EXPECT_EQ(report.remedy, Remedy::check_folder);
}

TEST_F(OtherTarget, TheIndexOfASealedFolderIsNotCalledTampered) {
    scratch_.write("net/model.safetensors.index.json",
                   R"({"weight_map": {"first.a": "model-00001-of-00002.safetensors",
                                      "first.b": "model-00001-of-00002.safetensors",
                                      "second.a": "model-00002-of-00002.safetensors",
                                      "second.b": "model-00002-of-00002.safetensors"}})");
    seal_folder();
    const auto index = sealed_ / "model.safetensors.index.json";
    auto report = look(index);
    EXPECT_EQ(report.verdict, Verdict::error);
    EXPECT_THAT(report.error,
                HasSubstr("is one file of a model that was sealed as a folder, of which it names the weights"));
    EXPECT_EQ(report.remedy, Remedy::check_folder);
    // A shard that was changed is tampering.
    auto bytes = test::content_of(sealed_ / "model-00002-of-00002.safetensors");
    bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
    scratch_.write("sealed/model-00002-of-00002.safetensors", bytes);
    EXPECT_EQ(look(index).verdict, Verdict::tampered);
}

TEST_F(OtherTarget, TheOnlyWeightsOfASealedFolderAreNotCalledTampered) {
    scratch_.write("net/model.safetensors", file("net", 1));
    scratch_.write("net/config.json", "{}");
    ASSERT_TRUE(seal_model(scratch_ / "net", sealed_, {.key = key_, .check = check_}).ok());
    // As it was called in the folder, and as a browser calls a second download.
    fs::create_directory(scratch_ / "alone");
    for (const auto* name : {"alone/model.safetensors", "alone/model (1).safetensors"}) {
        fs::copy_file(sealed_ / "model.safetensors", scratch_ / name);
        const auto report = look(scratch_ / name);
        EXPECT_EQ(report.verdict, Verdict::error);
        EXPECT_EQ(report.exit_code, ExitCode::failed);
        EXPECT_THAT(report.error,
                    HasSubstr("is one file of a model that was sealed as a folder, of which it has all "
                              "the weights"));
        EXPECT_EQ(report.remedy, Remedy::check_folder);
    }
    // The folder without its configuration is what was sealed and then changed.
    fs::remove(sealed_ / "config.json");
    EXPECT_EQ(look(sealed_).verdict, Verdict::tampered);
    // So is the file with a changed weight, and a file that was sealed by itself and got other metadata.
    auto bytes = test::content_of(scratch_ / "alone/model.safetensors");
    bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
    EXPECT_EQ(look(scratch_.write("alone/changed.safetensors", bytes)).verdict, Verdict::tampered);
    auto single = test::sealed_bytes(file("net", 1), key_);
    const auto name = single.find("net.a");
    ASSERT_NE(name, single.npos);
    single[name + 4] = 'c';
    EXPECT_EQ(look(scratch_.write("single.safetensors", single)).verdict, Verdict::tampered);
}

TEST_F(OtherTarget, AChangeIsTamperingNevertheless) {
    seal_folder();
    // In the file that is checked alone.
    fs::create_directory(scratch_ / "alone");
    const auto part = scratch_ / "alone/model-00001-of-00002.safetensors";
    fs::copy_file(sealed_ / "model-00001-of-00002.safetensors", part);
    auto bytes = test::content_of(part);
    for (std::size_t at = bytes.size() - 2000; at < bytes.size(); ++at)
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
    scratch_.write(part, bytes);
    EXPECT_EQ(look(part).verdict, Verdict::tampered);
    // A sealed model that was put into the sealed folder: the seal of the folder is still there.
    write_sealed(sealed_ / "more.safetensors", 20);
    const auto report = look(sealed_);
    EXPECT_EQ(report.verdict, Verdict::tampered) << report.error;
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
}

TEST_F(OtherTarget, AModelThatLostATensorIsTampered) {
    const auto sealed = test::sealed_bytes(file("net", 1), key_);
    const auto weights = test::safetensors_file(
        {{"net.a", "F32", {64, 128}, sealed.substr(sealed.size() - 2 * 4 * 8192, 4 * 8192)}});
    const auto report = look(scratch_.write("cut.safetensors", weights));
    EXPECT_EQ(report.verdict, Verdict::tampered) << report.error;
}

}  // namespace
}  // namespace modelseal
