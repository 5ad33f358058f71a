#include "formats/registry.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    modelseal::test::fuzz_format(modelseal::formats::onnx::kFormat, {data, size});
    return 0;
}
