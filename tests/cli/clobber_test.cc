// A slip of the hand destroys nothing: outputs that name an input are refused, and the input stays.
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::test {
namespace {

TEST(Program, RefusesOutputsThatNameAnInput) {
    const Scratch folder;
    const auto bytes = safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}});
    folder.write("m", bytes);
    const Surroundings here{.folder = folder.path()};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    const auto key = content_of(folder / "v.key");
    const std::vector<Words> slips = {
        {"seal", "m", "-k", "v.key", "-o", "v.key"},
        {"seal", "m", "-k", "v.key", "-o", "m"},
        {"seal", "m", "-k", "v.key", "-o", "./sub/../m"},
        {"seal", "m", "-k", "v.key", "-o", "s", "--receipt", "m"},
        {"seal", "m", "-k", "v.key", "-o", "s", "--receipt", "s"},
        {"check", "m", "--pub", "v.pub", "--html", "m"},
        {"check", "m", "--pub", "v.pub", "--html", "v.pub"},
        {"check", "m", "--pub", "v.pub", "--fingerprint", "s.fp", "--html", "s.fp"},
        {"fingerprint", "m", "-k", "v.key", "-o", "m"},
        {"fingerprint", "m", "-k", "v.key", "-o", "v.key"},
        {"fingerprint", "m", "-k", "v.key", "-o", "s", "--preview", "m"},
        {"fingerprint", "m", "-k", "v.key", "-o", "s", "--preview", "./s"},
    };
    for (const auto& slip : slips) {
        const auto outcome = run(modelseal(slip), here);
        EXPECT_EQ(outcome.code, 2) << slip.back() << outcome.err;
        EXPECT_EQ(content_of(folder / "m"), bytes);
        EXPECT_EQ(content_of(folder / "v.key"), key);
        EXPECT_FALSE(std::filesystem::exists(folder / "s"));
    }
}

// Irreplaceable files are never replaced by any command, even if an output replaces other files.
TEST(Program, NeverReplacesKeysReceiptsLedgersAndFingerprints) {
    const Scratch folder;
    folder.write("m", safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}}));
    const Surroundings here{.folder = folder.path()};
    const std::vector<Words> makers = {
        {"keygen", "v", "--no-passphrase"},
        {"keygen", "e", "--type", "p256", "--no-passphrase"},
        {"keygen", "other", "--no-passphrase"},
        {"keygen", "acme", "--type", "check", "-k", "other.key"},
        {"customer", "add", "acme", "-k", "other.key", "--ledger", "book"},
        {"seal", "m", "-k", "v.key", "-o", "s", "--receipt", "r"},
        {"seal", "m", "-k", "other.key", "-o", "o", "--receipt", "other.receipt"},
    };
    for (const auto& words : makers) ASSERT_EQ(run(modelseal(words), here).code, 0) << words.back();
    std::filesystem::copy_file(std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1/acme.fp",
                               folder / "acme.fp");
    folder.write("legacy.key", "Bag Attributes\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n");
    folder.write("marked.key", "\xEF\xBB\xBF" + content_of(folder / "other.key"));
    folder.write("cut.receipt", content_of(folder / "other.receipt").substr(0, 50));
    for (const std::string kept : {"other.key", "other.pub", "acme.check", "book", "other.receipt", "acme.fp",
                                   "legacy.key", "marked.key", "cut.receipt"}) {
        const std::vector<Words> tries = {
            {"seal", "m", "-k", "v.key", "-o", kept},
            {"seal", "m", "-k", "v.key", "-o", "new", "--receipt", kept},
            {"unseal", "s", "--receipt", "r", "-o", kept},
            {"check", "s", "--pub", "v.pub", "--html", kept},
            {"sign", "m", "-k", "e.key", "-o", kept},
            {"fingerprint", "m", "-k", "v.key", "-o", kept},
            {"fingerprint", "m", "-k", "v.key", "-o", "new", "--preview", kept},
            {"challenge", "acme.fp", "--pub", "v.pub", "-o", kept},
            {"keygen", "acme", "--type", "check", "-k", "v.key"},
            {"keygen", "other", "--no-passphrase"},
            {"customer", "add", "globex", "-k", "other.key", "--ledger", "book", "-o", kept},
        };
        const auto before = content_of(folder / kept);
        for (const auto& words : tries) {
            const auto outcome = run(modelseal(words), here);
            EXPECT_TRUE(outcome.code == 2 || outcome.code == 3) << words[0] << " " << kept << outcome.err;
            ASSERT_EQ(content_of(folder / kept), before) << words[0];
            EXPECT_FALSE(std::filesystem::exists(folder / "new")) << words[0] << " " << kept;
        }
        std::filesystem::create_symlink(kept, folder / "link");
        EXPECT_EQ(run(modelseal({"seal", "m", "-k", "v.key", "-o", "link"}), here).code, 2);
        EXPECT_EQ(content_of(folder / kept), before);
        std::filesystem::remove(folder / "link");
    }
    // Other files are replaced as before.
    ASSERT_EQ(run(modelseal({"seal", "m", "-k", "v.key", "-o", "s"}), here).code, 0);
}

