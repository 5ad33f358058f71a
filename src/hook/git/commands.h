// The command lines of git that are used here: all of them, without the name of the program.
#pragma once

#include <string>

#include "hook/git/program.h"

namespace modelseal::hook {

// The folder of the repository, absolute; of a work tree, that of its repository.
inline GitProgram::Words show_repository() {
    return {"rev-parse", "--path-format=absolute", "--git-common-dir"};
}

// Of the repository's configuration; exits with 1 if there is none.
inline GitProgram::Words show_path_setting(const std::string& name) {
    return {"config", "--type=path", "--get", name};
}

// "COMMIT PARENT..." a line, for all commits from those on standard input back to what refs have, or what the remote has as
// far as it is known here. `pattern` is one of git: "origin/*".
inline GitProgram::Words walk_from_refs() {
    return {"rev-list", "--parents", "--stdin", "--not", "--all"};
}
inline GitProgram::Words walk_from_remote(const std::string& pattern) {
    return {"rev-list", "--parents", "--stdin", "--not", "--remotes=" + pattern};
}

// An id on standard input, and what it is on standard output: "ID TYPE SIZE", or that and the content.
inline GitProgram::Words read_sizes() {
    return {"cat-file", "--batch-check"};
}
inline GitProgram::Words read_contents() {
    return {"cat-file", "--batch"};
}

}  // namespace modelseal::hook
