#include "blackbox/method.h"

#include "blackbox/pairs/method.h"
#include "blackbox/triggers/method.h"

namespace modelseal::blackbox {

const Method& method_of(FingerprintMethod method) {
    switch (method) {
        case FingerprintMethod::pairs:
            return pairs_method();
        case FingerprintMethod::generator:
            return triggers_method();
    }
    return pairs_method();
}

std::vector<float> inputs_of(const Fingerprint& fingerprint, std::size_t first, std::size_t count) {
    const auto& method = method_of(fingerprint);
    std::vector<float> inputs;
    inputs.reserve(count * fingerprint.input.shape.elements());
    for (std::size_t query = first; query < first + count; ++query) {
        method.append_input(fingerprint, query, inputs);
    }
    return inputs;
}

// Inputs at a time when answers are recorded: 2 MiB of float32 at most, and as much of answers. What a network makes of an image
// between its layers is many times larger, and slow once it is fresh memory for each layer.
Probe probe_of(oracle::Network& network, const Plan& plan, std::size_t classes) {
    constexpr std::size_t kBatch = 25, kElements = 1u << 19;
    const auto numbers = std::max(plan.input.shape.elements(), classes);
    const auto batch = plan.alone ? 1 : std::clamp<std::size_t>(kElements / numbers, 1, kBatch);
    const auto of = plan.access == Access::values ? AnswersOf::other_network : AnswersOf::classifier;
    return {network, plan.input, classes, batch, of, plan.alone};
}

Fingerprint facts_of(const Plan& plan, const Probe& probe) {
    Fingerprint print;
    print.access = plan.access;
    print.grid = plan.grid;
    print.input = plan.input;
    print.classes = probe.classes();
    print.batch = probe.batch();
    print.alone = plan.alone;
    return print;
}

}  // namespace modelseal::blackbox
