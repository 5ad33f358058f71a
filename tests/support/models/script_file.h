// Small TorchScript files as torch.jit.save writes them, without LibTorch. A test spoils one thing by changing
// a field before build().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/bytes.h"

namespace modelseal::test {

struct ScriptFile {
    struct Weight {
        std::string name;
        std::vector<std::int64_t> shape;
        std::vector<float> values;
    };
    std::vector<Weight> weights;
    std::string arguments = "x: Tensor";
    std::string returns = "Tensor";
    std::vector<std::string> body;      // of forward(), a statement a line
    std::string more;                   // other methods, indented by two
    std::vector<std::int64_t> strides;  // of the first weight; empty: row-major

    Bytes build() const;
};

// 2 x 5 x 5 -> 3 classes: a convolution, tanh, a fully connected layer. Smooth, so that differences tell its
// gradient.
ScriptFile small_network();
inline const std::vector<std::int64_t> kSmallInput{2, 5, 5};

}  // namespace modelseal::test
