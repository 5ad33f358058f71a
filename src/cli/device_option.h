// --device: the device that runs a model.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

// Declares --device, stored in `device`; anything but auto, cpu, cuda and cuda:N is refused.
void add_device_option(CLI::App& command, std::string& device);

}  // namespace modelseal::cli
