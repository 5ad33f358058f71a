// Options about a model that is queried: where it is served, and the device that runs a local one.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/options/option_rules.h"
#include "cli/terminal/terminal.h"
#include <modelseal/fingerprint.h>

namespace modelseal::cli {

struct EndpointFlags {
    std::string token_file, header_file, ca, client_cert, client_key, tensors = "auto", output;
    unsigned timeout = 30, max_seconds = 600, retries = 4;
    std::size_t batch = 0;
};

// Declares --token-file, --header, --ca, --client-cert, --client-key, --timeout, --max-seconds and --retries: of any server.
void add_server_options(CLI::App& command, EndpointFlags& flags);

// Declares these and --batch, --tensors and `output`, which names the output to use.
void add_endpoint_options(CLI::App& command, EndpointFlags& flags, const char* output = "--output");

// What the options need that are about an address, so that they have an effect; `asking`: one of these as well, if there are any.
std::vector<OptionRule> endpoint_rules(const std::vector<const char*>& asking = {},
                                       const char* output = "--output");

// The token is from the file, else from the environment variable MODELSEAL_TOKEN; `usage` if it is not a bearer
// token, or if there is one, or header fields, and the targets are of several servers. An encrypted client key has its
// passphrase from MODELSEAL_PASSPHRASE, else from the terminal. Retries are noted on `terminal`.
Result<EndpointOptions> endpoint_options(const EndpointFlags& flags, const std::vector<std::string>& targets,
                                         Terminal& terminal);

// Declares --device, stored in `device`; anything but auto, cpu, cuda and cuda:N is refused. `what`: it is, for the help.
void add_device_option(CLI::App& command, std::string& device,
                       const std::string& what = "device that runs the model");

}  // namespace modelseal::cli
