// A sealed folder is everything below it: whatever is added, removed or renamed is noticed and named, and
// nothing else is blamed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/check/seal_section.h"
#include "tests/support/data.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;

using test::content_of;
using test::Scratch;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string weights(const std::string& prefix, unsigned seed) {
    return test::safetensors_file({{prefix + ".a", "F32", {64, 128}, test::float_weights(8192, seed)},
                                   {prefix + ".b", "F32", {64, 128}, test::float_weights(8192, seed + 1)},
                                   {prefix + ".c", "F32", {64, 128}, test::float_weights(8192, seed + 2)}});
}

class SealedFolder : public testing::Test {
  protected:
    SealedFolder() {
        folder_.write("net/model.safetensors", weights("net", 1));
        for (const char* name : {"b.json", "c.json", "d.json", "e.json", "f.json"})
            folder_.write(fs::path("net") / name, name);
    }

    SealSummary seal() {
        auto made = seal_model(folder_ / "net", sealed_,
                               {.key = key_, .check = check_, .receipt = folder_ / "net.receipt", .jobs = 1});
        EXPECT_TRUE(made.ok()) << made.error().message;
        EXPECT_EQ(look().verdict, Verdict::intact) << look().error;
        return std::move(made).value();
    }
    CheckReport look() {
        return check_model(sealed_, {.seal = SealCheck{.keys = {check_}}, .jobs = 1}).value();
    }
    std::string frame() {
        const auto report = look();
        EXPECT_EQ(report.verdict, Verdict::tampered) << report.error;
        return report.seal ? report::frame_text(*report.seal) : report.error;
    }

    const Scratch folder_;
    const fs::path sealed_ = folder_ / "sealed";
    const SigningKey key_ = test::test_key();
    const CheckKey check_ = public_check_key(key_.public_key());
};

// A receipt removes the seal: it must not ship with the model, nor change the original.
TEST_F(SealedFolder, KeepsItsReceiptOutside) {
    fs::create_directory_symlink(folder_ / "net", folder_ / "link");
    for (const auto& receipt :
         {folder_ / "net/r", folder_ / "net/deep/r", folder_ / "link/r", sealed_ / "r", sealed_}) {
        const auto made =
            seal_model(folder_ / "net", sealed_, {.key = key_, .check = check_, .receipt = receipt});
        ASSERT_FALSE(made.ok()) << receipt;
        EXPECT_EQ(made.error().kind, ErrorKind::usage) << receipt;
        EXPECT_FALSE(fs::exists(sealed_));
        EXPECT_FALSE(fs::exists(folder_ / "net/r"));
    }
    seal();  // with one beside it
}

TEST_F(SealedFolder, CopiesAndCoversFilesOfAnyName) {
    const std::vector<std::string> names = {".hidden",       ".hidden.d/x.py", "unet.fp/config.json",
                                            "sub.key/x.py",  "tokenizer.key",  "a.fp",
                                            "notes.receipt", "x.sig",          "x.pub",
                                            "x.check",       "x.sigstore",     ".git.txt"};
    for (const auto& name : names) folder_.write(fs::path("net") / name, "content of " + name);
    EXPECT_THAT(seal().left_out, IsEmpty());
    for (const auto& name : names) {
        ASSERT_EQ(content_of(sealed_ / name), "content of " + name);
        folder_.write(sealed_ / name, "changed");
        EXPECT_EQ(frame(), name + " (changed)");
        folder_.write(sealed_ / name, "content of " + name);
    }
    EXPECT_EQ(look().verdict, Verdict::intact);
}

TEST_F(SealedFolder, NamesEveryAddedFile) {
    seal();
    const auto model = weights("net", 5);
    const std::vector<std::string> names = {"unet.fp/model.safetensors",
                                            "sub.key/modeling.py",
                                            ".hidden/x.py",
                                            "x.key",
                                            ".a.safetensors",
                                            "net.receipt",
                                            "model.sig",
                                            ".git",
                                            "sub/.gitignore"};
    for (const auto& name : names) {
        folder_.write(sealed_ / name, name.ends_with("safetensors") ? model : "import os");
        EXPECT_EQ(frame(), name + " (added)");
        const auto top = sealed_ / *fs::path(name).begin();
        fs::remove_all(top);
    }
    EXPECT_EQ(look().verdict, Verdict::intact);
}

