// A signature of one file covers that file alone, and says nothing of others that make up the model with it.
#pragma once

#include <string>

#include "oms/tree.h"
#include <modelseal/format.h>

namespace modelseal::oms {

// Refuses a file that is part of a model: an index of shards, a numbered part of a split model, a graph with
// external data, and whatever looks like one of these but cannot be read, since other tools may read more of it
// than we do. ErrorKind::unsupported or malformed. No error for what is not a model at all.
Result<void> known_to_be_whole(const Tree& tree, const std::string& name, const Limits& limits);

}  // namespace modelseal::oms
