// A served model where a network is wanted: it has outputs, and neither a gradient nor runtimes to choose from.
#pragma once

#include <memory>

#include "oracle/network.h"

namespace modelseal::oracle {

// `input`: of the model, its shape known. Batches of any size are asked; threads are the server's own matter, and any other
// arithmetic than its own is `unsupported`. Errors of ask_as(): those of Oracle::ask(), and `unsupported` for answers that are
// labels, or values in less than float32.
std::unique_ptr<Network> served_network(std::unique_ptr<Oracle> oracle);

}  // namespace modelseal::oracle
