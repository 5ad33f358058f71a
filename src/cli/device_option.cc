#include "cli/device_option.h"

#include <algorithm>

namespace modelseal::cli {
namespace {

std::string complaint(const std::string& text) {
    constexpr std::string_view kNumbered = "cuda:";
    if (text == "auto" || text == "cpu" || text == "cuda") return {};
    const bool numbered = text.starts_with(kNumbered) && text.size() > kNumbered.size() &&
                          text.size() <= kNumbered.size() + 3 &&
                          text.find_first_not_of("0123456789", kNumbered.size()) == std::string::npos;
    return numbered ? std::string() : "'" + text + "' is not one of auto, cpu, cuda and cuda:N";
}

}  // namespace

void add_device_option(CLI::App& command, std::string& device) {
    command
        .add_option("--device", device,
                    "device that runs the model: cpu, cuda or cuda:N (default: auto, a GPU if there is one)")
        ->type_name("DEVICE")
        ->check(CLI::Validator(complaint, ""));
}

}  // namespace modelseal::cli
