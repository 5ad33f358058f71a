// The tensors of a network, changed for a while.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace modelseal::oracle {

using VisitParameters = std::function<void(const std::function<void(at::Tensor&)>&)>;

// Rounds all floating tensors to float16 and back, and lays those of four dimensions out channels last; the
// destructor puts back the very tensors that were there before.
class ChangedWeights {
  public:
    ChangedWeights(const VisitParameters& for_each, bool half, bool channels_last);
    ~ChangedWeights();
    ChangedWeights(const ChangedWeights&) = delete;
    ChangedWeights& operator=(const ChangedWeights&) = delete;

  private:
    void restore();
    std::vector<std::pair<at::Tensor, at::Tensor>> originals_;  // the network's tensor, what it held
};

}  // namespace modelseal::oracle
