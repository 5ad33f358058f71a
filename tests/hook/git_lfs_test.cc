// Models that a repository has in Git LFS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/git_server.h"
#include "tests/support/models/small_models.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using testing::HasSubstr;

class GitLfs : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::installed("git")) GTEST_SKIP() << "no git";
        if (!test::installed("git-lfs")) GTEST_SKIP() << "no git-lfs";
        server = std::make_unique<test::GitServer>();
        const auto& scratch = server->scratch();
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml", "version = 1\n[[vendor]]\nname = \"acme\"\nkeys = [\"v.pub\"]\n");
        policy = "--policy " + (scratch / "policy.toml").string();
        server->install_hook("pre-receive", policy);
        server->git({"lfs", "install", "--local"});
        server->git({"lfs", "track", "*.safetensors"});
        sealed = test::sealed_bytes(plain, vendor);
        flipped = sealed;
        flipped[flipped.size() - 1000] ^= 1;
    }
    test::Outcome push_all(const std::string& message = "x") const {
        server->commit(message);
        return server->push();
    }
    std::filesystem::path object_on_server(const std::string& path) const {
        const auto pointer = server->git({"show", "HEAD:" + path});
        const auto oid = pointer.substr(pointer.find("sha256:") + 7, 64);
        return server->bare() / "lfs/objects" / oid.substr(0, 2) / oid.substr(2, 2) / oid;
    }
    static void replace(const std::filesystem::path& file, const std::string& content) {
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    }

    const std::string plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const SigningKey vendor = test::test_key();
    std::string sealed, flipped, policy;
    std::unique_ptr<test::GitServer> server;
};

TEST_F(GitLfs, ModelsAreCheckedInTheStore) {
    server->write("net.safetensors", sealed);
    const auto good = push_all("good");
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_THAT(good.err, HasSubstr("1 model checked, none refused"));
    ASSERT_TRUE(std::filesystem::exists(object_on_server("net.safetensors")));
    server->write("net.safetensors", flipped);
    const auto bad = push_all("bad");
    EXPECT_NE(bad.code, 0);
    EXPECT_THAT(bad.err, HasSubstr("net.safetensors: tampered"));
    EXPECT_THAT(bad.err, HasSubstr("1 of 1 model refused"));
    EXPECT_EQ(test::content_of(object_on_server("net.safetensors")), flipped) << "the store is left as it is";
}

TEST_F(GitLfs, AFolderMayBeHalfInTheStore) {
    server->write("bert/model.safetensors", sealed);
    server->write("bert/config.json", "{}");
    const auto outcome = push_all();
    EXPECT_NE(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("bert: tampered, weights intact, frame changed")) << "sealed as a file";
}

TEST_F(GitLfs, ABrokenStoreLetsNothingThrough) {
    // The objects go first, without the ref, and something happens to them.
    server->write("net.safetensors", sealed);
    server->commit("good");
    server->git({"lfs", "push", "origin", "main"});
    const auto object = object_on_server("net.safetensors");
    ASSERT_TRUE(std::filesystem::exists(object));
    const auto push = [&] { return server->push({"--no-verify", "main"}); };
    for (const auto& [content, why] :
         std::map<std::string, std::string>{{flipped, "the content in the Git LFS store is not that of object"},
                                            {sealed.substr(1), "the pointer names"},
                                            {"", "has 0 bytes in the Git LFS store"}}) {
        replace(object, content);
        const auto outcome = push();
        EXPECT_NE(outcome.code, 0);
        EXPECT_THAT(outcome.err, HasSubstr(why));
        EXPECT_THAT(outcome.err, HasSubstr("net.safetensors"));
    }
    std::filesystem::remove(object);
    const auto gone = push();
    EXPECT_NE(gone.code, 0);
    EXPECT_THAT(gone.err, HasSubstr("not in the Git LFS store"));
    std::filesystem::create_directory(object);
    EXPECT_NE(push().code, 0) << "a folder";
    std::filesystem::remove(object);
    std::filesystem::create_symlink("/dev/zero", object);
    EXPECT_NE(push().code, 0) << "a device";
    std::filesystem::remove(object);
    std::ofstream(object, std::ios::binary) << sealed;
    const auto mended = push();
    EXPECT_EQ(mended.code, 0) << mended.err;
    // What is in the history already may be broken.
    std::filesystem::remove(object);
    server->write("notes.txt", "x");
    server->commit("notes");
    EXPECT_EQ(push().code, 0);
}

TEST_F(GitLfs, TheStoreMayBeElsewhere) {
    server->write("net.safetensors", sealed);
    server->commit("good");
    server->git({"lfs", "push", "origin", "main"});
    std::filesystem::rename(server->bare() / "lfs", server->scratch() / "elsewhere");
    EXPECT_NE(server->push({"--no-verify", "main"}).code, 0);
    server->git({"--git-dir", server->bare().string(), "config", "lfs.storage",
                 (server->scratch() / "elsewhere").string()});
    EXPECT_EQ(server->push({"--no-verify", "main"}).code, 0);
    server->git({"--git-dir", server->bare().string(), "config", "--unset", "lfs.storage"});
    server->install_hook("pre-receive",
                         policy + " --lfs " + (server->scratch() / "elsewhere/objects").string());
    const auto outcome = server->push({"--no-verify", "main:refs/heads/again", "+main~0:refs/heads/main"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(GitLfs, ABrokenPointerLetsNothingThrough) {
    server->write("net.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'g') +
                                 "\nsize 1\n");
    const auto outcome = push_all();
    EXPECT_NE(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("net.bin: the digest of a Git LFS pointer is not one of SHA-256"));
    server->write("net.bin",
                  "version https://git-lfs.github.com/spec/v1\n is how a pointer of Git LFS begins\n");
    EXPECT_NE(push_all().code, 0);
    // Git LFS reads the front of a file, without blanks around it.
    server->write("net.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
                                 "\nsize 1\n" + std::string(2'000, ' '));
    server->git({"update-ref", "-d", "HEAD"});
    const auto longer = push_all();
    EXPECT_NE(longer.code, 0);
    EXPECT_THAT(longer.err, HasSubstr("net.bin: begins as a Git LFS pointer"));
}

}  // namespace
}  // namespace modelseal
