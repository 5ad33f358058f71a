// Small models that can carry a seal, one of each format; and sealing in a scratch folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <modelseal/keys.h>
#include <modelseal/seal.h>

namespace modelseal::test {

struct SmallModel {
    std::string name;       // of the case: "safetensors_i8"
    std::string (*file)();  // makes its bytes: when they are wanted, not at the start of every test
};

// Pseudo-random weights as they lie in files. `float_weights` are Gaussian, sigma 0.05.
std::string integer_weights(std::size_t count, unsigned seed);
std::string float_weights(std::size_t count, unsigned seed);

struct NamedTensor {
    std::string name;
    std::string dtype;  // as safetensors spells it
    std::vector<std::uint64_t> shape;
    std::string data;
};
std::string safetensors_file(const std::vector<NamedTensor>& tensors, std::string_view metadata = {});

// A torch.save archive of f32 tensors.
std::string torch_zip_floats(const std::vector<NamedTensor>& tensors);

// Every format, integer weights (small, for flipping every bit) and float weights.
std::vector<SmallModel> small_models();

SigningKey test_key(unsigned seed = 1);
// The key on P-256 of RFC 6979, A.2.5.
SigningKey test_key_p256();

// The sealed bytes of a file's bytes; throws on an error. Stamp: name=small, time fixed.
std::string sealed_bytes(const std::string& original, const SigningKey& key, Scheme scheme = Scheme::modelseal);

}  // namespace modelseal::test
