// TorchScript files.
#pragma once

#include "oracle/network.h"
#include <modelseal/format.h>

namespace modelseal::oracle {

// A zip archive with a folder code/, as torch.jit.save writes it.
bool looks_like_torchscript(const Source& source);

// `source` looks like TorchScript; it is not needed any more when this returns. Errors as for open_network();
// call within guarded().
Result<std::unique_ptr<Network>> open_torchscript(const Source& source, const NetworkOptions& options);

}  // namespace modelseal::oracle