// Of a name that the earlier rule left out, and with tensors that come before all others, so that the seal is
// not found where everything is read: what the earlier rule takes for the folder is as it was sealed.
TEST_F(SealedFolder, SealOverEverythingIsNeverReadByTheEarlierRule) {
    folder_.write("net/.hidden/x.py", "import os");
    seal();
    folder_.write(sealed_ / ".a/model.safetensors", content_of(folder_ / "net/model.safetensors"));
    for (int i = 0; i < 40; ++i)
        folder_.write(sealed_ / ".b" / (std::to_string(i) + ".safetensors"),
                      weights("x" + std::to_string(i), 7));
    for (const bool weights_only : {false, true}) {
        const auto report = check_model(sealed_, {.seal = SealCheck{.keys = {check_}},
                                                  .policy = {.weights_only = weights_only},
                                                  .jobs = 1})
                                .value();
        ASSERT_EQ(report.verdict, Verdict::tampered) << report.error;
        const auto frame = report::frame_text(*report.seal);
        EXPECT_THAT(frame, HasSubstr(".a/model.safetensors (added)"));
        EXPECT_THAT(frame, testing::Not(HasSubstr(".json")));
        EXPECT_THAT(frame, testing::Not(HasSubstr("x.py")));
    }
}

TEST_F(SealedFolder, NamesOnlyTheFileThatIsGoneOrRenamed) {
    seal();
    fs::rename(sealed_ / "f.json", sealed_ / "a.json");
    EXPECT_EQ(frame(), "a.json (added), f.json (missing)");
    folder_.write(sealed_ / "c.json", "other");
    EXPECT_EQ(frame(), "a.json (added), c.json (changed), f.json (missing)");
    folder_.write(sealed_ / "c.json", "c.json");
    fs::remove(sealed_ / "a.json");
    EXPECT_EQ(frame(), "f.json (missing)");
    fs::remove(sealed_ / "b.json");
    EXPECT_EQ(frame(), "b.json (missing), f.json (missing)");
    folder_.write(sealed_ / "f.json", "f.json");
    folder_.write(sealed_ / "b.json", "b.json");
    EXPECT_EQ(look().verdict, Verdict::intact);
    fs::rename(sealed_ / "model.safetensors", sealed_ / "z.safetensors");
    EXPECT_EQ(frame(), "model.safetensors (missing), z.safetensors (added)");
}

TEST_F(SealedFolder, NamesOnlyTheTensorThatWasRenamedAddedOrRemoved) {
    seal();
    const auto sealed = content_of(sealed_ / "model.safetensors");
    const auto outcomes = [&] {
        std::vector<std::pair<std::string, TensorFinding::Outcome>> all;
        const auto report = look();
        for (const auto& tensor : report.seal->tensors) all.emplace_back(tensor.name, tensor.outcome);
        return all;
    };
    using OfTensor = TensorFinding::Outcome;
    auto renamed = sealed;
    renamed.replace(renamed.find("net.a"), 5, "net.z");
    folder_.write(sealed_ / "model.safetensors", renamed);
    EXPECT_THAT(outcomes(), testing::IsEmpty());
    EXPECT_EQ(frame(), "model.safetensors (changed)");
    EXPECT_TRUE(look().seal->weights_intact);
    EXPECT_EQ(look().seal->names_detail, "1 of 3 names changed: 'net.z' was sealed as 'net.a'");
    folder_.write(sealed_ / "model.safetensors", sealed);
    folder_.write(sealed_ / "a.safetensors",
                  test::safetensors_file({{"first", "F32", {64, 128}, test::float_weights(8192, 9)}}));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("first", OfTensor::added)));
    EXPECT_EQ(frame(), "a.safetensors (added)");
}

