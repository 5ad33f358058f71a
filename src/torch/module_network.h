// A network on LibTorch, whatever file it came from: everything but how one batch goes forward. TorchScript and
// ONNX derive from it.
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

#include "oracle/network.h"
#include "torch/device.h"

namespace modelseal::oracle {

class ModuleNetwork : public Network {
  public:
    const std::string& name() const final { return name_; }
    const InputShape& input() const final { return input_; }
    Result<Answers> ask(std::span<const float> inputs, std::size_t count) final;
    Result<std::size_t> classes() final;
    Result<Answers> ask_as(std::span<const float> inputs, std::size_t count, const Runtime& runtime) final;
    Result<std::vector<float>> gradient(std::span<const float> inputs, std::size_t count,
                                        const Cotangents& cotangents) final;
    std::string runtime() const final;
    std::vector<std::string> devices() const final;

  protected:
    // `name`: the file, for messages, printable. `input`: its shape is known, each extent at least 1.
    // `fixed_batch`: the only number of inputs that the graph takes at a time; 0: any. `device`: of
    // find_device(); place() has not been called yet.
    ModuleNetwork(std::string name, InputShape input, std::size_t fixed_batch, c10::Device device,
                  unsigned threads);

    // n x shape, float32, on the device of the last to(), in any memory format -> outputs, n rows. Called
    // within guarded(): may throw what LibTorch throws, or Refused. Differentiable if gradients are on.
    virtual at::Tensor forward(const at::Tensor& input) = 0;

    // Every tensor that the network holds. `visit` may write into it (set_data), and nothing may be left that
    // was derived from the earlier values.
    virtual void for_each_parameter(const std::function<void(at::Tensor& parameter)>& visit) = 0;

    // What runs the graph: "TorchScript", "ONNX graph".
    virtual std::string engine() const = 0;

    // Moves all that the network holds. Moving there and back gives the same bits.
    virtual void to(c10::Device device) = 0;

    // Last step of opening: moves the network to its device, and stops gradients at its parameters.
    Result<void> place();

  private:
    struct Way;  // a Runtime with its defaults filled in
    Result<Way> way(const Runtime& runtime) const;
    Result<void> check_size(std::span<const float> inputs, std::size_t count) const;
    Result<void> probe();
    Result<Answers> answer(std::span<const float> inputs, std::size_t count, const Way& way);
    at::Tensor batch_of(std::span<const float> inputs, std::size_t first, std::size_t count,
                        const Way& way) const;
    at::Tensor rows(const at::Tensor& batch);
    std::size_t at_once(std::size_t count, std::size_t wanted, std::size_t most_elements) const;

    std::string name_;
    InputShape input_;
    std::size_t fixed_batch_;
    c10::Device device_;
    unsigned threads_;
    std::size_t classes_ = 0;  // 0: not probed yet
};

}  // namespace modelseal::oracle
