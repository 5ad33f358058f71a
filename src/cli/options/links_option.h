// The option of commands that read a model in place: which symbolic links in its folder they follow.
#pragma once

#include <CLI/CLI.hpp>

#include <modelseal/format.h>

namespace modelseal::cli {

// Declares --allow-symlinks, which sets `links` to Links::inside.
void add_links_option(CLI::App& command, Links& links);

}  // namespace modelseal::cli
