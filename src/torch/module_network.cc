#include "torch/module_network.h"

#include <algorithm>
#include <cstring>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/version.h>

#include "io/threads.h"
#include "torch/arithmetic/arithmetic.h"
#include "torch/arithmetic/rounding.h"
#include "torch/canary.h"
#include "torch/errors.h"
#include "torch/patternless.h"
#include "util/text.h"

namespace modelseal::libtorch {

ChangedWeights::ChangedWeights(const VisitParameters& for_each, oracle::Arithmetic arithmetic, unsigned draw,
                               bool channels_last) {
    const bool half = arithmetic == oracle::Arithmetic::half_weights;
    const bool rounded = arithmetic == oracle::Arithmetic::rounded_weights;
    if (!half && !rounded && !channels_last) return;
    const auto random = at::detail::createCPUGenerator(kSeed + draw);
    try {
        for_each([&](at::Tensor& parameter) {
            const auto original = parameter.detach();
            auto changed = original;
            if (half && original.is_floating_point())
                changed = changed.to(at::kHalf).to(original.scalar_type());
            if (rounded && original.scalar_type() == at::kFloat) changed = off_by_half_a_unit(changed, random);
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

namespace {

constexpr std::size_t kElementsForwardOnGpu = 16u << 20;

Error unsupported(const std::string& name, const std::string& what) {
    return {ErrorKind::unsupported, fmt::format("{}: {}", name, what), {}};
}

// Moves back even after a failure. If moving back fails, the next call fails as well.
class Elsewhere {
  public:
    Elsewhere(std::function<void(c10::Device)> move, c10::Device home, c10::Device away)
        : move_(std::move(move)), home_(home), moved_(home != away) {
        if (moved_) move_(away);
    }
    ~Elsewhere() {
        try {
            if (moved_) move_(home_);
        } catch (const std::exception&) {
            moved_ = false;
        }
    }
    Elsewhere(const Elsewhere&) = delete;
    Elsewhere& operator=(const Elsewhere&) = delete;

  private:
    std::function<void(c10::Device)> move_;
    c10::Device home_;
    bool moved_;
};

}  // namespace

at::Tensor joined_rows(const std::vector<at::Tensor>& outputs) {
    std::vector<at::Tensor> rows;
    for (const auto& output : outputs) rows.push_back(output.reshape({output.size(0), 1, -1}));
    return at::cat(rows, 2);
}

ModuleNetwork::ModuleNetwork(std::string name, oracle::InputShape input, std::size_t fixed_batch,
                             c10::Device device, unsigned threads)
    : name_(std::move(name)),
      input_(std::move(input)),
      fixed_batch_(fixed_batch),
      device_(device),
      threads_(threads == 0 ? io::default_jobs() : threads) {}

Result<void> ModuleNetwork::place() {
    return guarded(name_, [&]() -> Result<void> {
        canary_ = canary(device_, threads_);
        to(device_);
        for_each_parameter([](at::Tensor& parameter) {
            if (parameter.requires_grad()) parameter.set_requires_grad(false);
        });
        return {};
    });
}

std::string ModuleNetwork::runtime() const {
    return fmt::format("{} on LibTorch {}, {}, {}, bits {}", engine(), TORCH_VERSION, processor(device_),
                       util::counted(threads_, "thread"), canary_);
}

std::vector<std::string> ModuleNetwork::devices() const {
    auto devices = devices_here();
    const auto opened = std::ranges::find(devices, device_.str());
    if (opened != devices.end()) std::rotate(devices.begin(), opened, opened + 1);
    return devices;
}

Result<ModuleNetwork::Way> ModuleNetwork::way(const oracle::Runtime& runtime) const {
    Way way{runtime.threads == 0 ? threads_ : runtime.threads,
            runtime.batch,
            runtime.channels_last,
            runtime.plain_kernels,
            runtime.arithmetic,
            runtime.draw,
            device_};
    if (!runtime.device.empty()) {
        MODELSEAL_TRY_ASSIGN(way.device, find_device(runtime.device));
    }
    return way;
}

std::size_t ModuleNetwork::at_once(std::size_t count, std::size_t wanted, std::size_t most_elements) const {
    if (fixed_batch_ > 0) return fixed_batch_;
    if (wanted > 0) return std::min(wanted, count);
    return std::clamp<std::size_t>(most_elements / input_.elements(), 1, count);
}

// A copy: networks may write into their input. A fixed batch that is not full is filled with zeros.
at::Tensor ModuleNetwork::batch_of(std::span<const float> inputs, std::size_t first, std::size_t count,
                                   const Way& way) const {
    std::vector<std::int64_t> sizes{static_cast<std::int64_t>(std::max(count, fixed_batch_))};
    sizes.insert(sizes.end(), input_.shape.begin(), input_.shape.end());
    auto batch = at::zeros(sizes, at::kFloat);
    const auto each = input_.elements();
    std::memcpy(batch.data_ptr<float>(), inputs.data() + first * each, count * each * sizeof(float));
    batch = batch.to(way.device);
    return way.channels_last && batch.dim() == 4 ? batch.contiguous(at::MemoryFormat::ChannelsLast) : batch;
}

// One row of float32 for each input, or Refused.
at::Tensor ModuleNetwork::rows(const at::Tensor& batch) {
    return rows_of(batch, forward(batch));
}

at::Tensor ModuleNetwork::rows_of(const at::Tensor& batch, const at::Tensor& output) const {
    const auto wrong = [&](const std::string& what) {
        return Refused(unsupported(name_, fmt::format("the output cannot be compared: {}", what)));
    };
    if (!output.defined()) throw wrong("it is not a tensor");
    if (!output.is_floating_point()) throw wrong(fmt::format("its type is {}", toString(output.scalar_type())));
    const auto shape = output.sizes();
    const auto stated = fmt::format("its shape is ({}) for {}", fmt::join(shape, ", "),
                                    util::counted(static_cast<std::uint64_t>(batch.size(0)), "input"));
    if (shape.empty() || shape[0] != batch.size(0) || output.numel() == 0) throw wrong(stated);
    const bool row = shape.size() == 2 || (shape.size() == 4 && shape[2] == 1 && shape[3] == 1);
    strange_ = row && shape[1] >= 2 ? "" : fmt::format("{}, not ({}, classes)", stated, batch.size(0));
    return output.to(at::kFloat).reshape({shape[0], -1});
}

Result<oracle::Answers> ModuleNetwork::answer(std::span<const float> inputs, std::size_t count,
                                              const Way& way) {
    return guarded(name_, [&]() -> Result<oracle::Answers> {
        const at::NoGradGuard no_gradients;
        const Switches switches(way.threads, way.plain_kernels,
                                way.arithmetic == oracle::Arithmetic::half_weights);
        const Elsewhere elsewhere([this](c10::Device device) { to(device); }, device_, way.device);
        const ChangedWeights changed([this](const auto& visit) { for_each_parameter(visit); }, way.arithmetic,
                                     way.draw, way.channels_last);
        const WithArithmetic computed(way.arithmetic, way.draw);
        oracle::Answers answers{.count = count, .classes = 0, .values = {}, .labels = {}};
        const auto step =
            at_once(count, way.batch, way.device.is_cuda() ? kElementsForwardOnGpu : kElementsAtOnce);
        for (std::size_t first = 0; first < count; first += step) {
            const auto some = std::min(step, count - first);
            const auto output = rows(batch_of(inputs, first, some, way)).to(at::kCPU).contiguous();
            const auto classes = static_cast<std::size_t>(output.size(1));
            if (first > 0 && classes != answers.classes) {
                return unsupported(name_, "the number of outputs differs between batches");
            }
            answers.classes = classes;
            const float* values = output.data_ptr<float>();
            answers.values.insert(answers.values.end(), values, values + some * classes);
        }
        return answers;
    });
}

Result<oracle::Answers> ModuleNetwork::ask_as(std::span<const float> inputs, std::size_t count,
                                              const oracle::Runtime& runtime) {
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY_ASSIGN(const auto as, way(runtime));
    MODELSEAL_TRY(probe());
    return answer(inputs, count, as);
}

Result<oracle::Answers> ModuleNetwork::ask(std::span<const float> inputs, std::size_t count) {
    return ask_as(inputs, count, {});
}

Result<oracle::NetworkOutputs> ModuleNetwork::outputs() {
    MODELSEAL_TRY(probe());
    return oracle::NetworkOutputs{classes_, strange_.empty()};
}

Result<std::size_t> ModuleNetwork::classes() {
    MODELSEAL_TRY(probe());
    if (!strange_.empty()) return unsupported(name_, "the output is not a classifier's: " + strange_);
    return classes_;
}

// Two different inputs between a quarter and three quarters. A graph that was traced for one input and fails
// with two gets them one by one from then on.
Result<void> ModuleNetwork::probe() {
    if (classes_ > 0) return {};
    constexpr std::size_t count = 2;
    std::vector<float> inputs(count * input_.elements());
    Patternless numbers(1);
    for (auto& value : inputs) value = 0.25f + 0.5f * numbers.next();
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    auto answers = answer(inputs, count, as);
    if (!answers.ok() && fixed_batch_ == 0) {
        fixed_batch_ = 1;
        if (auto single = answer(inputs, count, as); single.ok())
            answers = std::move(single);
        else
            fixed_batch_ = 0;
    }
    if (!answers.ok()) return std::move(answers).error();
    const std::span values(answers->values);
    const auto finite = [](float value) { return std::isfinite(value); };
    if (const auto bad = std::ranges::find_if_not(values, finite); bad != values.end()) {
        return unsupported(name_,
                           fmt::format("the output for inputs between 0.25 and 0.75 is not finite: {}", *bad));
    }
    if (std::ranges::equal(values.first(answers->classes), values.last(answers->classes))) {
        return unsupported(name_, "two different inputs give the same outputs: they are saturated or constant");
    }
    classes_ = answers->classes;
    return {};
}

at::Tensor ModuleNetwork::forward_observed(const at::Tensor&, const std::function<void(const at::Tensor&)>&) {
    throw Refused(unsupported(name_, fmt::format("the rectified units of a {} file are hidden", engine())));
}

// Tensors of another first extent (a mask, weights) are not units of an input.
ModuleNetwork::Activated ModuleNetwork::activated_rows(const at::Tensor& batch) {
    Activated found;
    std::int64_t units = 0;
    const auto output = forward_observed(batch, [&](const at::Tensor& tensor) {
        if (tensor.dim() < 2 || tensor.size(0) != batch.size(0) || !tensor.requires_grad()) return;
        const auto sums = at::relu(tensor.to(at::kFloat)).flatten(1).sum(1);
        found.activation = units == 0 ? sums : found.activation + sums;
        units += tensor.numel() / batch.size(0);
    });
    if (units == 0) throw Refused(unsupported(name_, "has no rectified units"));
    found.activation = found.activation / units;
    found.rows = rows_of(batch, output);
    return found;
}

Result<std::vector<float>> ModuleNetwork::gradient(std::span<const float> inputs, std::size_t count,
                                                   const oracle::Cotangents& cotangents) {
    MODELSEAL_TRY_ASSIGN(auto found, pull_back(inputs, count, cotangents, std::nullopt));
    return std::move(found.gradient);
}

Result<oracle::ActivatedGradient> ModuleNetwork::activated_gradient(std::span<const float> inputs,
                                                                    std::size_t count,
                                                                    const oracle::Cotangents& cotangents,
                                                                    double weight) {
    return pull_back(inputs, count, cotangents, weight);
}

// `weight`: of the activation; none: it is not asked for.
Result<oracle::ActivatedGradient> ModuleNetwork::pull_back(std::span<const float> inputs, std::size_t count,
                                                           const oracle::Cotangents& cotangents,
                                                           std::optional<double> weight) {
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY(probe());
    MODELSEAL_TRY_ASSIGN(const auto as, way({}));
    const auto step = at_once(count, 0, kElementsAtOnce);
    std::vector<float> wanted(count * classes_);
    if (step < count) {  // the callback sees all outputs at once, so they are found before the way back begins
        MODELSEAL_TRY_ASSIGN(const auto answers, answer(inputs, count, as));
        cotangents(answers.values, wanted);
    }
    return guarded(name_, [&]() -> Result<oracle::ActivatedGradient> {
        const at::AutoGradMode gradients(true);
        const Switches switches(as.threads, false, false);
        oracle::ActivatedGradient derivative{std::vector<float>(inputs.size()), {}};
        for (std::size_t first = 0; first < count; first += step) {
            const auto some = std::min(step, count - first);
            auto leaf = batch_of(inputs, first, some, as).set_requires_grad(true);
            const auto batch = leaf.clone();  // a network may not write into a leaf
            const auto found = weight ? activated_rows(batch) : Activated{rows(batch), {}};
            const auto& output = found.rows;
            if (!output.requires_grad()) return unsupported(name_, "has no gradient");
            auto pull = at::zeros({output.size(0), output.size(1)}, at::kFloat);
            if (step >= count) {
                const auto seen = output.detach().to(at::kCPU).contiguous();
                cotangents({seen.data_ptr<float>(), some * classes_}, wanted);
            }
            std::memcpy(pull.data_ptr<float>(), wanted.data() + first * classes_,
                        some * classes_ * sizeof(float));
            torch::autograd::variable_list ends{output}, pulls{pull.to(as.device)};
            if (weight) {
                ends.push_back(found.activation);
                pulls.push_back(at::full_like(found.activation, *weight));
                const auto seen = found.activation.detach().to(at::kCPU).contiguous();
                derivative.activation.insert(derivative.activation.end(), seen.data_ptr<float>(),
                                             seen.data_ptr<float>() + some);
            }
            const auto slopes = torch::autograd::grad(ends, {leaf}, pulls, false, false, true);
            if (!slopes[0].defined()) return unsupported(name_, "has no gradient with respect to its input");
            const auto flat = slopes[0].to(at::kCPU).contiguous();
            std::memcpy(derivative.gradient.data() + first * input_.elements(), flat.data_ptr<float>(),
                        some * input_.elements() * sizeof(float));
        }
        return derivative;
    });
}

}  // namespace modelseal::libtorch
