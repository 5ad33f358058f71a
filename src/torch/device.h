// The devices of this machine, and the settings of LibTorch that decide the rounding.
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

// The processor's model, or the GPU, and the environment variables that select kernels for it.
std::string processor(c10::Device device);

// Sets LibTorch's process-wide settings for a runtime: deterministic algorithms, full float32 products (TF32 only if requested),
// `threads` threads. Restores all but the threads, of which each computation states its number.
class Switches {
  public:
    Switches(unsigned threads, bool plain_kernels, bool tf32);
    ~Switches();
    Switches(const Switches&) = delete;
    Switches& operator=(const Switches&) = delete;

  private:
    bool mkldnn_, cudnn_, tf32_products_, tf32_convolutions_, benchmark_, deterministic_;
};

}  // namespace modelseal::libtorch
