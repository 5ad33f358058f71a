// The generator of trigger images and its training (oracle/generator.h), for any network that LibTorch runs.
//
// Layers, of `width` channels each, with equalized learning rates (weights are drawn from N(0, 1), and
// multiplied by their He factor where they are used; Karras et al. 2018, section 4.1):
//
//     z, 512 values -> pixel-wise norm -> 4x4 deconvolution, LeakyReLU 0.2, pixel-wise norm
//     until both sides of the image are covered: nearest x2, then twice 3x3 convolution, LeakyReLU 0.2,
//         pixel-wise norm
//     1x1 convolution to the channels -> into the range -> the middle of the picture, in the input's layout
//
// Called within guarded(): throws what LibTorch throws, or Refused. Thread safety: one call at a time on one
// object.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "oracle/generator.h"

namespace torch::optim {
class Adam;
}

namespace modelseal::libtorch {

// How an input is laid out as a picture. (C, H, W) and (H, W, C) are images, C being 1, 3 or 4 in the latter,
// (H, W) is one of one channel. Anything else, and what is more than four times as long as wide, is the
// beginning of the rows of a square plane.
struct Picture {
    std::int64_t channels = 1, height = 0, width = 0;
    enum class Order { channels_first, channels_last, flat } order = Order::channels_first;
    std::int64_t elements = 0;  // of the input; of a plane the first ones
    int stages = 0;             // how often 4 pixels are doubled to cover both sides
};
Picture picture_of(const std::vector<std::int64_t>& shape);

inline constexpr std::uint64_t kGeneratorBytesAtOnce = 512u << 20;
inline constexpr std::uint64_t kGeneratorBytesAtOnceOnGpu = 4ull << 30;

class TriggerGenerator {
  public:
    // n inputs of the network -> n x classes, differentiable, float32.
    using Rows = std::function<at::Tensor(const at::Tensor& inputs)>;

    // Refused (`unsupported`) if the weights, their gradients and moments, and one image take more memory than
    // a generator may have. The arguments have passed check_generator(). `bytes_at_once`: about how much the
    // intermediate values of a pass may take; at least one image is made at a time.
    TriggerGenerator(const oracle::GeneratorOptions& options, const oracle::InputShape& input,
                     std::span<const float> noise, std::span<const std::int64_t> labels, c10::Device device,
                     std::uint64_t bytes_at_once);
    ~TriggerGenerator();

    // One step on all triggers. The network is given at most `most` inputs at a time; whatever it is given,
    // the gradient is that of all of them together.
    oracle::GeneratorStep step(const Rows& rows, std::size_t most);

    // Trigger `first` and those after it as the network's inputs; differentiable if gradients are on.
    at::Tensor inputs(std::int64_t first, std::int64_t count) const;

    // All images, count x elements. Refused (`unsupported`) if one is not finite: training has diverged.
    std::vector<float> images() const;

  private:
    struct Layer {
        at::Tensor weight, bias;
        double scale;
    };
    struct Measured {
        oracle::GeneratorStep step;
        at::Tensor cotangents;  // n x classes
    };
    Layer layer(std::vector<std::int64_t> sizes, double gain, std::int64_t inputs, std::int64_t outputs,
                at::Generator& random) const;
    at::Tensor generate(std::int64_t first, std::int64_t count) const;
    at::Tensor laid_out(const at::Tensor& planes) const;
    at::Tensor scaled(const at::Tensor& images) const;
    Measured measure(const at::Tensor& outputs) const;
    oracle::GeneratorStep step_at_once(const Rows& rows);
    oracle::GeneratorStep step_in_pieces(const Rows& rows, std::int64_t most);

    oracle::GeneratorOptions options_;
    std::vector<std::int64_t> shape_;
    Picture picture_;
    c10::Device device_;
    at::Tensor noise_, labels_, mean_, std_;  // mean_, std_: undefined if there are none
    std::vector<Layer> layers_;               // deconvolution, two for each stage, to the channels
    std::int64_t at_once_ = 1;                // images whose intermediate values fit the memory
    std::unique_ptr<torch::optim::Adam> adam_;
};

}  // namespace modelseal::libtorch
