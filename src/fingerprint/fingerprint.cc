#include "fingerprint/fingerprint.h"

#include <algorithm>

namespace modelseal::fingerprint {

void append_input(const Fingerprint& fingerprint, const Pair& pair, int member, std::vector<float>& inputs) {
    const auto& [base, direction] = fingerprint.paths[pair.path];
    const double position = pair.member[member].position;
    for (std::size_t i = 0; i < base.size(); ++i) {
        const double steps = double{base[i]} + position * double{direction[i]};
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

void normalise(const Input& input, std::span<float> pixels) {
    if (input.mean.empty() && input.std.empty()) return;
    const auto channels = static_cast<std::size_t>(input.shape.shape.front());
    const auto plane = input.shape.elements() / channels;
    const auto of = [](const std::vector<float>& values, std::size_t channel, float otherwise) {
        return values.empty() ? otherwise : values[values.size() == 1 ? 0 : channel];
    };
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const auto channel = i / plane % channels;
        pixels[i] = (pixels[i] - of(input.mean, channel, 0.0f)) / of(input.std, channel, 1.0f);
    }
}

}  // namespace modelseal::fingerprint
