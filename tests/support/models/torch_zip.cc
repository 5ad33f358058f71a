
#include "tests/support/models/torch_zip.h"

#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/layout_contract.h"

namespace modelseal::test {

ZipFile TorchZip::zip() const {
    ZipFile file;
    file.items.push_back({.name = root + "data.pkl", .data = bytes_of(object)});
    for (const auto& [key, bytes] : storages) {
        file.items.push_back({.name = root + "data/" + key, .data = bytes});
    }
    for (auto item : others) {
        item.name = root + item.name;
        file.items.push_back(std::move(item));
    }
    return file;
}

TorchZip good_torch_zip() {
    using namespace pkl;
    TorchZip file;
    file.object = pickle(dict({{str("w"), floats("0", {2, 3})}, {str("b"), floats("1", {4})}}));
    file.storages = {{"0", Bytes(24, std::byte{1})}, {"1", Bytes(16, std::byte{2})}};
    file.others.push_back({.name = "version", .data = bytes_of("3\n")});
    return file;
}

Result<Layout> parsed_torch(const Bytes& bytes, const Limits& limits) {
    const formats::MemorySource source("m.pt", bytes);
    auto layout = formats::pytorch::kZipFormat.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(contract_violation(*layout, source), "");
    }
    return layout;
}

std::string pickled_as_x(const std::string& value) {
    return pkl::pickle(pkl::dict({{pkl::str("x"), value}}));
}

}  // namespace modelseal::test
