// Real repositories of git: a bare one with hooks, as on a server, and a clone that pushes to it. Nothing of the user's own
// configuration counts. Tests that need it skip where git is not installed.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::test {

class GitServer {
  public:
    // An empty repository "server/net.git", and its clone "work" with the branch main. `hash`: "sha1" or "sha256".
    explicit GitServer(const std::string& hash = "sha1");

    std::filesystem::path bare() const { return scratch_ / "server/net.git"; }
    std::filesystem::path work() const { return scratch_ / "work"; }
    const Scratch& scratch() const { return scratch_; }
    const std::map<std::string, std::string>& variables() const { return variables_; }

    // Installs `name` ("pre-receive", "update") on the server, or "pre-push" in the clone: it runs modelseal with these words
    // and what git gives it.
    void install_hook(const std::string& name, const std::string& words) const;
    void remove_hook(const std::string& name) const;

    // A file in the clone, with the folders on the way.
    void write(const std::string& path, std::string_view content) const;
    // Everything in the clone, as a commit; returns its id.
    std::string commit(const std::string& message) const;
    // In the clone; throws if git fails.
    std::string git(const Words& words, const std::string& input = {}) const;
    Outcome try_git(const Words& words, const std::string& input = {}) const;
    // "git push origin WORDS..."
    Outcome push(const Words& words = {"HEAD:refs/heads/main"}) const;
    // What the server has under a name; empty if it has nothing.
    std::string on_server(const std::string& ref) const;

    // Creates a tree from the output format of git-ls-tree(1), with entries that git itself refuses to write as well, and a
    // commit of it; returns the id of the commit.
    std::string commit_of_raw_tree(std::string_view tree) const;

  private:
    std::filesystem::path hook_file(const std::string& name) const;

    Scratch scratch_;
    std::map<std::string, std::string> variables_;
};

}  // namespace modelseal::test
