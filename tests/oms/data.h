// The signed samples of the specification and of past releases of the reference.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "oms/bundle.h"
#include "tests/support/data.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>

namespace modelseal::test {

inline std::filesystem::path oms_folder() {
    return data_folder() / "oms";
}
inline std::filesystem::path historical(const std::string& name) {
    return oms_folder() / "model-transparency" / "historical" / name;
}
inline std::string oms_key(const std::string& name) {
    return (oms_folder() / "model-transparency" / "keys" / "certificate" / name).string();
}

inline PublicKey oms_public_key() {
    return load_public_key(oms_key("signing-key-pub.pem")).value();
}

inline oms::Bytes bytes_of(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}
inline std::string text_of(const oms::Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace modelseal::test
