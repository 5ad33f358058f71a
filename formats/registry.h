// The format adapters, one leaf each. A leaf knows this contract, the reader, and no other leaf.
#pragma once

#include <modelseal/format.h>

namespace modelseal::formats {

extern const Format kSafetensors;  // https://github.com/huggingface/safetensors, README "Format"
extern const Format kOnnx;         // onnx.proto of ONNX IR; protobuf wire format
extern const Format
    kPytorchZip;  // torch.save since 1.6, TorchScript, lite interpreter: zip of a pickle and storages
extern const Format kPytorchLegacy;  // torch.save before 1.6: pickles one after another, then storages
extern const Format kGguf;           // ggml docs/gguf.md, versions 2 and 3

}  // namespace modelseal::formats
