// Writes archives as torch.save does. A test spoils one thing by changing a field before build().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/models/pickle_text.h"
#include "tests/support/models/zip_builder.h"
#include <modelseal/format.h>

namespace modelseal::test {

struct TorchZip {
    std::string root = "m/";
    std::string object;                                   // data.pkl, a whole pickle
    std::vector<std::pair<std::string, Bytes>> storages;  // key and bytes, in data/
    std::vector<ZipItem> others;                          // behind them; names without the root

    ZipFile zip() const;
    Bytes build() const { return zip().build().bytes; }
};

// {"w": 2 x 3 floats, "b": 4 floats}, storages "0" and "1".
TorchZip good_torch_zip();

// Read as "m.pt"; what comes out is held to the layout contract.
Result<Layout> parsed_torch(const Bytes& bytes, const Limits& limits = {});

// A pickle of dict({{str("x"), value}}), the usual place for one odd value.
std::string pickled_as_x(const std::string& value);

}  // namespace modelseal::test
