// Which of this machine's devices a network runs on, and how: the switches of LibTorch that decide the
// rounding.
#pragma once

#include <string>
#include <vector>

#include <ATen/Context.h>
#include <c10/core/Device.h>

#include "oracle/network.h"

namespace modelseal::libtorch {

// "cpu" and one "cuda:N" for each GPU that LibTorch can use.
std::vector<std::string> devices_here();

// auto (a GPU if there is one), cpu, cuda (the first), cuda:N. Error `usage` for other words, `unsupported` for
// a GPU that is not there.
Result<c10::Device> find_device(const std::string& wanted);

// The processor's model, or the GPU, with whatever the environment says about which kernels it runs.
std::string processor(c10::Device device);

// Holds LibTorch's process-wide switches as a runtime wants them, and puts them back: deterministic algorithms,
// full float32 products (TF32 only if wanted), `threads` threads.
class Switches {
  public:
    Switches(unsigned threads, bool plain_kernels, bool tf32);
    ~Switches();
    Switches(const Switches&) = delete;
    Switches& operator=(const Switches&) = delete;

  private:
    int threads_;
    bool mkldnn_, cudnn_, tf32_products_, tf32_convolutions_, benchmark_, deterministic_;
};

}  // namespace modelseal::libtorch
