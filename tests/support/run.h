// Programs as their users run them: with arguments, an environment, a folder, and no terminal, or one of their
// own.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace modelseal::test {

struct Outcome {
    int code = -1;    // exit code; 128 + number for a signal
    std::string out;  // for run_on_terminal(): all that a person saw
    std::string err;
};

struct Surroundings {
    std::filesystem::path folder = {};                  // where it runs; empty: here
    std::map<std::string, std::string> variables = {};  // added to the environment
    std::string input = {};                             // what standard input holds
};

using Words = std::vector<std::string>;

// Without a controlling terminal. Killed after five minutes: a loaded machine takes long.
Outcome run(const Words& command, const Surroundings& surroundings = {});

// A question that is awaited, by a part of it, and what is typed then.
using Answer = std::pair<std::string, std::string>;
// On a terminal of its own, which standard input, output and error are.
Outcome run_on_terminal(const Words& command, const std::vector<Answer>& answers,
                        const Surroundings& surroundings = {});

// The program under test, with these arguments.
Words modelseal(Words arguments);

// True if `program` is found in PATH; other implementations are used only if they are installed.
bool installed(const std::string& program);

}  // namespace modelseal::test
