#include "torch/trigger_generator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/optim/adam.h>

#include "torch/errors.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::int64_t kFirstSide = 4;
constexpr std::int64_t kMostElongated = 4;
constexpr double kSlope = 0.2;         // of LeakyReLU below 0
constexpr double kNormEpsilon = 1e-8;  // of the pixel-wise norm
constexpr double kLeastProbability = 1e-30;
constexpr double kSumTolerance = 1e-3;  // of probabilities in float32
constexpr std::uint64_t kMostBytes = 8ull << 30;
// Values that the backward pass needs of one pixel and channel: the doubled picture, and of either convolution
// the output and its norm. All smaller stages together are a third of the last; a few more are temporary.
constexpr std::uint64_t kKeptValues = 9;

bool may_be_channels(std::int64_t extent) {
    return extent == 1 || extent == 3 || extent == 4;
}

std::int64_t last_side(const Picture& picture) {
    return kFirstSide << picture.stages;
}

// The mean over the channels of the square becomes 1.
at::Tensor pixel_norm(const at::Tensor& x) {
    return x * at::rsqrt(x.square().mean(1, true) + kNormEpsilon);
}

// By expansion, whose way back is a plain sum: the same bits in every run, on a GPU too.
at::Tensor doubled(const at::Tensor& x) {
    const auto n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
    return x.reshape({n, c, h, 1, w, 1}).expand({n, c, h, 2, w, 2}).reshape({n, c, 2 * h, 2 * w});
}

at::Tensor bent(at::Tensor x) {
    return pixel_norm(at::leaky_relu_(x, kSlope));  // in place: a convolution does not need its output
}

// As fingerprints distinguish them: every row is a distribution.
bool are_probabilities(const at::Tensor& rows) {
    return rows.ge(0).all().item<bool>() && (rows.sum(1) - 1).abs().le(kSumTolerance).all().item<bool>();
}

at::Tensor scale_of(const std::vector<float>& values, const std::vector<std::int64_t>& shape,
                    c10::Device device) {
    if (values.empty()) return {};
    std::vector<std::int64_t> sizes(shape.size() + 1, 1);
    sizes[1] = static_cast<std::int64_t>(values.size());
    return at::tensor(values, at::kFloat).reshape(sizes).to(device);
}

// Bytes of the weights with gradient and two moments, and those kept for one image.
std::uint64_t bytes_of_weights(std::uint64_t width, const Picture& picture) {
    const auto stages = static_cast<std::uint64_t>(picture.stages);
    const auto weights = width * oracle::kGeneratorNoise * 16 + stages * 2 * 9 * width * width +
                         width * static_cast<std::uint64_t>(picture.channels);
    return weights * 4 * sizeof(float);
}
std::uint64_t bytes_of_image(std::uint64_t width, const Picture& picture) {
    const auto side = static_cast<std::uint64_t>(last_side(picture));
    const auto channels = static_cast<std::uint64_t>(picture.channels);
    return (kKeptValues * width + 4 * channels) * side * side * sizeof(float);
}

}  // namespace

Picture picture_of(const std::vector<std::int64_t>& shape) {
    using Order = Picture::Order;
    Picture picture;
    picture.elements = 1;
    for (const auto extent : shape) picture.elements *= extent;
    if (shape.size() == 3 && may_be_channels(shape[2]) && !may_be_channels(shape[0])) {
        picture = {shape[2], shape[0], shape[1], Order::channels_last, picture.elements, 0};
    } else if (shape.size() == 3) {
        picture = {shape[0], shape[1], shape[2], Order::channels_first, picture.elements, 0};
    } else if (shape.size() == 2) {
        picture = {1, shape[0], shape[1], Order::channels_first, picture.elements, 0};
    }
    const auto [shorter, longer] = std::minmax(picture.height, picture.width);
    if (longer == 0 || longer / kMostElongated > shorter) {
        auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(picture.elements)));
        while (side * side < picture.elements) ++side;
        picture = {1, side, side, Order::flat, picture.elements, 0};
    }
    while (last_side(picture) < std::max(picture.height, picture.width)) ++picture.stages;
    return picture;
}

