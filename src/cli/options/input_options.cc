#include "cli/options/input_options.h"

#include "cli/options/values.h"

namespace modelseal::cli {

void add_input_options(CLI::App& command, InputFlags& flags) {
    command.add_option("--input-name", flags.name, "name of the input, if the model has several")
        ->type_name("NAME");
    command.add_option("--input-shape", flags.shape, "shape of one input (default: from the model)")
        ->type_name("C,H,W");
    command
        .add_option("--input-range", flags.range, "range of every element (default: from the model, else 0,1)")
        ->type_name("LO,HI");
    command.add_option("--mean", flags.mean, "the model gets (x - mean) / std: one value, or one per channel")
        ->type_name("M,...");
    command.add_option("--std", flags.std, "standard deviation, see --mean")->type_name("S,...");
}

Result<InputOptions> input_options(const InputFlags& flags) {
    InputOptions input;
    if (!flags.name.empty()) input.name = flags.name;
    MODELSEAL_TRY_ASSIGN(input.shape, extent_list(flags.shape, "--input-shape"));
    MODELSEAL_TRY_ASSIGN(const auto range, float_list(flags.range, "--input-range"));
    if (!range.empty() && (range.size() != 2 || range[0] >= range[1])) {
        return Error{ErrorKind::usage, "--input-range takes two ascending numbers, LO,HI", {}};
    }
    if (!range.empty()) input.range = {range[0], range[1]};
    MODELSEAL_TRY_ASSIGN(input.mean, float_list(flags.mean, "--mean"));
    MODELSEAL_TRY_ASSIGN(input.std, float_list(flags.std, "--std"));
    for (const float value : input.std) {
        if (!(value > 0)) return Error{ErrorKind::usage, "--std takes numbers above 0", {}};
    }
    return input;
}

}  // namespace modelseal::cli
