// What the module of LibTorch, libmodelseal_torch.so, offers to the program that loads it: one function under a
// name that carries the version of this interface. Program and module are built together.
#pragma once

#include "oracle/network.h"

namespace modelseal::oracle {

inline constexpr const char* kNetworkModuleEntry = "modelseal_open_network_v1";

// Fills `opened`; throws nothing.
using OpenNetwork = void(const std::string& path, const NetworkOptions& options,
                         Result<std::unique_ptr<Network>>& opened);

}  // namespace modelseal::oracle