TriggerGenerator::TriggerGenerator(const oracle::GeneratorOptions& options, const oracle::InputShape& input,
                                   std::span<const float> noise, std::span<const std::int64_t> labels,
                                   c10::Device device, std::uint64_t bytes_at_once)
    : options_(options), shape_(input.shape), picture_(picture_of(input.shape)), device_(device) {
    const auto needed = bytes_of_weights(options.width, picture_) + bytes_of_image(options.width, picture_);
    if (needed > kMostBytes) {
        throw Refused({ErrorKind::unsupported,
                       fmt::format("a generator of width {} for these inputs takes {}; the limit is {}",
                                   options.width, util::counted(needed, "byte"), kMostBytes),
                       "choose a smaller width"});
    }
    at_once_ = static_cast<std::int64_t>(
        std::max<std::uint64_t>(bytes_at_once / bytes_of_image(options.width, picture_), 1));
    const auto count = static_cast<std::int64_t>(labels.size());
    const auto z = static_cast<std::int64_t>(oracle::kGeneratorNoise);
    noise_ =
        at::tensor(at::ArrayRef<float>(noise.data(), noise.size()), at::kFloat).reshape({count, z}).to(device);
    labels_ = at::tensor(at::ArrayRef<std::int64_t>(labels.data(), labels.size()), at::kLong);
    mean_ = scale_of(options.mean, shape_, device);
    std_ = scale_of(options.std, shape_, device);
    // Drawn on the CPU, so that a seed means the same weights on every device.
    auto random = at::detail::createCPUGenerator(options.seed);
    const auto width = static_cast<std::int64_t>(options.width);
    // On one pixel a deconvolution is a product, and each output pixel has z inputs.
    layers_.push_back(layer({z, width * kFirstSide * kFirstSide}, std::sqrt(2.0), z, width, random));
    for (int i = 0; i < 2 * picture_.stages; ++i)
        layers_.push_back(layer({width, width, 3, 3}, std::sqrt(2.0), width * 9, width, random));
    layers_.push_back(layer({picture_.channels, width, 1, 1}, 1, width, picture_.channels, random));
    std::vector<at::Tensor> parameters;
    for (const auto& one : layers_) {
        parameters.push_back(one.weight);
        parameters.push_back(one.bias);
    }
    adam_ = std::make_unique<torch::optim::Adam>(std::move(parameters),
                                                 torch::optim::AdamOptions(options.rate).betas({0.5, 0.999}));
}

TriggerGenerator::~TriggerGenerator() = default;

TriggerGenerator::Layer TriggerGenerator::layer(std::vector<std::int64_t> sizes, double gain,
                                                std::int64_t inputs, std::int64_t outputs,
                                                at::Generator& random) const {
    return {at::randn(sizes, random, at::TensorOptions(at::kFloat)).to(device_).set_requires_grad(true),
            at::zeros({outputs}, at::TensorOptions(at::kFloat).device(device_)).set_requires_grad(true),
            gain / std::sqrt(static_cast<double>(inputs))};
}

// Pictures of the network's channels in [low, high], before they are laid out.
at::Tensor TriggerGenerator::generate(std::int64_t first, std::int64_t count) const {
    const auto& start = layers_.front();
    auto x = at::matmul(pixel_norm(noise_.narrow(0, first, count)), start.weight * start.scale)
                 .reshape({count, -1, kFirstSide, kFirstSide});
    x = bent(x + start.bias.reshape({1, -1, 1, 1}));
    for (std::size_t i = 1; i + 1 < layers_.size(); ++i) {
        if (i % 2 == 1) x = doubled(x);
        x = bent(at::conv2d(x, layers_[i].weight * layers_[i].scale, layers_[i].bias, 1, 1));
    }
    const auto& last = layers_.back();
    x = at::conv2d(x, last.weight * last.scale, last.bias);
    // A sigmoid: it has a slope everywhere, so that no pixel is stuck at an end of the range as with clamping,
    // and a new generator, whose outputs are about N(0, 1), starts with grays around the middle.
    const auto low = static_cast<double>(options_.low), high = static_cast<double>(options_.high);
    return at::clamp(at::sigmoid(x) * (high - low) + low, low, high);  // rounding may exceed the range
}

// Cropped and not resized: then every pixel of an input is one pixel of G, and none a blend of several that
// only change together.
at::Tensor TriggerGenerator::laid_out(const at::Tensor& planes) const {
    const auto side = last_side(picture_);
    const auto cropped = planes.narrow(2, (side - picture_.height) / 2, picture_.height)
                             .narrow(3, (side - picture_.width) / 2, picture_.width);
    std::vector<std::int64_t> sizes{planes.size(0)};
    sizes.insert(sizes.end(), shape_.begin(), shape_.end());
    if (picture_.order == Picture::Order::flat)
        return cropped.flatten(1).narrow(1, 0, picture_.elements).reshape(sizes);
    const bool last = picture_.order == Picture::Order::channels_last;
    return (last ? cropped.permute({0, 2, 3, 1}) : cropped).reshape(sizes);
}

at::Tensor TriggerGenerator::scaled(const at::Tensor& images) const {
    auto scaled = images;
    if (mean_.defined()) scaled = scaled - mean_;
    if (std_.defined()) scaled = scaled / std_;
    return scaled;
}

