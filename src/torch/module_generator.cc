// The part of a network on LibTorch that trains a generator of triggers against it.
#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "torch/errors.h"
#include "torch/module_network.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

Error no_generator(const std::string& name) {
    return {ErrorKind::usage, fmt::format("{}: no generator has been begun", name), {}};
}

}  // namespace

// A copy: networks may write into their input. A fixed batch that is not full is filled with zeros.
at::Tensor ModuleNetwork::rows_for_generator(const at::Tensor& inputs) {
    const auto count = inputs.size(0), missing = static_cast<std::int64_t>(fixed_batch_) - count;
    auto batch = inputs.clone();
    if (missing > 0) {
        auto sizes = inputs.sizes().vec();
        sizes[0] = missing;
        batch = at::cat({batch, at::zeros(sizes, inputs.options())});
    }
    auto found = rows(batch).narrow(0, 0, count);
    if (static_cast<std::size_t>(found.size(1)) == classes_) return found;
    throw Refused({ErrorKind::unsupported, name_ + ": the number of outputs differs between batches", {}});
}

Result<void> ModuleNetwork::begin_generator(const oracle::GeneratorOptions& options,
                                            std::span<const float> noise,
                                            std::span<const std::int64_t> labels) {
    generator_.reset();
    MODELSEAL_TRY(classes());
    MODELSEAL_TRY(oracle::check_generator(options, noise, labels, input_, classes_, name_));
    return guarded(name_, [&]() -> Result<void> {
        const at::AutoGradMode gradients(true);
        const Switches switches(threads_, false, false);
        const auto bytes = device_.is_cuda() ? kGeneratorBytesAtOnceOnGpu : kGeneratorBytesAtOnce;
        auto made = std::make_unique<TriggerGenerator>(options, input_, noise, labels, device_, bytes);
        if (!rows_for_generator(made->inputs(0, 1)).requires_grad())
            return Error{ErrorKind::unsupported, name_ + ": has no gradient", {}};
        generator_ = std::move(made);
        return {};
    });
}

Result<oracle::GeneratorStep> ModuleNetwork::generator_step() {
    if (generator_ == nullptr) return no_generator(name_);
    return guarded(name_, [&]() -> Result<oracle::GeneratorStep> {
        const Switches switches(threads_, false, false);
        return generator_->step([this](const at::Tensor& inputs) { return rows_for_generator(inputs); },
                                at_once(std::numeric_limits<std::size_t>::max(), 0, kElementsAtOnce));
    });
}

Result<std::vector<float>> ModuleNetwork::generated() {
    if (generator_ == nullptr) return no_generator(name_);
    return guarded(name_, [&]() -> Result<std::vector<float>> {
        const Switches switches(threads_, false, false);
        return generator_->images();
    });
}

}  // namespace modelseal::libtorch
