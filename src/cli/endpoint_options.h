// Options about a served model that `check` queries.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/fingerprint.h>

namespace modelseal::cli {

struct EndpointFlags {
    std::string token_file, ca, tensors = "auto", output;
    unsigned timeout = 30, max_seconds = 600, retries = 4;
    std::size_t batch = 0;
};

// Declares --token-file, --ca, --timeout, --max-seconds, --retries, --batch, --tensors and --output.
void add_endpoint_options(CLI::App& command, EndpointFlags& flags);

// The token is from the file, else from the environment variable MODELSEAL_TOKEN; `usage` if it is not a bearer
// token, or the targets are of several servers.
Result<EndpointOptions> endpoint_options(const EndpointFlags& flags, const std::vector<std::string>& targets);

}  // namespace modelseal::cli
