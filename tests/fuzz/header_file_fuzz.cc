// Any bytes as a file of header fields: what is accepted cannot break out of its field, is not one that the client decides
// about, and reads the same when it is written down again. A message shows no value.
#include <cstdint>
#include <string>
#include <string_view>

#include "http/header_file.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto fields =
        http::parse_header_fields(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
    if (!fields.ok()) {
        test::must_be_fair(fields.error());
        return 0;
    }
    std::string written;
    for (const auto& [name, value] : *fields) {
        if (name.empty() || value.empty()) test::finding("an empty field");
        if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            test::finding("a field that breaks out");
        if (name.find_first_of(": \t") != std::string::npos) test::finding("a name that ends early");
        written += name + ": " + value + "\n";
    }
    const auto again = http::parse_header_fields(written, "fuzz");
    if (!again.ok() || *again != *fields) test::finding("fields that do not come back");
    return 0;
}