at::Tensor TriggerGenerator::inputs(std::int64_t first, std::int64_t count) const {
    return scaled(laid_out(generate(first, count)));
}

std::vector<float> TriggerGenerator::images() const {
    const at::NoGradGuard no_gradients;
    std::vector<float> all;
    for (std::int64_t first = 0; first < labels_.size(0); first += at_once_) {
        const auto count = std::min(at_once_, labels_.size(0) - first);
        const auto images = laid_out(generate(first, count)).to(at::kCPU).contiguous();
        const auto* values = images.data_ptr<float>();
        all.insert(all.end(), values, values + images.numel());
    }
    if (!std::ranges::all_of(all, [](float value) { return std::isfinite(value); })) {
        throw Refused(
            {ErrorKind::unsupported, "the training of the generator has diverged", "choose a smaller rate"});
    }
    return all;
}

// In double, so that it does not matter in how many pieces the outputs came.
TriggerGenerator::Measured TriggerGenerator::measure(const at::Tensor& outputs) const {
    const at::AutoGradMode gradients(true);
    const auto leaf = outputs.detach().to(at::kCPU, at::kDouble).clone().set_requires_grad(true);
    const auto logits = are_probabilities(leaf.detach()) ? at::clamp_min(leaf, kLeastProbability).log() : leaf;
    const auto logarithms = at::log_softmax(logits, 1);
    const auto cross_entropy = -logarithms.gather(1, labels_.unsqueeze(1)).mean();
    const auto loss =
        options_.classification * cross_entropy + options_.variance * logarithms.exp().var(/*unbiased=*/true);
    Measured measured;
    measured.step.loss = loss.item<double>();
    measured.step.matched = static_cast<std::uint64_t>(
        outputs.detach().to(at::kCPU).argmax(1).eq(labels_).sum().item<std::int64_t>());
    measured.cotangents = torch::autograd::grad({loss}, {leaf})[0].to(at::kFloat).to(device_);
    return measured;
}

oracle::GeneratorStep TriggerGenerator::step(const Rows& rows, std::size_t most) {
    const at::AutoGradMode gradients(true);
    const auto count = labels_.size(0);
    const auto pieces =
        static_cast<std::int64_t>(std::min<std::uint64_t>(most, static_cast<std::uint64_t>(count)));
    adam_->zero_grad();
    auto step = pieces == count && at_once_ >= count ? step_at_once(rows) : step_in_pieces(rows, pieces);
    if (std::isfinite(step.loss))
        adam_->step();
    else
        step.loss = std::numeric_limits<double>::quiet_NaN();
    return step;
}

oracle::GeneratorStep TriggerGenerator::step_at_once(const Rows& rows) {
    const auto outputs = rows(inputs(0, labels_.size(0)));
    const auto measured = measure(outputs);
    if (std::isfinite(measured.step.loss)) torch::autograd::backward({outputs}, {measured.cotangents});
    return measured.step;
}

// The variance couples all rows: the outputs of all pieces come first, then the loss, and then the way back
// piece by piece, for which each is computed again.
oracle::GeneratorStep TriggerGenerator::step_in_pieces(const Rows& rows, std::int64_t most) {
    const auto count = labels_.size(0);
    const auto each = [](std::int64_t from, std::int64_t to, std::int64_t step, const auto& visit) {
        for (auto first = from; first < to; first += step) visit(first, std::min(step, to - first));
    };
    std::vector<at::Tensor> outputs;
    {
        const at::NoGradGuard no_gradients;
        each(0, count, at_once_, [&](std::int64_t first, std::int64_t some) {
            const auto made = inputs(first, some);
            each(0, some, most,
                 [&](std::int64_t at, std::int64_t few) { outputs.push_back(rows(made.narrow(0, at, few))); });
        });
    }
    const auto measured = measure(at::cat(outputs));
    if (!std::isfinite(measured.step.loss)) return measured.step;
    each(0, count, at_once_, [&](std::int64_t first, std::int64_t some) {
        const auto made = inputs(first, some);
        std::vector<at::Tensor> pulled;
        each(0, some, most, [&](std::int64_t at, std::int64_t few) {
            const auto leaf = made.detach().narrow(0, at, few).clone().set_requires_grad(true);
            const auto cotangents = measured.cotangents.narrow(0, first + at, few);
            pulled.push_back(torch::autograd::grad({rows(leaf)}, {leaf}, {cotangents})[0]);
        });
        torch::autograd::backward({made}, {at::cat(pulled)});
    });
    return measured.step;
}

}  // namespace modelseal::libtorch
