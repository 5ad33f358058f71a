// Which weights of a network its outputs for some inputs depend on, and how much.
#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "torch/errors.h"
#include "torch/module_network.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

// For each weight of a tensor: by how many inputs it is noticed, in each way, and whether any sees it at all.
class Tally {
  public:
    Tally(const Weight& weight, std::size_t ways) : weight_(weight) {
        const auto& value = weight.value();
        for (std::size_t i = 0; i < ways; ++i)
            counts_.push_back(at::zeros(value.sizes(), value.options().dtype(at::kShort)));
        alive_ = at::zeros(value.sizes(), value.options().dtype(at::kBool));
    }

    // `slope`: of the function of input number `input`.
    void take(const at::Tensor& slope, double change, std::span<const oracle::Noticing> ways,
              std::size_t input) {
        const auto moved = (slope * weight_.value()).abs().mul_(change);
        alive_.logical_or_(slope != 0);
        for (std::size_t i = 0; i < ways.size(); ++i) counts_[i].add_(moved > ways[i].limits[input]);
    }

    oracle::CoveredWeights covered(std::span<const oracle::Noticing> ways) const {
        const auto there = weight_.value() != 0;
        auto noticed = at::zeros_like(alive_);
        for (std::size_t i = 0; i < ways.size(); ++i)
            noticed.logical_or_(counts_[i] >= static_cast<std::int64_t>(ways[i].needed));
        const auto count = [](const at::Tensor& those) {
            return static_cast<std::uint64_t>(those.sum().item<std::int64_t>());
        };
        return {.name = weight_.name,
                .weights = count(there),
                .noticed = count(noticed.logical_and(there)),
                .dead = count(alive_.logical_not().logical_and(there))};
    }

  private:
    const Weight& weight_;
    std::vector<at::Tensor> counts_;
    at::Tensor alive_;
};

}  // namespace

Result<std::vector<oracle::CoveredWeights>> ModuleNetwork::coverage(const oracle::CoverageQuestion& question) {
    MODELSEAL_TRY(check_size(question.inputs, question.count));
    MODELSEAL_TRY(prepare());
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    std::uint64_t weights = 0;
    for (const auto& weight : weights_)
        weights += weight.trained ? static_cast<std::uint64_t>(weight.value().numel()) : 0;
    if (weights > kMostCovered) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {} are too many to find out which are covered; up to {} are possible",
                                 name_, util::counted(weights, "weight"), kMostCovered),
                     {}};
    }
    return guarded(name_, [&]() -> Result<std::vector<oracle::CoveredWeights>> {
        const Switches switches(as.threads, false, false);
        std::vector<Tally> tallies;
        for (const auto& weight : weights_) tallies.emplace_back(weight, question.ways.size());
        for (std::size_t input = 0; input < question.count; ++input) {
            std::vector<at::Tensor> slopes;
            {
                const at::AutoGradMode gradients(true);
                const WithGradients reach(weights_);
                const auto row = rows(batch_of(question.inputs, input, 1, as)).select(0, 0);
                if (!row.requires_grad()) return Error{ErrorKind::unsupported, name_ + ": has no gradient", {}};
                const auto pull = at::from_blob(const_cast<float*>(question.cotangents.data()) +
                                                    input * static_cast<std::size_t>(row.numel()),
                                                {row.numel()}, at::kFloat)
                                      .to(as.device);
                slopes = reach.gradients((row * pull).sum());
            }
            const at::NoGradGuard no_gradients;
            for (std::size_t i = 0; i < weights_.size(); ++i) {
                if (slopes[i].defined()) tallies[i].take(slopes[i], question.change, question.ways, input);
            }
        }
        const at::NoGradGuard no_gradients;
        std::vector<oracle::CoveredWeights> covered;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (weights_[i].trained) covered.push_back(tallies[i].covered(question.ways));
        }
        return covered;
    });
}

}  // namespace modelseal::libtorch
