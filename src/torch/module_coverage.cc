// Which weights of a network its outputs for some inputs depend on, and how much.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "torch/errors.h"
#include "torch/module_network.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::int64_t kWeightsForAThread = 1 << 14;
// Elements of one input from which on threads do more than wait for each other.
constexpr std::size_t kWorthThreads = 1 << 14;

// For each weight of a tensor: by how many inputs it is noticed, in each way, and whether any sees it at all.
class Tally {
  public:
    Tally(const Weight& weight, double change, std::size_t ways)
        : name_(weight.name),
          // A copy, in the order of its indices; the gradients are read in the same.
          steps_((weight.value().detach().to(at::kCPU, at::kFloat).abs() * change).contiguous()),
          alive_(size()),
          counts_(ways, std::vector<std::uint16_t>(size())) {}

    // `slope`: of the function of input number `input`.
    void take(const at::Tensor& slope, std::span<const oracle::Noticing> ways, std::size_t input) {
        const auto slopes = slope.to(at::kCPU, at::kFloat).contiguous();
        const float* by = slopes.data_ptr<float>();
        const float* step = steps_.data_ptr<float>();
        at::parallel_for(0, steps_.numel(), kWeightsForAThread, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = begin; i < end; ++i)
                alive_[static_cast<std::size_t>(i)] |= static_cast<unsigned char>(by[i] != 0);
            for (std::size_t way = 0; way < ways.size(); ++way) {
                const float limit = ways[way].limits[input];
                auto* count = counts_[way].data();
                for (auto i = begin; i < end; ++i)
                    count[i] = static_cast<std::uint16_t>(count[i] + (std::abs(by[i] * step[i]) > limit));
            }
        });
    }

    oracle::CoveredWeights covered(std::span<const oracle::Noticing> ways) const {
        oracle::CoveredWeights covered{.name = name_, .weights = 0, .noticed = 0, .dead = 0};
        const float* step = steps_.data_ptr<float>();
        for (std::size_t i = 0; i < size(); ++i) {
            if (step[i] == 0) continue;  // a weight of zero is not moved by a share of it
            ++covered.weights;
            covered.dead += alive_[i] == 0 ? 1 : 0;
            for (std::size_t way = 0; way < ways.size(); ++way) {
                if (counts_[way][i] < ways[way].needed) continue;
                ++covered.noticed;
                break;
            }
        }
        return covered;
    }

  private:
    std::size_t size() const { return static_cast<std::size_t>(steps_.numel()); }

    std::string name_;
    at::Tensor steps_;  // how far each weight is moved
    std::vector<unsigned char> alive_;
    std::vector<std::vector<std::uint16_t>> counts_;
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
        const Switches switches(input_.elements() < kWorthThreads ? 1 : as.threads, false, false);
        std::vector<Tally> tallies;
        for (const auto& weight : weights_) tallies.emplace_back(weight, question.change, question.ways.size());
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
                if (slopes[i].defined()) tallies[i].take(slopes[i], question.ways, input);
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
