// Any bytes in the place of any file: whatever they are named, the words can be shown, follow a name, and are the same
// whether the front or the whole is given.
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/reader.h"
#include "io/file_kind.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto kind = io::kind_of(text.substr(0, io::kFrontBytes), size);
    const formats::MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
    const auto from_source = io::kind_of(source);
    if (kind.has_value() != from_source.has_value()) test::finding("a kind by its source alone");
    if (kind) {
        if (kind->is != from_source->is || kind->hint != from_source->hint)
            test::finding("another kind by its source");
        if (kind->is.empty() || !util::is_utf8(kind->is) || !util::is_utf8(kind->hint))
            test::finding("words that cannot be shown");
        if (kind->placeholder && kind->model) test::finding("a placeholder that is a model");
    }
    const auto error = io::mistaken("receipt", source);
    test::must_be_fair(error);
    if (error.kind != ErrorKind::malformed || !error.message.starts_with("fuzz: "))
        test::finding("a mistake without its file");
    return 0;
}
