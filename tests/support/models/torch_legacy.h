// Writes files as torch.save did before 1.6. A test spoils one thing by changing a field before build().
#pragma once

#include <string>
#include <vector>

#include "tests/support/models/pickle_text.h"
#include "tests/support/models/zip_builder.h"

namespace modelseal::test {

struct LegacyStorage {
    std::uint64_t elements = 0;  // as the file tells
    Bytes bytes;
};

struct TorchLegacy {
    std::string magic, version, system, object, keys;  // whole pickles
    std::vector<LegacyStorage> storages;
    Bytes tail;  // behind the last storage

    Bytes build() const;
};

std::string legacy_keys(const std::vector<std::string>& keys);
std::string legacy_system(bool little_endian);

// {"w": 2 x 3 floats, "b": 4 floats}, storages "17" and "5", the latter first.
TorchLegacy good_torch_legacy();

}  // namespace modelseal::test
