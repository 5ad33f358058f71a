// JPEG pictures: what is accepted has the samples that its size states.
#include "io/jpeg.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto picture = io::decode_jpeg(std::as_bytes(std::span(data, size)), "fuzz");
    if (!picture.ok()) {
        test::must_be_fair(picture.error());
        return 0;
    }
    const auto samples = std::uint64_t{picture->width} * picture->height * picture->channels;
    if (picture->channels != 1 && picture->channels != 3) test::finding("a picture of other channels");
    if (samples == 0 || samples > io::kMostSamples || samples != picture->samples.size()) {
        test::finding("another number of samples");
    }
    return 0;
}