// A shard of an index, the data of a graph, a file of a folder: no option names them, and they are inputs all
// the same.
TEST(Program, ReplacesPagesPicturesAndSignaturesOnlyByTheirKind) {
    const Scratch folder;
    const auto bytes = safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}});
    std::filesystem::create_directory(folder / "net");
    folder.write("net/part", bytes);
    folder.write("net/about.html", "<!doctype html>\n<p>a page of the model's</p>\n");
    folder.write("net/preview.png", "\x89PNG\r\n\x1a\n of the model's");
    const Surroundings here{.folder = folder.path()};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    ASSERT_EQ(run(modelseal({"keygen", "e", "--type", "p256", "--no-passphrase"}), here).code, 0);
    const std::vector<Words> slips = {
        {"check", "net", "--pub", "v.pub", "--html", "net/part"},
        {"check", "net", "--pub", "v.pub", "--html", "net/about.html"},
        {"check", "net", "--pub", "v.pub", "--summary", "net/about.html"},
        {"sign", "net", "-k", "e.key", "-o", "net/part"},
        {"sign", "net", "-k", "e.key", "-o", "net/about.html"},
        {"fingerprint", "net", "-k", "v.key", "-o", "fp", "--preview", "net/part"},
        {"fingerprint", "net", "-k", "v.key", "-o", "fp", "--preview", "net/preview.png"},
    };
    for (const auto& slip : slips) {
        const auto before = content_of(folder / slip.back());
        const auto outcome = run(modelseal(slip), here);
        EXPECT_EQ(outcome.code, 2) << slip[0] << " " << slip.back() << outcome.err;
        EXPECT_EQ(content_of(folder / slip.back()), before) << slip[0];
    }
    const std::vector<std::pair<int, Words>> good = {{0, {"sign", "net", "-k", "e.key", "-o", "net/model.sig"}},
                                                     {4, {"check", "net", "--pub", "v.pub", "--html", "page"}}};
    for (const auto& [code, words] : good) {
        for (int time = 0; time < 2; ++time) {
            const auto outcome = run(modelseal(words), here);
            EXPECT_EQ(outcome.code, code) << outcome.err;
        }
    }
    // What is new in a model changes it.
    for (const char* option : {"--html", "--summary"}) {
        const auto outcome = run(modelseal({"check", "net", "--pub", "v.pub", option, "net/new"}), here);
        EXPECT_EQ(outcome.code, 2) << option;
        EXPECT_NE(outcome.err.find("net/new: would lie in the model"), std::string::npos) << outcome.err;
        EXPECT_FALSE(std::filesystem::exists(folder / "net/new"));
    }
    EXPECT_EQ(run(modelseal({"check", "net", "--each", "--pub", "v.pub", "--html", "net/new"}), here).code, 4);
    folder.write("empty", "");
    EXPECT_EQ(run(modelseal({"sign", "net", "-k", "e.key", "-o", "empty"}), here).code, 0);
}

// A script with an unset variable must not check less than intended.
TEST(Program, RefusesEmptyValues) {
    const Scratch folder;
    folder.write("m", safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}}));
    const Surroundings here{.folder = folder.path()};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    const std::vector<Words> unset = {
        {"check", "m", "--pub", "v.pub", "--fingerprint", ""},
        {"check", "m", "--pub", "v.pub", "--trusted-root", ""},
        {"check", "m", "", "--pub", "v.pub"},
        {"verify", "m", "--signature", "m.sig", "--pub", "v.pub", "--subject", ""},
        {"seal", "m", "-k", "v.key", "-o", "s", "--for", ""},
        {"seal", "m", "-k", "v.key", "-o", "s", "--ledger", ""},
        {"sign", "m", "-k", "v.key", "--seal-pub", ""},
        {"fingerprint", "m", "-k", "v.key", "-o", "s", "--expires", ""},
        {"customer", "list", "--ledger", ""},
        {"keygen", ""},
    };
    for (const auto& words : unset) {
        const auto outcome = run(modelseal(words), here);
        EXPECT_EQ(outcome.code, 2) << words[0] << " " << words.back();
        EXPECT_NE(outcome.err.find("is empty"), std::string::npos) << outcome.err;
        EXPECT_FALSE(std::filesystem::exists(folder / "s"));
    }
}

}  // namespace
}  // namespace modelseal::test
