// customer trace: for whom a model that leaked was sealed.
#pragma once

#include "cli/command.h"

namespace modelseal::cli {

void add_customer_trace(CLI::App& customer, Context& context);

}  // namespace modelseal::cli
