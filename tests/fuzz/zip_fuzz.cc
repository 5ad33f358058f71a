// The zip walker by itself: what it accepts lies inside the file, in order, and unpacks to what was declared.
#include "formats/zip.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const formats::MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
    const auto entries = formats::read_zip(source, {});
    if (!entries.ok()) {
        if (entries.error().kind == ErrorKind::internal) test::finding(entries.error().message);
        return 0;
    }
    std::uint64_t end = 0;
    for (const auto& entry : *entries) {
        if (entry.header < end) test::finding("an entry overlaps the one before it");
        if (entry.data > size || entry.packed > size - entry.data) test::finding("an entry leaves the file");
        end = entry.data + entry.packed;
        const auto contents = formats::zip_contents(source, entry, 1u << 20);
        if (contents.ok() && contents->size() != entry.size) test::finding("contents of another size");
    }
    return 0;
}
