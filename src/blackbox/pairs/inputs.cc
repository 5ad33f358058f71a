#include "blackbox/pairs/inputs.h"

namespace modelseal::blackbox {

void append_input(const Fingerprint& fingerprint, const Pair& pair, int member, std::vector<float>& inputs) {
    const auto& path = fingerprint.pairs().paths[pair.path];
    const double position = pair.member[member].position;
    for (std::size_t i = 0; i < path.base.size(); ++i) {
        const double steps = double{path.base[i]} + position * double{path.direction[i]};
        inputs.push_back(pixel_of(fingerprint.input, fingerprint.unit, steps));
    }
}

std::vector<float> inputs_of(const Fingerprint& fingerprint, std::span<const Pair> pairs) {
    std::vector<float> inputs;
    inputs.reserve(2 * pairs.size() * fingerprint.input.shape.elements());
    for (const int member : {0, 1}) {
        for (const auto& pair : pairs) append_input(fingerprint, pair, member, inputs);
    }
    return inputs;
}

}  // namespace modelseal::blackbox
