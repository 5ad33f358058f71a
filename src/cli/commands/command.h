// What a command is to the program.
//
// Each command lives in a file of its own and adds itself with one function `add_NAME(program, context)`, which
// commands.h names: it declares options bound to a struct that its run function shares, and names that function.
//
//     void add_greet(CLI::App& program, Context& context) {
//         auto flags = std::make_shared<Flags>();
//         CLI::App& command = add_command(program, "greet", "Say hello", {"modelseal greet World"});
//         command.add_option("NAME", flags->name, "name of a person")->required();
//         on_run(command, context, [flags](Context& context) { return run(*flags, context); });
//     }
//
// The run function returns the exit code, or an Error, which the program prints and turns into one. Options of
// every command (--jobs, --quiet, --color, --help) are in the Context and need no declaration.
//
// Words: a command is described by an imperative with a capital, an option by a phrase without; neither ends in a
// period. A default stands at the end, "number of threads (default: one per CPU)". type_name() names the value in
// capitals. Options of the first group are shown by --help, those of other groups by --help-all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/terminal/progress_bar.h"
#include "cli/terminal/terminal.h"
#include "policy/decide.h"
#include <modelseal/progress.h>
#include <modelseal/result.h>

namespace modelseal::cli {

using policy::exit_code;
using policy::worst;

struct Context {
    Terminal terminal;
    unsigned jobs = 0;                      // threads; 0: one per CPU
    std::function<Result<ExitCode>()> run;  // of the command that was chosen

    // A line on the terminal, "sealing resnet.onnx", while the object lives; prints nothing if standard error is not a
    // terminal.
    std::unique_ptr<Progress> progress(Task task, Counted counted = Counted::bytes) const;
};

using Run = std::function<Result<ExitCode>(Context&)>;

// `parent` is the program, or a command that has commands of its own. `examples` are command lines for the help.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::vector<std::string>& examples);
// An option that may be given several times, one value each: `values` has them in order.
CLI::Option* add_list(CLI::App& command, const char* name, std::vector<std::string>& values, const char* what,
                      const char* type);
// `context` must outlive the parse and the run.
void on_run(CLI::App& command, Context& context, Run run);

}  // namespace modelseal::cli