TEST_F(SealedFolder, LeavesOutVersionControlAndFilesThatModelsealWrote) {
    folder_.write("net/.git/config", "[core]");
    folder_.write("net/sub/.svn/entries", "12");
    folder_.write("net/.gitattributes", "*.bin lfs");
    const auto receipt_of = [&] { return content_of(folder_ / "net.receipt"); };
    seal();
    fs::remove_all(sealed_);
    fs::rename(folder_ / "net.receipt", folder_ / "net/earlier.receipt");
    folder_.write("net/acme.check", content_of(fs::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1/acme.check"));
    folder_.write("net/acme.fp", content_of(fs::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1/acme.fp"));
    const auto summary = seal();
    EXPECT_THAT(summary.left_out,
                ElementsAre(Pair(".git", "version control"), Pair("acme.check", "check key"),
                            Pair("acme.fp", "fingerprint"), Pair("earlier.receipt", "receipt"),
                            Pair("sub/.svn", "version control")));
    for (const auto& [path, what] : summary.left_out) EXPECT_FALSE(fs::exists(sealed_ / path)) << path;
    EXPECT_TRUE(fs::exists(sealed_ / ".gitattributes"));
    // They may be put there later, too.
    folder_.write(sealed_ / "net.receipt", receipt_of());
    folder_.write(sealed_ / ".git/hooks/x", "x");
    EXPECT_EQ(look().verdict, Verdict::intact);
    // Neither the name nor the content is enough alone, and not a bit more than the content is.
    folder_.write(sealed_ / "chat_template.jinja", receipt_of());
    EXPECT_EQ(frame(), "chat_template.jinja (added)");
    fs::remove(sealed_ / "chat_template.jinja");
    folder_.write(sealed_ / "net.receipt", receipt_of() + "import os");
    EXPECT_EQ(frame(), "net.receipt (added)");
}

TEST_F(SealedFolder, WarnsOfSecretsThatItCopies) {
    folder_.write("net/vendor.key", "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n");
    EXPECT_THAT(seal().warnings,
                ElementsAre(HasSubstr("vendor.key: a private key is among the files of the model")));
    EXPECT_TRUE(fs::exists(sealed_ / "vendor.key"));
}

TEST_F(SealedFolder, UnsealsWithEveryFile) {
    folder_.write("net/.hidden/x", "x");
    seal();
    const auto back = unseal_model(sealed_, folder_ / "net.receipt", folder_ / "back");
    ASSERT_TRUE(back.ok()) << back.error().message;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "net")) {
        if (!entry.is_regular_file()) continue;
        const auto name = entry.path().lexically_relative(folder_ / "net");
        EXPECT_EQ(content_of(folder_ / "back" / name), content_of(entry.path())) << name;
    }
}

// Sealed by a program of the earlier rule; unet.fp was put there after that.
TEST(FolderOfTheEarlierRule, StillVerifiesAndNamesWhatItDoesNotCover) {
    MODELSEAL_NEED_DATA();
    const auto data = test::data_folder() / "security";
    const Scratch folder;
    fs::copy(data / "pipes", folder / "net", fs::copy_options::recursive);
    const auto check = public_check_key(load_public_key(data / "vendor.pub").value());
    const auto look = [&] {
        return check_model(folder / "net", {.seal = SealCheck{.keys = {check}}, .jobs = 1}).value();
    };
    const std::string uncovered = "sealed by the earlier rule for folders, which does not cover ";
    EXPECT_EQ(look().verdict, Verdict::intact) << look().error;
    EXPECT_EQ(look().seal->frame_detail, uncovered + "unet.fp/model.safetensors");
    folder.write("net/.hidden/model.safetensors", weights("net", 5));
    folder.write("net/x.key", "x");
    EXPECT_EQ(look().verdict, Verdict::intact) << look().error;
    EXPECT_EQ(look().seal->frame_detail,
              uncovered + ".hidden/model.safetensors, unet.fp/model.safetensors, x.key");
    folder.write("net/model_index.json", "{}");
    EXPECT_EQ(look().verdict, Verdict::tampered);
    EXPECT_EQ(report::frame_text(*look().seal), "model_index.json (changed)");
}

}  // namespace
}  // namespace modelseal
