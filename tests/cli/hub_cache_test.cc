// Models where people have them: in a cache of Hugging Face, as real links; in a clone without git-lfs; and files that
// were swapped on the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/external_graph.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class UsersFolder : public testing::Test {
  protected:
    UsersFolder() {
        must({"keygen", "vendor", "--no-passphrase"});
        must({"keygen", "signer", "--type", "p256", "--no-passphrase"});
    }
    test::Outcome run(const test::Words& words,
                      const std::map<std::string, std::string>& variables = {}) const {
        return test::run(test::modelseal(words), {.folder = scratch.path(), .variables = variables});
    }
    std::string must(const test::Words& words) const {
        const auto outcome = run(words);
        EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
        return outcome.out + outcome.err;
    }
    std::string refused(const test::Words& words, int code = 3) const {
        const auto outcome = run(words);
        EXPECT_EQ(outcome.code, code) << outcome.out << outcome.err;
        return outcome.err;
    }
    static std::string weights(unsigned seed) {
        return test::safetensors_file(
            {{"w" + std::to_string(seed), "F32", {100, 200}, test::float_weights(20'000, seed)}});
    }

    const test::Scratch scratch;
};

class HubCache : public UsersFolder {
  protected:
    HubCache() {
        add("config.json", "{}");
        add("model-00001-of-00002.safetensors", weights(1));
        add("model-00002-of-00002.safetensors", weights(2));
        add("tokenizer/vocab.txt", "a\nb\n");
    }
    // As huggingface_hub stores a file: the blob by its digest, and a link to it in the snapshot.
    void add(const fs::path& name, const std::string& content) const {
        const auto blob = "blob" + std::to_string(std::hash<std::string>()(content));
        scratch.write(cache / "blobs" / blob, content);
        const auto link = scratch / cache / snapshot / name;
        fs::create_directories(link.parent_path());
        fs::remove(link);
        fs::create_symlink(fs::relative(scratch / cache / "blobs" / blob, link.parent_path()), link);
    }
    const fs::path cache = "hub/models--acme--net", snapshot = "snapshots/0123abcd";
    const std::string target = cache / snapshot;
};

TEST_F(HubCache, IsInspectedSealedCheckedSignedAndVerifiedInPlace) {
    for (const test::Words& reading : {test::Words{"inspect", target},
                                       {"check", target, "--pub", "vendor.pub"},
                                       {"seal", target, "-k", "vendor.key", "-o", "no"},
                                       {"diff", target, target}}) {
        EXPECT_THAT(refused(reading), AllOf(HasSubstr("is a symbolic link"), HasSubstr("--allow-symlinks")))
            << reading[0];
    }
    EXPECT_THAT(must({"inspect", target, "--allow-symlinks"}),
                AllOf(HasSubstr("safetensors, 2 tensors"), HasSubstr("in 4 files")));
    must({"diff", target, target, "--allow-symlinks"});

    // To a plain folder.
    must({"seal", target, "-k", "vendor.key", "-o", "sealed", "--receipt", "r", "--allow-symlinks"});
    for (const auto& entry : fs::recursive_directory_iterator(scratch / "sealed"))
        EXPECT_FALSE(entry.is_symlink()) << entry.path();
    EXPECT_THAT(must({"check", "sealed", "--pub", "vendor.pub"}), HasSubstr("sealed: intact"));

    // The sealed files in a cache of their own.
    for (const std::string name : {"config.json", "model-00001-of-00002.safetensors",
                                   "model-00002-of-00002.safetensors", "tokenizer/vocab.txt"})
        add(name, test::content_of(scratch / "sealed" / name));
    const test::Words check = {"check", target, "--pub", "vendor.pub", "--allow-symlinks"};
    EXPECT_THAT(must(check), HasSubstr(": intact, 2 tensors"));
    must({"unseal", target, "--receipt", "r", "-o", "back", "--allow-symlinks"});
    EXPECT_EQ(test::content_of(scratch / "back/model-00001-of-00002.safetensors"), weights(1));

    // One signature for the links and for their files.
    must({"sign", target, "-k", "signer.key", "-o", "net.sig", "--allow-symlinks"});
    const test::Words verify = {"verify", target, "--signature", "net.sig", "--pub", "signer.pub"};
    EXPECT_THAT(must(verify), HasSubstr("signature valid, 4 files are as signed"));
    auto both = check;
    both.insert(both.end(), {"--signature", "net.sig", "--signer", "signer.pub"});
    EXPECT_THAT(must(both), AllOf(HasSubstr(": intact"), HasSubstr("signature valid")));

    add("tokenizer/vocab.txt", "a\nc\n");
    EXPECT_THAT(run(check).out, AllOf(HasSubstr("tampered"), HasSubstr("tokenizer/vocab.txt")));
    EXPECT_EQ(run(verify).code, 1);
}

TEST_F(HubCache, LinksOutOfItStayRefused) {
    scratch.write("secret", "x");
    fs::create_symlink("../../../../secret", scratch / cache / snapshot / "notes.txt");
    for (const test::Words& reading : {test::Words{"inspect", target},
                                       {"check", target, "--pub", "vendor.pub"},
                                       {"seal", target, "-k", "vendor.key", "-o", "no"},
                                       {"diff", target, target}}) {
        auto words = reading;
        words.emplace_back("--allow-symlinks");
        EXPECT_THAT(refused(words), HasSubstr("notes.txt: is a symbolic link that leads out of '")) << words[0];
    }
    EXPECT_FALSE(fs::exists(scratch / "no"));
}

TEST_F(HubCache, ExternalDataOfAGraphIsFoundBehindLinks) {
    add("onnx/g.onnx", test::graph_of({{"x", "g.onnx_data"}}));
    add("onnx/g.onnx_data", std::string(16, 'w'));
    const std::string graph = cache / snapshot / "onnx/g.onnx";
    EXPECT_THAT(refused({"inspect", graph}), HasSubstr("g.onnx_data: is a symbolic link"));
    EXPECT_THAT(must({"inspect", graph, "--allow-symlinks"}), HasSubstr("onnx, 1 tensor"));
}

TEST_F(HubCache, EveryCommandThatReadsModelsFollowsLinks) {
    add("onnx/g.onnx", test::graph_of({{"x", "g.onnx_data"}}));
    add("onnx/g.onnx_data", std::string(16, 'w'));
    const std::string graph = cache / snapshot / "onnx/g.onnx";
    scratch.write("p.toml",
                  "version = 1\n[[vendor]]\nname = \"acme\"\nkeys = [\"vendor.pub\"]\n"
                  "[[model]]\nmatch = \"**\"\nvendor = [\"acme\"]\n");
    must({"customer", "add", "acme", "-k", "vendor.key", "--ledger", "l"});
    // A graph without classes, of which more cannot be made; but it is found.
    for (const test::Words& reading : {test::Words{"fingerprint", graph, "-k", "vendor.key", "-o", "g.fp"},
                                       {"identity", "embed", graph, "--data", "data", "--key-images", "keys",
                                        "-k", "vendor.key", "--ledger", "l", "-o", "marked"},
                                       {"customer", "trace", graph, "-k", "vendor.key", "--ledger", "l"},
                                       {"policy", "test", "p.toml", graph}}) {
        const auto linked = run(reading);
        EXPECT_NE(linked.code, 0) << reading[0];
        EXPECT_THAT(linked.out + linked.err, HasSubstr("g.onnx_data: is a symbolic link")) << reading[0];
        auto words = reading;
        words.emplace_back("--allow-symlinks");
        const auto followed = run(words);
        EXPECT_NE(followed.code, 2) << reading[0] << followed.err;
        EXPECT_THAT(followed.out + followed.err, Not(HasSubstr("symbolic link"))) << reading[0];
    }
}

TEST_F(UsersFolder, PointersOfGitLfsAreNeitherSealedNorSigned) {
    const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    scratch.write("net/a.safetensors", weights(1));
    scratch.write("net/b.safetensors", pointer);
    scratch.write("alone.safetensors", pointer);
    const auto says = AllOf(HasSubstr("is a Git LFS pointer, not the file itself"), HasSubstr("git lfs pull"));
    for (const std::string model : {"net", "alone.safetensors"}) {
        EXPECT_THAT(refused({"sign", model, "-k", "signer.key", "-o", "s.sig"}), says);
        EXPECT_THAT(refused({"seal", model, "-k", "vendor.key", "-o", "sealed"}), says);
    }
    EXPECT_THAT(refused({"check", "alone.safetensors", "--pub", "vendor.pub"}), says);
    EXPECT_THAT(must({"inspect", "net"}), HasSubstr("net/b.safetensors: is a Git LFS pointer"));
    EXPECT_FALSE(fs::exists(scratch / "s.sig"));
    EXPECT_FALSE(fs::exists(scratch / "sealed"));
}

TEST_F(UsersFolder, SwappedFilesAreNamedAsWhatTheyAre) {
    scratch.write("net", weights(1));
    must({"seal", "net", "-k", "vendor.key", "-o", "sealed", "--receipt", "r"});
    must({"sign", "net", "-k", "signer.key", "-o", "s.sig"});
    scratch.write("page", "<!doctype html><title>404</title>");
    scratch.write("empty", "");
    const auto model = "is a model file (safetensors)";
    const std::tuple<test::Words, int, std::string> rows[] = {
        {{"check", "net", "--pub", "net"}, 3, std::string("net: ") + model + "; a key is needed"},
        {{"check", "net", "vendor.pub"}, 2, "vendor.pub: is a public key, not a model to check"},
        {{"check", "vendor.pub", "--pub", "vendor.pub"},
         3,
         "vendor.pub: is a public key; a model file is needed"},
        {{"check", "s.sig", "--pub", "vendor.pub"}, 3, "s.sig: is a signature; a model file is needed"},
        {{"check", "page", "--pub", "vendor.pub"}, 3, "page: is an HTML page"},
        {{"check", "net", "--pub", "page"}, 3, "page: is an HTML page; a key is needed"},
        {{"check", "net", "--pub", "empty"}, 3, "empty: the file is empty; a key is needed"},
        {{"check", "net", "--key", "vendor.pub"}, 3, "vendor.pub: is a public key; a check key is needed"},
        {{"check", "net", "--fingerprint", "net", "--pub", "vendor.pub"},
         3,
         std::string("net: ") + model + "; a fingerprint is needed"},
        {{"seal", "vendor.key", "-k", "net", "-o", "x"}, 3, std::string("net: ") + model + "; a key is needed"},
        {{"seal", "vendor.key", "-k", "vendor.key", "-o", "x"},
         3,
         "vendor.key: is a private key; a model file is needed"},
        {{"unseal", "sealed", "--receipt", "net", "-o", "x"},
         3,
         std::string("net: ") + model + "; a receipt is needed"},
        {{"unseal", "sealed", "--receipt", "vendor.key", "-o", "x"},
         3,
         "vendor.key: is a private key; a receipt is needed"},
        {{"verify", "net", "--signature", "vendor.pub", "--pub", "signer.pub"},
         3,
         "vendor.pub: is a public key; a signature is needed"},
        {{"verify", "none", "--signature", "net", "--pub", "signer.pub"}, 3, "none: cannot open: not found"},
        {{"customer", "list", "--ledger", "net"}, 3, std::string("net: ") + model + "; a ledger is needed"},
        {{"diff", "s.sig", "net"}, 3, "s.sig: is a signature; a model file is needed"},
        {{"inspect", "page"}, 3, "page: is an HTML page"},
    };
    for (const auto& [words, code, says] : rows) {
        EXPECT_THAT(refused(words, code), HasSubstr(says));
        EXPECT_FALSE(fs::exists(scratch / "x"));
    }
}

TEST_F(UsersFolder, ASourceDateThatIsNotANumberIsWrongUsage) {
    scratch.write("net", weights(1));
    for (const char* given : {"", "yesterday", "-1", "1700000000.5"}) {
        const auto outcome =
            run({"seal", "net", "-k", "vendor.key", "-o", "sealed"}, {{"SOURCE_DATE_EPOCH", given}});
        EXPECT_EQ(outcome.code, 2) << given;
        EXPECT_THAT(outcome.err, HasSubstr("SOURCE_DATE_EPOCH is '"));
    }
    EXPECT_FALSE(fs::exists(scratch / "sealed"));
}

TEST_F(UsersFolder, UnsealedFolderIsNotCalledTheOriginalWhereFilesWereLeftOut) {
    scratch.write("net/a.safetensors", weights(1));
    scratch.write("net/.git/config", "[core]");
    EXPECT_THAT(must({"seal", "net", "-k", "vendor.key", "-o", "sealed", "--receipt", "r"}),
                HasSubstr("left out: .git (version control)"));
    EXPECT_THAT(must({"unseal", "sealed", "--receipt", "r", "-o", "back"}),
                AllOf(HasSubstr("restored back, all files that were sealed, as they were"),
                      Not(HasSubstr("the original"))));
    EXPECT_FALSE(fs::exists(scratch / "back/.git"));
}

}  // namespace
}  // namespace modelseal
