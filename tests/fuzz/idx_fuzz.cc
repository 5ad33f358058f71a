// A pair of IDX files for a model of 4 x 3 pixels: the first byte chooses gray or RGB, the second and third the size of
// the file of labels, which comes before that of images.
#include <algorithm>

#include "formats/reader.h"
#include "images/idx.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    if (size < 3) return 0;
    images::LabeledImages out{
        .images = {.geometry = {.channels = data[0] % 2 == 0 ? 1u : 3u, .height = 3, .width = 4}},
        .classes = 10};
    const auto bytes = std::as_bytes(std::span(data + 3, size - 3));
    const auto front = std::min(bytes.size(), data[1] + (std::size_t{data[2]} << 8));
    const formats::MemorySource labels("labels", bytes.first(front)), pictures("images", bytes.subspan(front));
    constexpr std::uint64_t kMost = 1u << 20;
    const auto read = images::append_idx(pictures, labels, kMost, out);
    if (!read.ok()) {
        test::must_be_fair(read.error());
        return 0;
    }
    if (!images::is_idx_images(pictures)) test::finding("read, and not recognized");
    if (out.images.count() != out.labels.size()) test::finding("another number of labels");
    if (out.images.samples.size() > kMost) test::finding("more bytes than the cap");
    for (const auto label : out.labels) {
        if (label < 0 || label >= static_cast<std::int64_t>(out.classes)) test::finding("a label outside");
    }
    return 0;
}
