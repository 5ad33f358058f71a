#include "torch/weights.h"

#include <ATen/ATen.h>

namespace modelseal::oracle {

ChangedWeights::ChangedWeights(const VisitParameters& for_each, bool half, bool channels_last) {
    if (!half && !channels_last) return;
    try {
        for_each([&](at::Tensor& parameter) {
            const auto original = parameter.detach();
            auto changed = original;
            if (half && original.is_floating_point())
                changed = changed.to(at::kHalf).to(original.scalar_type());
            if (channels_last && original.dim() == 4)
                changed = changed.contiguous(at::MemoryFormat::ChannelsLast);
            if (changed.is_same(original)) return;
            originals_.emplace_back(parameter, original);
            parameter.set_data(changed);
        });
    } catch (...) {
        restore();
        throw;
    }
}

ChangedWeights::~ChangedWeights() {
    restore();
}

// Backwards, for a tensor that was visited twice under two names.
void ChangedWeights::restore() {
    for (auto one = originals_.rbegin(); one != originals_.rend(); ++one) one->first.set_data(one->second);
    originals_.clear();
}

}  // namespace modelseal::oracle
