
#include "tests/support/models/torch_legacy.h"

namespace modelseal::test {

using namespace pkl;

Bytes TorchLegacy::build() const {
    Bytes out;
    for (const auto* pickle : {&magic, &version, &system, &object, &keys}) put(out, std::string_view(*pickle));
    for (const auto& storage : storages) {
        put(out, storage.elements);
        out.insert(out.end(), storage.bytes.begin(), storage.bytes.end());
    }
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
}

std::string legacy_keys(const std::vector<std::string>& keys) {
    std::vector<Fragment> items;
    for (const auto& key : keys) items.push_back(str(key));
    return pickle(list(items));
}

std::string legacy_system(bool little_endian) {
    return pickle(dict({{str("protocol_version"), num(1001)},
                        {str("little_endian"), truth(little_endian)},
                        {str("type_sizes"), dict({{str("short"), num(2)}})}}));
}

TorchLegacy good_torch_legacy() {
    return {.magic = pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"),
            .version = pickle(num(1001)),
            .system = legacy_system(true),
            .object = pickle(dict({{str("w"), floats("17", {2, 3})}, {str("b"), floats("5", {4})}})),
            .keys = legacy_keys({"5", "17"}),
            .storages = {{4, Bytes(16, std::byte{1})}, {6, Bytes(24, std::byte{2})}},
            .tail = {}};
}

}  // namespace modelseal::test
