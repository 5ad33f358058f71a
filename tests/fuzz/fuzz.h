// What every fuzz target of a format asserts: whatever the bytes, a parse ends in an Error that is not our own
// fault or in a layout that obeys the contract.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "formats/reader.h"
#include "tests/support/layout_contract.h"
#include "util/text.h"

namespace modelseal::test {

[[noreturn]] inline void finding(const std::string& what) {
    std::fprintf(stderr, "finding: %s\n", what.c_str());
    std::abort();
}

// Whatever was refused, it is the input's fault, and the message can be shown.
inline void must_be_fair(const Error& error) {
    if (error.kind == ErrorKind::internal) finding("internal error: " + error.message);
    if (error.message.empty() || !util::is_utf8(error.message)) finding("a message that cannot be shown");
}

inline void fuzz_format(const Format& format, std::span<const std::uint8_t> data) {
    const formats::MemorySource source("fuzz", std::as_bytes(data));
    static_cast<void>(format.recognises(source));
    const auto layout = format.parse(source, Limits{});
    if (!layout.ok()) return must_be_fair(layout.error());
    if (const auto violation = contract_violation(*layout, source); !violation.empty()) finding(violation);
}

}  // namespace modelseal::test
