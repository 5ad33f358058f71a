// The inputs of a model that is run here, as people type them.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/fingerprint.h>

namespace modelseal::cli {

struct InputFlags {
    std::string name, shape, range, mean, std;
    std::vector<std::string> parts;
};

// --input-name, --input-shape, --input-range, --mean and --std.
void add_input_options(CLI::App& command, InputFlags& flags);
// --input, which none of these go with; after them.
void add_several_inputs_option(CLI::App& command, InputFlags& flags);

// Error `usage` for what is not a list of numbers, an empty range, or a deviation that is not above 0.
Result<InputOptions> input_options(const InputFlags& flags);

}  // namespace modelseal::cli
