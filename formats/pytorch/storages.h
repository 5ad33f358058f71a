// From a pickle's graph to storages and the tensors on them. PyTorch keeps the elements in storages; a tensor
// is a view (type, offset, shape, strides) of one, and several may share it: tied weights, slices. The unit
// that a Layout names is the storage.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pytorch/pickle.h"
#include <modelseal/format.h>

namespace modelseal::formats::pytorch {

struct View {
    std::string path;            // path in the pickle: "layer1.0.conv1.weight"
    std::uint32_t rank = 0;      // names are taken from the lowest
    std::optional<DType> dtype;  // nullopt: the storage itself, which has no shape
    std::uint64_t offset = 0;    // in elements
    std::vector<std::uint64_t> shape;
    std::vector<std::uint64_t> strides;  // in elements
};

struct Storage {
    std::optional<DType> dtype;  // nullopt: untyped, or described by several types
    std::uint64_t bytes = 0;
    std::uint32_t unit_bytes = 1;  // of what its size is counted in
    std::vector<View> views;
};

// By key, with the folder in front: "data/0".
using Storages = std::map<std::string, Storage, std::less<>>;

// A pickle, and how its contents are named.
struct Part {
    std::string_view name;    // "data.pkl", for messages
    std::string_view prefix;  // of all its paths: "", "constants"
    std::string_view folder;  // of its storages: "data/"
    std::uint32_t rank = 0;   // names in the pickle of the lowest rank come first
};

// Adds the storages that `pickle` reaches from its root. `source` gives the name for messages.
Result<void> collect(const Pickle& pickle, const Part& part, const Source& source, const Limits& limits,
                     Storages& storages, std::vector<std::string>& warnings);

// The storage as one Tensor at [offset, offset + storage.bytes) of the parsed file. Takes shape and type of
// the one view that covers it all in order, if there is exactly one; else it is one long row. Paths other
// than the name become aliases.
Tensor tensor_of(const Storage& storage, std::uint64_t offset);

// Sorts in file order and makes names unique: a duplicate name gets "#2", "#3", ...; duplicate aliases are
// removed.
void order_and_name(std::vector<Tensor>& tensors);

}  // namespace modelseal::formats::pytorch
