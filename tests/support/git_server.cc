#include "tests/support/git_server.h"

#include <stdexcept>

namespace modelseal::test {

namespace fs = std::filesystem;

GitServer::GitServer(const std::string& hash) {
    scratch_.write("gitconfig",
                   "[user]\nname = tester\nemail = tester@example.org\n[init]\ndefaultBranch = main\n"
                   "[protocol \"file\"]\nallow = always\n[advice]\npushUpdateRejected = false\n");
    variables_ = {{"GIT_CONFIG_GLOBAL", (scratch_ / "gitconfig").string()},
                  {"GIT_CONFIG_NOSYSTEM", "1"},
                  {"HOME", scratch_.path().string()},
                  {"GIT_TERMINAL_PROMPT", "0"},
                  {"LC_ALL", "C"}};
    fs::create_directories(work());
    git({"init", "--quiet", "--object-format=" + hash, "--bare", bare().string()});
    git({"init", "--quiet", "--object-format=" + hash, "."});
    git({"remote", "add", "origin", "file://" + bare().string()});
}

fs::path GitServer::hook_file(const std::string& name) const {
    return (name == "pre-push" ? work() / ".git" : bare()) / "hooks" / name;
}

void GitServer::install_hook(const std::string& name, const std::string& words) const {
    const auto file = hook_file(name);
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "#!/bin/sh\nexec " MODELSEAL_PROGRAM " hook git " << words << " -- \"$@\"\n";
    fs::permissions(file, fs::perms::owner_all);
}

void GitServer::remove_hook(const std::string& name) const {
    fs::remove(hook_file(name));
}

void GitServer::write(const std::string& path, std::string_view content) const {
    scratch_.write("work/" + path, content);
}

Outcome GitServer::try_git(const Words& words, const std::string& input) const {
    Words all = {"git"};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, {.folder = work(), .variables = variables_, .input = input});
}

std::string GitServer::git(const Words& words, const std::string& input) const {
    auto outcome = try_git(words, input);
    if (outcome.code != 0) throw std::runtime_error("git " + words[0] + ": " + outcome.err);
    if (outcome.out.ends_with('\n')) outcome.out.pop_back();
    return outcome.out;
}

std::string GitServer::commit(const std::string& message) const {
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
}

Outcome GitServer::push(const Words& words) const {
    Words all = {"push", "origin"};
    all.insert(all.end(), words.begin(), words.end());
    return try_git(all);
}

std::string GitServer::on_server(const std::string& ref) const {
    auto outcome = try_git({"--git-dir", bare().string(), "rev-parse", "--verify", "--quiet", ref});
    if (outcome.out.ends_with('\n')) outcome.out.pop_back();
    return outcome.out;
}

std::string GitServer::commit_of_raw_tree(std::string_view tree) const {
    const auto id = git({"hash-object", "-t", "tree", "-w", "--stdin", "--literally"}, std::string(tree));
    return git({"commit-tree", id, "-m", "raw"});
}

}  // namespace modelseal::test
