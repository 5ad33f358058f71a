// Any bytes as a model of one file: tensors and frame together are every byte of it, once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "tests/support/memory_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto model = test::memory_model("fuzz", std::as_bytes(std::span(data, size)));
    if (!model) {
        if (model.error().kind == ErrorKind::internal) std::abort();
        return 0;
    }
    std::uint64_t covered = 0;
    for (const auto& tensor : model->tensors) {
        for (const auto& segment : tensor.segments) {
            const bool spaced = segment.stride != 0;
            covered += spaced ? segment.elements * info(tensor.dtype).group_bytes : segment.bytes;
        }
    }
    std::uint64_t before = 0;
    const auto walked = for_each_frame_range(*model, 0, [&](const model::Range& range) -> Result<void> {
        if (range.bytes == 0 || (before != 0 && range.offset <= before)) std::abort();
        before = range.offset + range.bytes;
        covered += range.bytes;
        return {};
    });
    if (!walked || before > size || covered != size) std::abort();
    return 0;
}
