// Pushes to a real repository whose hook is modelseal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/git_server.h"
#include "tests/support/models/onnx_builder.h"
#include "tests/support/models/small_models.h"
#include <modelseal/keys.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kGitPolicy = R"(version = 1
[[vendor]]
name = "acme"
keys = ["v.pub"]
[[model]]
match = "net/trial/**"
audit = "warn"
[[model]]
match = "net/held/**"
action = "quarantine"
[[model]]
match = "**"
vendor = "acme"
minimum = { version = "2" }
)";

class GitHook : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::installed("git")) GTEST_SKIP() << "no git";
        start_server("sha1");
    }
    void start_server(const std::string& hash) {
        server = std::make_unique<test::GitServer>(hash);
        const auto& scratch = server->scratch();
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml", kGitPolicy);
        policy = "--policy " + (scratch / "policy.toml").string();
        server->install_hook("pre-receive", policy + " --audit " + (scratch / "audit.jsonl").string());
    }
    // The bytes of a file, sealed in this version.
    std::string sealed(const std::string& original, const std::string& version) const {
        return test::content_of(sealed_at(server->scratch().write("plain", original), version));
    }
    std::filesystem::path sealed_at(const std::filesystem::path& from, const std::string& version) const {
        const auto out = server->scratch() / "sealed";
        std::filesystem::remove_all(out);
        const auto done = seal_model(from, out,
                                     {.key = vendor,
                                      .check = public_check_key(vendor.public_key()),
                                      .stamp = {{"name", "net"}, {"version", version}}});
        if (!done.ok()) throw std::runtime_error(done.error().message);
        return out;
    }
    static std::string flipped(std::string bytes, std::size_t from_end = 1000) {
        bytes[bytes.size() - from_end] ^= 1;
        return bytes;
    }
    // Seals a folder of these files, and has it in the clone.
    void write_sealed_folder(const std::string& path,
                             const std::vector<std::pair<std::string, std::string>>& files) const {
        const auto& scratch = server->scratch();
        std::filesystem::remove_all(scratch / "folder");
        for (const auto& [name, text] : files) scratch.write("folder/" + name, text);
        std::filesystem::remove_all(server->work() / path);
        std::filesystem::copy(sealed_at(scratch / "folder", "2.0"), server->work() / path,
                              std::filesystem::copy_options::recursive);
    }
    test::Outcome push_all(const std::string& message = "x") const {
        server->commit(message);
        return server->push();
    }
    void expect_admitted(const test::Outcome& outcome) const {
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        EXPECT_EQ(server->on_server("refs/heads/main"), server->git({"rev-parse", "HEAD"}));
    }
    void expect_refused(const test::Outcome& outcome, const std::string& why) const {
        EXPECT_NE(outcome.code, 0);
        EXPECT_THAT(outcome.err, HasSubstr("pre-receive hook declined"));
        EXPECT_THAT(outcome.err, HasSubstr(why));
        EXPECT_NE(server->on_server("refs/heads/main"), server->git({"rev-parse", "HEAD"}));
        // Nothing is left behind, and no path of ours is shown.
        for (const auto& entry : std::filesystem::directory_iterator(server->bare()))
            EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith("modelseal-")));
        EXPECT_THAT(outcome.err, Not(HasSubstr("net.git/modelseal-")));
    }

    const std::string plain =
        test::safetensors_file({{"layer.bias", "F32", {1'000}, test::float_weights(1'000, 2)},
                                {"layer.weight", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const SigningKey vendor = test::test_key();
    std::unique_ptr<test::GitServer> server;
    std::string policy;
};

TEST_F(GitHook, AdmitsASealedModelAndRefusesOneWithAFlippedBit) {
    const auto net = sealed(plain, "2.0");
    server->write("models/net.safetensors", net);
    server->write("README.md", "# Models\n");
    const auto good = push_all();
    expect_admitted(good);
    EXPECT_THAT(good.err, HasSubstr("remote: 1 model checked, none refused"));

    server->write("models/net.safetensors", flipped(net));
    const auto bad = push_all("an update");
    expect_refused(bad, "models/net.safetensors: tampered");
    EXPECT_THAT(bad.err, HasSubstr("layer.weight")) << "the tensor";
    EXPECT_THAT(bad.err, HasSubstr("denied by rule '**' in line 11 of")) << "the rule";
    EXPECT_THAT(bad.err, HasSubstr("of refs/heads/main"));
    EXPECT_THAT(bad.err, HasSubstr("1 of 1 model refused"));

    std::istringstream log(test::content_of(server->scratch() / "audit.jsonl"));
    std::string first, second;
    ASSERT_TRUE(std::getline(log, first) && std::getline(log, second));
    const auto admitted = nlohmann::json::parse(first), refused = nlohmann::json::parse(second);
    EXPECT_EQ(admitted["outcome"], "allow");
    EXPECT_EQ(admitted["name"], "net/models/net.safetensors");
    EXPECT_EQ(refused["hook"], "git");
    EXPECT_EQ(refused["repository"], "net");
    EXPECT_EQ(refused["reference"], "refs/heads/main");
    EXPECT_EQ(refused["digest"], server->git({"rev-parse", "HEAD"}));
    EXPECT_EQ(refused["outcome"], "deny");
    EXPECT_EQ(refused["verdict"], "tampered");
    EXPECT_THAT(refused["reason"].get<std::string>(), HasSubstr("layer.weight"));
}

TEST_F(GitHook, ServesRepositoriesOfSha256) {
    start_server("sha256");
    server->write("models/net.bin", sealed(plain, "2.0"));
    expect_admitted(push_all());
    server->write("models/net.bin", flipped(sealed(plain, "2.0")));
    expect_refused(push_all(), "models/net.bin: tampered");
}

TEST_F(GitHook, RefusesAnEarlierVersionAsSuch) {
    server->write("net.bin", sealed(plain, "1.9"));
    const auto old = push_all();
    expect_refused(old, "version");
    EXPECT_THAT(old.err, HasSubstr("minimum"));
}

TEST_F(GitHook, RefusesToPutAnEarlierVersionBackByForce) {
    // Both versions are in the history, from before the policy asked for the second.
    server->remove_hook("pre-receive");
    server->write("net.bin", sealed(plain, "1.9"));
    const auto first = server->commit("1.9");
    server->write("net.bin", sealed(plain, "2.0"));
    expect_admitted(push_all("2.0"));
    server->install_hook("pre-receive", policy);
    const auto forced = server->push({"+" + first + ":refs/heads/main"});
    EXPECT_NE(forced.code, 0);
    EXPECT_THAT(forced.err, HasSubstr("version"));
    // Nor by a merge that takes the other side's: its commit is new, and its content is not.
    server->git({"checkout", "--quiet", "-b", "other", first});
    server->write("other.txt", "x");
    server->commit("beside 1.9");
    EXPECT_EQ(server->push({"HEAD:refs/heads/other"}).code, 0);
    server->git({"checkout", "--quiet", "main"});
    server->git({"merge", "--quiet", "--no-commit", "--no-ff", "other"});
    server->git({"checkout", "other", "--", "net.bin"});
    expect_refused(push_all("merge"), "version");
    // A new name for what is there already changes nothing, and so does its removal.
    EXPECT_EQ(server->push({first + ":refs/tags/v1.9"}).code, 0);
    EXPECT_EQ(server->push({":refs/tags/v1.9"}).code, 0);
    EXPECT_EQ(server->on_server("refs/tags/v1.9"), "");
}

TEST_F(GitHook, LooksAtEveryCommitThatIsNew) {
    server->write("net.bin", sealed(plain, "2.0"));
    server->commit("good");
    const auto good = test::content_of(server->work() / "net.bin");
    server->write("net.bin", flipped(good));
    const auto bad = server->commit("bad");
    server->write("net.bin", good);
    expect_refused(push_all("good again"), "net.bin: tampered");
    const auto outcome = server->push();
    EXPECT_THAT(outcome.err, HasSubstr("commit " + bad.substr(0, 12)));
    EXPECT_THAT(outcome.err, HasSubstr("1 of 2 models refused")) << "the same state twice is one";
}

TEST_F(GitHook, LetsThroughWhatThePushDoesNotChange) {
    server->remove_hook("pre-receive");
    server->write("models/net.bin", flipped(sealed(plain, "2.0")));
    expect_admitted(push_all("tampered, and in the history"));
    server->install_hook("pre-receive", policy);
    server->write("models/notes.txt", "unrelated, in the same folder");
    server->write("other/notes.txt", "unrelated");
    const auto unrelated = push_all("notes");
    expect_admitted(unrelated);
    EXPECT_THAT(unrelated.err, Not(HasSubstr("net.bin")));
    // A merge of two sides that are there already changes nothing either.
    server->git({"checkout", "--quiet", "-b", "side", "HEAD~1"});
    server->write("side.txt", "side");
    server->commit("side");
    EXPECT_EQ(server->push({"HEAD:refs/heads/side"}).code, 0);
    server->git({"checkout", "--quiet", "main"});
    server->git({"merge", "--quiet", "--no-ff", "-m", "merge", "side"});
    expect_admitted(server->push());
    // Moved, it is new under its name.
    server->git({"mv", "models/net.bin", "models/moved.bin"});
    expect_refused(push_all("moved"), "models/moved.bin: tampered");
}

TEST_F(GitHook, KnowsModelsByTheirContent) {
    server->write("weights.dat", plain);
    expect_refused(push_all(), "weights.dat: ");
    EXPECT_THAT(server->push().err, HasSubstr("no seal"));
}

TEST_F(GitHook, WarnsAndHolds) {
    server->write("trial/net.bin", flipped(sealed(plain, "2.0")));
    const auto warned = push_all();
    expect_admitted(warned);
    EXPECT_THAT(warned.err, HasSubstr("allowed with a warning"));
    EXPECT_THAT(warned.err, HasSubstr("trial/net.bin: tampered"));
    server->write("held/net.bin", flipped(sealed(plain, "2.0")));
    expect_refused(push_all(), "quarantined");
}

TEST_F(GitHook, RefusesAnUnsealedAdapterBesideASealedModel) {
    const auto lora = test::safetensors_file({{"lora_A", "F32", {60'000}, test::float_weights(60'000, 3)}});
    server->write("bert/net.safetensors", sealed(plain, "2.0"));
    expect_admitted(push_all("the model"));
    server->write("bert/adapter_model.safetensors", lora);
    const auto outcome = push_all("an adapter");
    expect_refused(outcome, "adapters");
    EXPECT_THAT(outcome.err, HasSubstr("bert/net.safetensors")) << "the model that it lies beside";
    EXPECT_THAT(outcome.err, HasSubstr("2 of 2 models refused")) << "and the adapter itself";
    server->write("bert/adapter_model.safetensors", sealed(lora, "2.0"));
    server->git({"reset", "--quiet", "--soft", "HEAD~1"});
    expect_admitted(push_all("sealed"));
}

TEST_F(GitHook, ChecksAFolderWithAConfigurationAsOneModel) {
    write_sealed_folder("bert", {{"model.safetensors", plain},
                                 {"config.json", R"({"auto_map": {"AutoModel": "modeling_x.Model"}})"},
                                 {"modeling_x.py", "class Model: pass\n"},
                                 {"tokenizer/vocab.txt", "a\n"}});
    const auto good = push_all();
    expect_admitted(good);
    EXPECT_THAT(good.err, HasSubstr("1 model checked"));
    server->write("bert/tokenizer/vocab.txt", "b\n");
    const auto changed = push_all("another vocabulary");
    expect_refused(changed, "bert: tampered");
    EXPECT_THAT(changed.err, HasSubstr("vocab.txt"));
    // Without its configuration it is a file, which is not sealed as one.
    server->git({"reset", "--quiet", "--hard", "HEAD~1"});
    server->git({"rm", "--quiet", "bert/config.json"});
    expect_refused(push_all("no configuration"), "is one file of a model that was sealed as a folder");
}

TEST_F(GitHook, RefusesRemoteCodeOutsideTheSeal) {
    write_sealed_folder("bert",
                        {{"model.safetensors", plain},
                         {"config.json", R"({"auto_map": {"AutoModel": "other/repo--modeling_x.Model"}})"}});
    expect_refused(push_all(), "closure");
    // Beside a file that is sealed by itself as well.
    server->git({"reset", "--quiet", "--hard", "HEAD"});
    std::filesystem::remove_all(server->work() / "bert");
    server->write("bert/model.safetensors", sealed(plain, "2.0"));
    server->write("bert/config.json", R"({"auto_map": {"AutoModel": "modeling_x.Model"}})");
    server->write("bert/modeling_x.py", "import os\n");
    server->git({"update-ref", "-d", "HEAD"});
    expect_refused(push_all(), "closure");
    // Unless every file is taken for a model of its own.
    server->install_hook("pre-receive", policy + " --each");
    expect_admitted(server->push());
}

TEST_F(GitHook, ARepositoryMayBeOneModel) {
    server->scratch().write("root.toml", std::string(kGitPolicy) + "[[model]]\nmatch = \"never\"\n");
    std::filesystem::remove(server->scratch() / "root.toml");
    write_sealed_folder("sub", {{"model.safetensors", plain}, {"config.json", "{}"}, {"README.md", "x"}});
    for (const auto& entry : std::filesystem::directory_iterator(server->work() / "sub"))
        std::filesystem::copy(entry.path(), server->work() / entry.path().filename());
    std::filesystem::remove_all(server->work() / "sub");
    expect_admitted(push_all());
    server->write("README.md", "y");
    const auto outcome = push_all();
    expect_refused(outcome, "net: tampered");
    EXPECT_THAT(outcome.err, HasSubstr("README.md"));
}

TEST_F(GitHook, ChecksAGraphWithItsExternalData) {
    test::Proto graph;
    graph.bytes(2, "graph")
        .message(5, test::onnx::tensor("w", test::onnx::kFloat, {60'000})
                        .message(13, test::onnx::entry("location", "data/weights.bin"))
                        .varint(14, 1));
    const auto& scratch = server->scratch();
    scratch.write("onnx/data/weights.bin", test::float_weights(60'000, 1));
    const auto net = scratch.write("onnx/net.onnx", std::string(test::onnx::model(graph).text()));
    std::filesystem::create_directory(scratch / "out");
    ASSERT_TRUE(
        seal_model(net, scratch / "out/net.onnx",
                   {.key = vendor, .check = public_check_key(vendor.public_key()), .stamp = {{"version", "2"}}})
            .ok());
    std::filesystem::copy(scratch / "out", server->work() / "models", std::filesystem::copy_options::recursive);
    const auto good = push_all();
    expect_admitted(good);
    EXPECT_THAT(good.err, HasSubstr("1 model checked"));
    // The graph stays as it is.
    const auto data = test::content_of(server->work() / "models/data/weights.bin");
    server->write("models/data/weights.bin", flipped(data));
    expect_refused(push_all("other weights"), "models/net.onnx: tampered");
    server->git({"reset", "--quiet", "--hard", "HEAD~1"});
    server->git({"rm", "--quiet", "models/data/weights.bin"});
    expect_refused(push_all("no weights"), "models/net.onnx");
}

TEST_F(GitHook, NamesMayBeAnything) {
    const auto bad = flipped(sealed(plain, "2.0"));
    server->write("a\nb/\"quoted\" \\ net\x1b[31m.bin", bad);
    server->write("-c", "an option?");
    server->write("--not", bad);
    const auto outcome = push_all("names");
    expect_refused(outcome, "a\\x0ab/\"quoted\" \\ net\\x1b[31m.bin: tampered");
    EXPECT_THAT(outcome.err, HasSubstr("--not: tampered"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("\x1b[31m")));
}

TEST_F(GitHook, RefusesTreesThatLeaveTheFolder) {
    server->write("x", "x");
    server->commit("x");
    const auto id = server->git({"hash-object", "-w", "--stdin"}, sealed(plain, "2.0"));
    std::string raw;
    for (std::size_t i = 0; i < id.size(); i += 2)
        raw += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
    for (const std::string name : {"..", "../../hooks/pre-receive", ".git"}) {
        const auto commit = server->commit_of_raw_tree("100644 " + name + std::string(1, '\0') + raw);
        const auto outcome = server->push({commit + ":refs/heads/evil"});
        EXPECT_NE(outcome.code, 0) << name;
        EXPECT_THAT(outcome.err, HasSubstr("is not a name that a file of a repository may have")) << name;
        EXPECT_EQ(server->on_server("refs/heads/evil"), "");
    }
}

TEST_F(GitHook, FollowsNeitherLinksNorSubmodules) {
    server->write("models/net.bin", sealed(plain, "2.0"));
    server->write("notes.txt", "x");
    server->write("sandbox/weights.dat", sealed(plain, "2.0"));
    std::filesystem::create_symlink("../notes.txt", server->work() / "models/notes");
    expect_admitted(push_all("a link to a text"));
    const std::string why = ": a symbolic link; what it leads to is not checked under this name";
    for (const auto& [name, target] : std::map<std::string, std::string>{{"prod", "sandbox"},
                                                                         {"new/in", "../sandbox"},
                                                                         {"models/link", "/etc/passwd"},
                                                                         {"a.dat", "sandbox/weights.dat"},
                                                                         {"b.safetensors", "notes.txt"},
                                                                         {"c", "gone"},
                                                                         {"d", "models/notes"},
                                                                         {"e", "../x"}}) {
        std::filesystem::create_directories((server->work() / name).parent_path());
        std::filesystem::create_symlink(target, server->work() / name);
        expect_refused(push_all(name), name + why);
        server->git({"reset", "--quiet", "--hard", "HEAD~1"});
    }
    server->git({"update-index", "--add", "--cacheinfo", "160000," + std::string(40, '1') + ",models/module"});
    server->git({"commit", "--quiet", "-m", "a submodule"});
    expect_refused(server->push(), "models/module: a submodule");
    server->git({"reset", "--quiet", "--hard", "HEAD~1"});
    write_sealed_folder("bert", {{"model.safetensors", plain}, {"config.json", "{}"}});
    std::filesystem::create_symlink("/etc/passwd", server->work() / "bert/link");
    expect_refused(push_all("in a folder"), "bert/link: a symbolic link");
    // Weights that are a link, beside a configuration.
    server->git({"reset", "--quiet", "--hard", "HEAD~1"});
    server->write("linked/config.json", "{}");
    std::filesystem::create_symlink("../models/net.bin", server->work() / "linked/model.safetensors");
    expect_refused(push_all("linked weights"), "linked/model.safetensors: a symbolic link");
}

TEST_F(GitHook, RefsMayNameTreesBlobsAndTags) {
    server->write("net.bin", flipped(sealed(plain, "2.0")));
    server->commit("bad");
    for (const char* what : {"HEAD:net.bin", "HEAD^{tree}"}) {
        const auto outcome = server->push({server->git({"rev-parse", what}) + ":refs/tags/x"});
        EXPECT_NE(outcome.code, 0) << what;
        EXPECT_THAT(outcome.err, HasSubstr("tampered")) << what;
    }
    server->git({"tag", "-a", "-m", "annotated", "v2"});
    EXPECT_THAT(server->push({"v2"}).err, HasSubstr("net.bin: tampered"));
    EXPECT_EQ(server->on_server("refs/tags/v2"), "");
}

TEST_F(GitHook, APushIsNotFollowedIntoReplacements) {
    // refs/replace would show git the good model in the place of the bad one.
    server->write("net.bin", sealed(plain, "2.0"));
    server->commit("good");
    const auto good = server->git({"rev-parse", "HEAD:net.bin"});
    expect_admitted(server->push());
    server->write("net.bin", flipped(sealed(plain, "2.0")));
    server->commit("bad");
    const auto bad = server->git({"rev-parse", "HEAD:net.bin"});
    server->git({"--git-dir", server->bare().string(), "update-ref", "refs/replace/" + bad, good});
    expect_refused(server->push(), "net.bin: tampered");
}

TEST_F(GitHook, RefusesEachRefOnItsOwnAsUpdateHook) {
    server->remove_hook("pre-receive");
    server->install_hook("update", policy);
    server->write("net.bin", sealed(plain, "2.0"));
    server->commit("good");
    server->git({"branch", "good"});
    server->write("net.bin", flipped(sealed(plain, "2.0")));
    server->commit("bad");
    const auto outcome = server->push({"good", "main"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("net.bin: tampered"));
    EXPECT_EQ(server->on_server("refs/heads/good"), server->git({"rev-parse", "good"}));
    EXPECT_EQ(server->on_server("refs/heads/main"), "");
}

TEST_F(GitHook, KeepsThePusherFromPushingAsPrePushHook) {
    server->remove_hook("pre-receive");
    server->write("old.bin", flipped(sealed(plain, "2.0")));
    expect_admitted(push_all("from before"));
    server->install_hook("pre-push", policy);
    server->write("net.bin", sealed(plain, "2.0"));
    expect_admitted(push_all("good"));
    server->write("net.bin", flipped(sealed(plain, "2.0")));
    const auto outcome = push_all("bad");
    EXPECT_NE(outcome.code, 0);
    EXPECT_THAT(outcome.err + outcome.out, HasSubstr("net.bin: tampered"));
    EXPECT_THAT(outcome.err + outcome.out, Not(HasSubstr("old.bin")));
    EXPECT_NE(server->on_server("refs/heads/main"), server->git({"rev-parse", "HEAD"}));
    EXPECT_EQ(server->push({"HEAD~1:refs/heads/side"}).code, 0);
    EXPECT_EQ(server->push({":refs/heads/side"}).code, 0) << "a deletion";
}

TEST_F(GitHook, RemovesWhatAKilledOneLeftBehind) {
    const auto left = server->bare() / "modelseal-push-killed",
               recent = server->bare() / "modelseal-push-recent";
    // Of somebody else, by their names or modes.
    const auto backup = server->bare() / "modelseal-backup", open = server->bare() / "modelseal-push-public";
    for (const auto& folder : {left, recent, backup, open}) {
        std::filesystem::create_directories(folder / "model");
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
        std::ofstream(folder / "model/net.bin") << "x";
        if (folder == recent) continue;
        std::filesystem::last_write_time(folder,
                                         std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    }
    std::filesystem::permissions(open, std::filesystem::perms(0755));
    server->write("notes.txt", "x");
    expect_admitted(push_all());
    EXPECT_FALSE(std::filesystem::exists(left));
    for (const auto& folder : {recent, backup, open}) EXPECT_TRUE(std::filesystem::exists(folder)) << folder;
}

TEST_F(GitHook, RefusesWhatItCannotCheck) {
    server->write("net.bin", plain.substr(0, plain.size() / 2));
    expect_refused(push_all("cut off"), "net.bin");
    server->write("net.bin", sealed(plain, "2.0"));
    server->git({"update-ref", "-d", "HEAD"});
    server->commit("good");
    for (const auto& [words, why] : std::map<std::string, std::string>{
             {"--policy " + (server->scratch() / "gone.toml").string(), "gone.toml"},
             {"", "no policy"},
             {policy + " --max-bytes 1000", "more bytes than are checked at once"},
             {policy + " --audit " + (server->scratch() / "no/folder/audit").string(), "audit"},
             {policy + " one two three four", "arguments"}}) {
        server->install_hook("pre-receive", words);
        expect_refused(server->push(), why);
    }
    server->install_hook("pre-receive", policy);
    expect_admitted(server->push());
}

TEST_F(GitHook, RefusesMoreThanItIsToCheck) {
    const auto net = sealed(plain, "2.0");
    for (const char* name : {"a", "b", "c"}) server->write(name, net);
    server->install_hook("pre-receive", policy + " --max-models 2");
    expect_refused(push_all("three"), "the push changes more than 2 models");
    server->scratch().write(
        "policy.toml",
        "version = 1\n[defaults]\nmax_bytes = \"100 kB\"\n[[vendor]]\nname = \"acme\"\nkeys = [\"v.pub\"]\n");
    server->install_hook("pre-receive", policy);
    expect_refused(server->push(), "the policy allows 100,000");
}

}  // namespace
}  // namespace modelseal
