#include "cli/options/links_option.h"

namespace modelseal::cli {

void add_links_option(CLI::App& command, Links& links) {
    command.add_flag_callback(
        "--allow-symlinks", [&links] { links = Links::inside; },
        "follow links to files of the model's folder or cache");
}

}  // namespace modelseal::cli
