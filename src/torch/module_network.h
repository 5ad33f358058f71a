// Changes the tensors of a network temporarily.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "oracle/training.h"
#include "torch/device.h"
#include "torch/training.h"
#include "torch/trigger_generator.h"
#include <modelseal/format.h>

namespace modelseal::libtorch {

using VisitParameters = std::function<void(const std::function<void(at::Tensor&)>&)>;

// Changes all floating tensors as an arithmetic of weights says (half_weights, rounded_weights), and converts those of four
// dimensions to channels last; the destructor restores the original tensors.
class ChangedWeights {
  public:
    ChangedWeights(const VisitParameters& for_each, oracle::Arithmetic arithmetic, unsigned draw,
                   bool channels_last);
    ~ChangedWeights();
    ChangedWeights(const ChangedWeights&) = delete;
    ChangedWeights& operator=(const ChangedWeights&) = delete;

  private:
    void restore();
    std::vector<std::pair<at::Tensor, at::Tensor>> originals_;  // the network's tensor, its original value
};

// Elements of the inputs per pass if the caller sets no batch: more is slower on a CPU (10,000 images of
// CIFAR-10 took 26 s at 16 times as many, 4 s so), and intermediate values are kept for the backward pass.
inline constexpr std::size_t kElementsAtOnce = 1u << 20;

// The numbers of several outputs in one row for each input, n x 1 x numbers, which no classifier has.
at::Tensor joined_rows(const std::vector<at::Tensor>& outputs);

// A network on LibTorch, from any kind of file: everything but how one batch goes forward. TorchScript and
// ONNX derive from it.

class ModuleNetwork : public oracle::TrainableNetwork {
  public:
    const std::string& name() const final { return name_; }
    const oracle::InputShape& input() const final { return input_; }
    Result<oracle::Answers> ask(std::span<const float> inputs, std::size_t count) final;
    Result<oracle::NetworkOutputs> outputs() final;
    Result<std::size_t> classes() final;
    // module_coverage.cc
    Result<std::vector<oracle::CoveredWeights>> coverage(const oracle::CoverageQuestion& question) final;
    Result<oracle::Answers> ask_as(std::span<const float> inputs, std::size_t count,
                                   const oracle::Runtime& runtime) final;
    Result<std::vector<float>> gradient(std::span<const float> inputs, std::size_t count,
                                        const oracle::Cotangents& cotangents) final;
    Result<oracle::ActivatedGradient> activated_gradient(std::span<const float> inputs, std::size_t count,
                                                         const oracle::Cotangents& cotangents,
                                                         double weight) final;
    Result<void> begin_generator(const oracle::GeneratorOptions& options, std::span<const float> noise,
                                 std::span<const std::int64_t> labels) final;
    Result<oracle::GeneratorStep> generator_step() final;
    Result<std::vector<float>> generated() final;
    std::string runtime() const final;
    std::vector<std::string> devices() const final;

    // module_training.cc
    Result<void> add_class(std::uint64_t seed) final;
    Result<void> set_training(const oracle::TrainingOptions& options) final;
    Result<oracle::TrainedStep> train(std::span<const float> inputs, std::span<const float> targets) final;
    Result<void> remember() final;
    Result<void> recall() final;
    Result<std::vector<std::byte>> save() final;

  protected:
    // `name`: the file, for messages, printable. `input`: its shape is known, each extent at least 1.
    // `fixed_batch`: the only number of inputs that the graph takes at a time; 0: any. `device`: of
    // find_device(); place() has not been called yet.
    ModuleNetwork(std::string name, oracle::InputShape input, std::size_t fixed_batch, c10::Device device,
                  unsigned threads);

    // n x shape, float32, on the device of the last to(), in any memory format -> outputs, n rows. Called
    // within guarded(): may throw what LibTorch throws, or Refused. Differentiable if gradients are on.
    virtual at::Tensor forward(const at::Tensor& input) = 0;

    // As forward(), and shows the outputs of every rectifier. Refused (`unsupported`) here.
    virtual at::Tensor forward_observed(const at::Tensor& input,
                                        const std::function<void(const at::Tensor&)>& rectified);

