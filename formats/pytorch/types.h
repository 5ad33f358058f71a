// The meaning of names in PyTorch's pickles.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pytorch/pickle.h"
#include <modelseal/tensor.h>

namespace modelseal::formats::pytorch {

// "torch.FloatStorage" -> f32. Nullopt for anything else, untyped storages included.
std::optional<DType> storage_dtype(std::string_view class_name);
// A storage that counts bytes; the tensors on it have the type.
bool is_untyped_storage(std::string_view class_name);
// "torch.float32" -> f32. Unknown element types (torch.bits8) are opaque, byte for byte.
std::optional<DType> tensor_dtype(std::string_view name);

// Names that a pickle may use without a warning: those that torch.load(weights_only=True) accepts
// (torch/_weights_only_unpickler.py), the plain containers and numbers of Python, the helpers of TorchScript
// (torch/jit/_pickle.py) and TorchScript's own classes, which are code inside the archive and not Python's. A
// reader that executes pickles would look up any other name, and perhaps call it.
bool is_harmless(std::string_view global);

// Describes what `pickle`, called `name` in messages, would do beyond that. Executes nothing of it.
void warn_about_globals(const Pickle& pickle, std::string_view name, std::vector<std::string>& warnings);

}  // namespace modelseal::formats::pytorch
