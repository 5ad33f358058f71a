#include "torch/device.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include "torch/errors.h"
#include "util/text.h"

// LibTorch's caffe2/utils/threadpool/thread_pool_guard.h, which Debian's package leaves out.
namespace caffe2 {
struct _NoPThreadPoolGuard {
    static void set_enabled(bool enabled);  // of this thread
};
}  // namespace caffe2

namespace modelseal::libtorch {
namespace {

std::size_t gpus() {
    return torch::cuda::is_available() ? torch::cuda::device_count() : 0;
}

Result<c10::Device> gpu(std::size_t index) {
    const auto there = gpus();
    if (index < there) return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
    const auto why = there > 0       ? fmt::format("this machine has {}, numbered from 0", there)
                     : at::hasCUDA() ? "LibTorch finds no GPU on this machine"
                                     : "this LibTorch was built for the CPU only";
    return Error{ErrorKind::unsupported, fmt::format("no GPU cuda:{}: {}", index, why),
                 "run the model on the CPU", Remedy::use_cpu};
}

std::string model_of_processor() {
    std::ifstream facts("/proc/cpuinfo");
    for (std::string line; std::getline(facts, line);) {
        if (!line.starts_with("model name")) continue;
        return util::printable(line.substr(std::min(line.size(), line.find(':') + 2)));
    }
    return {};
}

}  // namespace

std::vector<std::string> devices_here() {
    std::vector<std::string> devices{"cpu"};
    for (std::size_t i = 0; i < gpus(); ++i) devices.push_back(fmt::format("cuda:{}", i));
    return devices;
}

Result<c10::Device> find_device(const std::string& wanted) {
    if (wanted == "auto" || wanted.empty()) return gpus() > 0 ? gpu(0) : c10::Device(c10::kCPU);
    if (wanted == "cpu") return c10::Device(c10::kCPU);
    if (wanted == "cuda") return gpu(0);
    constexpr std::string_view prefix = "cuda:";
    if (wanted.starts_with(prefix)) {
        unsigned index = 0;
        const char* end = wanted.data() + wanted.size();
        const auto read = std::from_chars(wanted.data() + prefix.size(), end, index);
        if (read.ec == std::errc() && read.ptr == end && index < 128) return gpu(index);
    }
    return Error{
        ErrorKind::usage,
        fmt::format("unknown device '{}'; auto, cpu, cuda and cuda:N are supported", util::printable(wanted)),
        {}};
}

std::string processor(c10::Device device) {
    // Read once: within the sandbox the file cannot be opened any more.
    static const std::string model = model_of_processor();
    auto text = device.str();
    if (!model.empty()) text += " " + model;
    for (const char* switches : {"ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA",
                                 "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "MKL_CBWR"}) {
        if (const char* value = std::getenv(switches))
            text += fmt::format(" {}={}", switches, util::printable(value));
    }
    return text;
}

Switches::Switches(unsigned threads, bool plain_kernels, bool tf32)
    : mkldnn_(at::globalContext().userEnabledMkldnn()),
      cudnn_(at::globalContext().userEnabledCuDNN()),
      tf32_products_(at::globalContext().allowTF32CuBLAS()),
      tf32_convolutions_(at::globalContext().allowTF32CuDNN()),
      benchmark_(at::globalContext().benchmarkCuDNN()),
      deterministic_(at::globalContext().deterministicCuDNN()) {
    auto& context = at::globalContext();
    // Even for the same number LibTorch makes a new pool, whose threads wait for work by spinning.
    if (at::get_num_threads() != static_cast<int>(threads)) at::set_num_threads(static_cast<int>(threads));
    // Those of QNNPACK and XNNPACK spin as well, and so took minutes instead of seconds where other programs run: what they would
    // compute is computed on the thread that asks for it.
    caffe2::_NoPThreadPoolGuard::set_enabled(true);
    if (plain_kernels) {
        context.setUserEnabledMkldnn(false);
        context.setUserEnabledCuDNN(false);
    }
    context.setAllowTF32CuBLAS(tf32);
    context.setAllowTF32CuDNN(tf32);
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(true);
}

Switches::~Switches() {
    auto& context = at::globalContext();
    context.setDeterministicCuDNN(deterministic_);
    context.setBenchmarkCuDNN(benchmark_);
    context.setAllowTF32CuDNN(tf32_convolutions_);
    context.setAllowTF32CuBLAS(tf32_products_);
    context.setUserEnabledCuDNN(cudnn_);
    context.setUserEnabledMkldnn(mkldnn_);
}

}  // namespace modelseal::libtorch
