// What a large push costs: programs of git that are started, models that are checked, and memory.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hook/git/check_push.h"
#include "tests/support/git_server.h"
#include "tests/support/models/small_models.h"
#include <modelseal/keys.h>

namespace modelseal::hook {
namespace {

using testing::HasSubstr;

// Sets variables of the environment, as git does for hooks, until the end of a test.
class GitEnvironment {
  public:
    explicit GitEnvironment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {
        for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~GitEnvironment() {
        for (const auto& [name, value] : variables_) {
            if (name != "HOME" && name != "LC_ALL") ::unsetenv(name.c_str());
        }
    }
    GitEnvironment(const GitEnvironment&) = delete;
    GitEnvironment& operator=(const GitEnvironment&) = delete;

  private:
    const std::map<std::string, std::string> variables_;
};

class LargePush : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::installed("git")) GTEST_SKIP() << "no git";
        server = std::make_unique<test::GitServer>();
        const auto& scratch = server->scratch();
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml", "version = 1\n[[vendor]]\nname = \"acme\"\nkeys = [\"v.pub\"]\n");
    }
    // A push of commits without a parent, each on a ref of its own. They are in the repository, and no ref names them yet.
    // `add(i)` returns commands of git-fast-import(1) for the files of one.
    Push refs(unsigned count, const std::function<std::string(unsigned)>& add) const {
        std::string stream;
        for (unsigned i = 0; i < count; ++i) {
            stream += "reset refs/heads/b\ncommit refs/heads/b\nmark :" + std::to_string(i + 1) +
                      "\ncommitter t <t@example.org> " + std::to_string(1'000'000'000 + i) +
                      " +0000\ndata 1\nx\n" + add(i) + "\n";
        }
        const auto bare = server->bare().string(), marks = (server->scratch() / "marks").string();
        server->git({"--git-dir", bare, "fast-import", "--quiet", "--force", "--export-marks=" + marks},
                    stream);
        server->git({"--git-dir", bare, "update-ref", "-d", "refs/heads/b"});
        Push push;
        std::istringstream lines(test::content_of(marks));  // ":1 ID"
        for (std::string mark, id; lines >> mark >> id;) {
            const auto number = std::stoul(mark.substr(1)) - 1;
            push.updates.push_back({.ref = "refs/heads/b" + std::to_string(number), .new_id = id});
        }
        return push;
    }
    Result<PushSummary> check(const Push& push, const PushOptions& options = {}) {
        auto variables = server->variables();
        variables["GIT_DIR"] = server->bare().string();
        const GitEnvironment environment(variables);
        const auto policy = Policy::load(server->scratch() / "policy.toml");
        if (!policy.ok()) throw std::runtime_error(policy.error().message);
        return check_push(push, *policy, options, [&](const PushedModel& model) -> Result<void> {
            const bool passes = model.report.ok() && model.report->exit_code == ExitCode::done;
            (passes ? admitted : refused).push_back(model.path + " " + model.ref);
            return {};
        });
    }
    // A commit of twelve levels of ten times the same folder: 10^12 paths of one file, and thirteen trees.
    Push nested_trees(const std::string& name, const std::string& content, const std::string& parent) const {
        const auto git = [&](test::Words words, const std::string& input) {
            words.insert(words.begin(), {"--git-dir", server->bare().string()});
            return server->git(words, input);
        };
        auto tree = git({"hash-object", "-w", "--stdin"}, content);
        tree = git({"mktree"}, "100644 blob " + tree + "\t" + name + "\n");
        for (int level = 0; level < 12; ++level) {
            std::string entries;
            for (char folder = 'a'; folder <= 'j'; ++folder)
                entries += "040000 tree " + tree + "\t" + folder + "\n";
            tree = git({"mktree"}, entries);
        }
        test::Words words = {"commit-tree", tree, "-m", "nested"};
        if (!parent.empty()) words.insert(words.end(), {"-p", parent});
        return {.updates = {{.ref = "refs/heads/main", .old_id = parent, .new_id = git(words, {})}}};
    }
    static std::string file(const std::string& path, const std::string& content) {
        return "M 100644 inline " + path + "\ndata " + std::to_string(content.size()) + "\n" + content + "\n";
    }

    const SigningKey vendor = test::test_key();
    const std::string plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
    std::unique_ptr<test::GitServer> server;
    std::vector<std::string> admitted, refused;
};

TEST_F(LargePush, OfTenThousandRefsStartsAFewPrograms) {
    const auto sealed = test::sealed_bytes(plain, vendor);
    auto flipped = sealed;
    flipped[flipped.size() - 1000] ^= 1;
    const auto push = refs(10'000, [&](unsigned i) {
        return i == 17 || i == 5'000 ? file("net", sealed)
               : i == 7'777          ? file("net", flipped)
                                     : file("notes", std::to_string(i));
    });
    ASSERT_EQ(push.updates.size(), 10'000u);
    const auto done = check(push);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->commits, 10'000u);
    EXPECT_EQ(done->programs, 5u) << "two for the repository, one for commits, two for objects";
    EXPECT_EQ(done->models, 2u) << "the same model on two refs is checked once";
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0], "net refs/heads/b7777");
    EXPECT_EQ(admitted.size(), 1u);
}

TEST_F(LargePush, OfMoreModelsThanAllowedEnds) {
    const auto push = refs(100, [&](unsigned i) {
        auto model = plain;
        model.back() = static_cast<char>(i);
        return file("net", model);
    });
    const auto done = check(push, {.most_models = 10});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("the push changes more than 10 models"));
    EXPECT_EQ(refused.size(), 10u);
}

TEST_F(LargePush, ThatTakesTooLongIsNotLetThrough) {
    const auto push = refs(1, [&](unsigned) { return file("net", plain); });
    const auto done = check(push, {.most_seconds = 0});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(done.error().message, HasSubstr("the time for the check is over"));
}

TEST_F(LargePush, OfNestedTreesIsNotMultipliedOut) {
    const auto first = nested_trees("notes", "x", {});
    const auto done = check(first);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->commits, 1u);
    const auto& id = first.updates[0].new_id;
    server->git({"--git-dir", server->bare().string(), "update-ref", "refs/heads/main", id});
    const auto changed = check(nested_trees("notes", "y", id));
    ASSERT_TRUE(changed.ok()) << changed.error().message;
    EXPECT_EQ(changed->commits, 1u);
    EXPECT_EQ(changed->models, 0u);
}

TEST_F(LargePush, OfManyModelsInNestedTreesEnds) {
    const auto done = check(nested_trees("net", plain, {}), {.most_models = 20});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("the push changes more than 20 models"));
    EXPECT_EQ(refused.size(), 20u);
}

}  // namespace
}  // namespace modelseal::hook
