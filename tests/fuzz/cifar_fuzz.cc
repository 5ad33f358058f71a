// CIFAR binary files; the first byte chooses the model's number of classes.
#include "formats/reader.h"
#include "images/cifar.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    if (size < 1) return 0;
    constexpr std::size_t kClasses[] = {2, 10, 20, 43, 100, 256};
    images::LabeledImages out{.images = {.geometry = {.channels = 3, .height = 32, .width = 32}},
                              .classes = kClasses[data[0] % 6]};
    const formats::MemorySource source("fuzz", std::as_bytes(std::span(data + 1, size - 1)));
    constexpr std::uint64_t kMost = 40'000;
    const auto read = images::append_cifar(source, kMost, out);
    if (!read.ok()) {
        test::must_be_fair(read.error());
        return 0;
    }
    if (!images::is_cifar(source)) test::finding("read, and not recognized");
    if (out.images.count() == 0 || out.images.count() != out.labels.size())
        test::finding("another number of labels");
    if (out.images.samples.size() > kMost) test::finding("more bytes than the cap");
    for (const auto label : out.labels) {
        if (label < 0 || label >= static_cast<std::int64_t>(out.classes)) test::finding("a label outside");
    }
    return 0;
}
