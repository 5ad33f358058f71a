// Weights of any file that the library reads, as floats.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <modelseal/tensor.h>

namespace modelseal::evidence {

struct Weights {
    std::vector<std::uint64_t> shape;
    std::vector<float> values;
};

// All tensors of f64, f32, f16 or bf16, by name. Throws std::runtime_error.
std::map<std::string, Weights> load_weights(const std::filesystem::path& path);

// As `dtype` (f32, f16 or bf16) keeps it, to nearest, ties to even.
float rounded(float value, DType dtype);

}  // namespace modelseal::evidence
