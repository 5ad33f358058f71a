// The format adapters, one leaf each. A leaf knows this contract, the reader, and no other leaf.
#pragma once

#include <modelseal/format.h>

namespace modelseal::formats {

// https://github.com/huggingface/safetensors, README "Format".
extern const Format kSafetensors;
// ggml docs/gguf.md, versions 2 and 3.
extern const Format kGguf;

namespace onnx {
// onnx.proto of ONNX IR; protobuf wire format.
extern const Format kFormat;
}  // namespace onnx

namespace pytorch {
// torch.save since 1.6, TorchScript, lite interpreter: a zip archive of a pickle and storages.
extern const Format kZipFormat;
// torch.save before 1.6: pickles one after another, then storages.
extern const Format kLegacyFormat;
}  // namespace pytorch

}  // namespace modelseal::formats
