// How `check` reaches a model that is served.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/terminal.h"
#include <modelseal/fingerprint.h>

namespace modelseal::cli {

struct EndpointFlags {
    std::string token_file, ca, tensors = "auto", output;
    unsigned timeout = 30, retries = 4;
    std::size_t batch = 0;
};

// Declares --token-file, --ca, --timeout, --retries, --batch, --tensors and --output.
void add_endpoint_options(CLI::App& command, EndpointFlags& flags);

// The token is from the file, else from the environment variable MODELSEAL_TOKEN; `usage` if it is none that
// can be sent. Warns where it would travel in clear to one of `targets`.
Result<EndpointOptions> endpoint_options(const EndpointFlags& flags, const std::vector<std::string>& targets,
                                         const Terminal& terminal);

}  // namespace modelseal::cli
