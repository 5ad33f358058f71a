#include "fingerprint/fingerprint.h"

namespace modelseal::fingerprint {

std::vector<float> inputs_of(const Fingerprint& fingerprint, std::span<const Pair> pairs) {
    const auto elements = fingerprint.input.shape.elements();
    std::vector<float> inputs(2 * pairs.size() * elements);
    auto at = inputs.begin();
    for (const int member : {0, 1}) {
        for (const auto& pair : pairs) {
            const auto& path = fingerprint.paths[pair.path];
            const double position = pair.member[member].position;
            for (std::size_t i = 0; i < elements; ++i) {
                const double steps = double{path.base[i]} + position * double{path.direction[i]};
                *at++ = static_cast<float>(double{fingerprint.input.low} + fingerprint.unit * steps);
            }
        }
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
