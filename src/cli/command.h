// What a command is to the program.
//
// Each command lives in a file of its own and adds itself with one function `add_NAME(program, context)`, which
// commands.h names: it declares options bound to a struct that its run function shares, and says what runs.
//
//     void add_greet(CLI::App& program, Context& context) {
//         auto options = std::make_shared<Options>();
//         CLI::App& command = add_command(program, "greet", "says hello to somebody");
//         command.add_option("NAME", options->name, "whom to greet")->required();
//         on_run(command, context, [options](Context& with) { return run(*options, with); });
//     }
//
// The run function returns the exit code, or an Error, which the program prints and turns into one. Options of
// every command (--jobs, --quiet, --color, --help) are in the Context and need no declaration. Option text: one
// line that goes on from the option's name, no capital, no period; type_name() names the value in capitals.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "io/progress.h"
#include <modelseal/result.h>

namespace modelseal::cli {

struct Context {
    Terminal terminal;
    unsigned jobs = 0;                      // threads; 0: as many as there are processors
    std::function<Result<ExitCode>()> run;  // of the command that was chosen

    // A line on the terminal, "sealing resnet.onnx", while the object lives; silent where nobody would see it.
    std::unique_ptr<io::Progress> progress(std::string what) const;
    // The same for work that is counted in steps, not in bytes.
    std::unique_ptr<io::Progress> steps(std::string what) const;
};

using Run = std::function<Result<ExitCode>(Context&)>;

// `parent` is the program, or a command that has commands of its own.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& description);
// An option that may be given several times, one value each: `values` has them in order.
CLI::Option* add_list(CLI::App& command, const char* name, std::vector<std::string>& values, const char* what,
                      const char* type);
// `context` outlives the parse and the run.
void on_run(CLI::App& command, Context& context, Run run);

}  // namespace modelseal::cli