    // Every tensor of the network. `visit` may write to it (set_data); afterwards nothing may remain that was
    // derived from the earlier values.
    virtual void for_each_parameter(const std::function<void(at::Tensor& parameter)>& visit) = 0;

    // The engine: "TorchScript", "ONNX graph".
    virtual std::string engine() const = 0;

    // Moves all tensors of the network. Moving them there and back gives the same bits.
    virtual void to(c10::Device device) = 0;

    // For training. The weights that can be trained, and every other tensor of real numbers that save() could
    // write. Called once, before anything is changed.
    virtual Result<std::vector<Weight>> weights() = 0;

    // The weights of these names have one more slice than there were `classes`: changes what else states that
    // number. Then either unadapt() takes that back, or adapted() is called after a run of as many inputs as
    // the last one before this call.
    virtual void adapt(const std::set<std::string>& names, std::size_t classes) { (void)names, (void)classes; }
    virtual void unadapt() {}
    virtual void adapted() {}

    // The model as a file, with the weights that are marked as changed.
    virtual Result<std::vector<std::byte>> file(const std::vector<Weight>& weights) = 0;

    // The last step of opening: moves the network to its device, and disables gradients of its parameters.
    Result<void> place();

  private:
    struct Way {  // a Runtime with its defaults filled in
        unsigned threads;
        std::size_t batch;
        bool channels_last, plain_kernels;
        oracle::Arithmetic arithmetic;
        unsigned draw;
        c10::Device device;
    };
    Result<Way> way(const oracle::Runtime& runtime) const;
    Result<void> probe();
    Result<oracle::Answers> answer(std::span<const float> inputs, std::size_t count, const Way& way);
    at::Tensor batch_of(std::span<const float> inputs, std::size_t first, std::size_t count,
                        const Way& way) const;
    at::Tensor rows(const at::Tensor& batch);
    at::Tensor rows_of(const at::Tensor& batch, const at::Tensor& output) const;
    struct Activated {
        at::Tensor rows, activation;
    };
    Activated activated_rows(const at::Tensor& batch);
    Result<oracle::ActivatedGradient> pull_back(std::span<const float> inputs, std::size_t count,
                                                const oracle::Cotangents& cotangents,
                                                std::optional<double> weight);
    at::Tensor rows_for_generator(const at::Tensor& inputs);
    at::Tensor all_rows(std::span<const float> inputs, std::size_t count, const Way& way);
    Result<void> prepare();
    Result<void> widen(std::uint64_t seed, const Way& way);
    Result<void> check_gradient(const Way& way);
    std::size_t at_once(std::size_t count, std::size_t wanted, std::size_t most_elements) const;

    std::string name_;
    oracle::InputShape input_;
    std::size_t fixed_batch_;
    c10::Device device_;
    unsigned threads_;
    std::string canary_;
    std::size_t classes_ = 0;      // numbers for each input; 0: not probed yet
    mutable std::string strange_;  // why the last output was not a classifier's; empty if it was
    std::unique_ptr<TriggerGenerator> generator_;
    // For training:
    std::vector<Weight> weights_;  // empty: not prepared yet
    Scores scores_ = Scores::logits;
    std::optional<Descent> descent_;
    Mean mean_;
    std::vector<at::Tensor> remembered_;  // one for each weight; empty: nothing is remembered
};

// TorchScript files.

// A zip archive with a folder code/, as torch.jit.save writes it.
bool looks_like_torchscript(const Source& source);

// `source` looks like TorchScript; it is not needed any more when this returns. Errors as for open_network();
// call within guarded().
Result<std::unique_ptr<oracle::Network>> open_torchscript(const Source& source,
                                                          const oracle::NetworkOptions& options);

// ONNX files: a network that modelseal's own interpreter runs on LibTorch.

// `files`: the graph first, then the files of its external data by their paths. Errors as for open_network();
// call within guarded().
Result<std::unique_ptr<oracle::Network>> open_onnx(model::Model files, const oracle::NetworkOptions& options);

}  // namespace modelseal::libtorch
