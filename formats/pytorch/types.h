// What names in PyTorch's pickles mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pytorch/pickle.h"
#include <modelseal/tensor.h>

namespace modelseal::formats::pytorch {

// "torch.FloatStorage" -> f32. Empty for anything else, untyped storages included.
std::optional<DType> storage_dtype(std::string_view class_name);
// A storage that counts bytes and leaves their type to the tensors on it.
bool is_untyped_storage(std::string_view class_name);
// "torch.float32" -> f32. Element types that are not explained (torch.bits8) are opaque, byte for byte.
std::optional<DType> tensor_dtype(std::string_view name);

// Names that a pickle may use without a word: what torch.load(weights_only=True) accepts of its own accord
// (torch/_weights_only_unpickler.py), the plain containers and numbers of Python, the helpers of TorchScript
// (torch/jit/_pickle.py) and TorchScript's own classes, which are code inside the archive and not Python's.
// Whatever else a pickle names would be looked up, and perhaps called, by a reader that executes pickles.
bool is_harmless(std::string_view global);

// Tells what `pickle`, called `name` in messages, would do beyond that. Nothing of it is ever done here.
void warn_about_globals(const Pickle& pickle, std::string_view name, std::vector<std::string>& warnings);

}  // namespace modelseal::formats::pytorch
