#include "cli/options/input_options.h"

#include <fmt/format.h>

#include "cli/options/values.h"
#include "util/text.h"

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

void add_several_inputs_option(CLI::App& command, InputFlags& flags) {
    auto* one =
        command
            .add_option(
                "--input", flags.parts,
                "an input of a model that has several: its whole shape, and the range of its elements or "
                "their value; repeat for each")
            ->type_name("NAME=SHAPE:RANGE")
            ->allow_extra_args(false);
    for (const char* other : {"--input-name", "--input-shape", "--input-range", "--mean", "--std"})
        one->excludes(command.get_option(other));
}

namespace {

// "x=1,512:-1,1" (a range), "sr=:16000" (a number, and its value), "state=2,1,128" (from 0 to 1).
Result<InputPart> input_part(const std::string& text) {
    const auto equals = text.find('='), colon = text.find(':', equals);
    if (equals == std::string::npos || equals == 0) {
        return Error{
            ErrorKind::usage,
            fmt::format("--input takes NAME=SHAPE:LO,HI or NAME=SHAPE:VALUE, not '{}'", util::printable(text)),
            "for example --input x=1,512:-1,1 --input rate=:16000"};
    }
    InputPart part{.name = text.substr(0, equals), .shape = {}};
    MODELSEAL_TRY_ASSIGN(
        part.shape,
        extent_list(text.substr(equals + 1, colon == std::string::npos ? colon : colon - equals - 1),
                    "--input"));
    if (colon == std::string::npos) return part;
    MODELSEAL_TRY_ASSIGN(const auto values, float_list(text.substr(colon + 1), "--input"));
    if (values.size() == 1) {
        part.fixed = static_cast<double>(values[0]);
    } else if (values.size() == 2 && values[0] < values[1]) {
        part.range = {values[0], values[1]};
    } else {
        return Error{ErrorKind::usage,
                     fmt::format("--input {}: one value, or two ascending numbers follow the colon",
                                 util::printable(part.name)),
                     {}};
    }
    return part;
}

}  // namespace

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
    for (const auto& part : flags.parts) {
        MODELSEAL_TRY_ASSIGN(input.parts.emplace_back(), input_part(part));
    }
    return input;
}

}  // namespace modelseal::cli
