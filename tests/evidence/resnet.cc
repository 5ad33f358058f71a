#include "tests/evidence/resnet.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <torch/script.h>

namespace modelseal::evidence {
namespace {

// "state_dict.module.layer1.0.conv1.weight" -> "layer1_0_conv1_weight"
std::string in_graph(std::string name) {
    if (const auto at = name.rfind("module."); at != name.npos) name.erase(0, at + 7);
    std::ranges::replace(name, '.', '_');
    return name;
}

std::string normalised(const std::string& layer, const std::string& value) {
    return fmt::format(
        "torch.batch_norm({1}, self.{0}_weight, self.{0}_bias, self.{0}_running_mean, self.{0}_running_var, "
        "False, "
        "0.1, 1e-5, True)",
        layer, value);
}

std::string convolved(const std::string& layer, const std::string& value, int stride) {
    return fmt::format("torch.conv2d({1}, self.{0}_weight, None, [{2}, {2}], [1, 1], [1, 1], 1)", layer, value,
                       stride);
}

// Two convolutions and the short cut around them; where the planes double, it takes every second pixel and adds
// planes of zeros.
std::string block(const std::string& name, bool widens, int planes) {
    auto code = fmt::format("    y = torch.relu({})\n",
                            normalised(name + "_bn1", convolved(name + "_conv1", "x", widens ? 2 : 1)));
    code += fmt::format("    y = {}\n", normalised(name + "_bn2", convolved(name + "_conv2", "y", 1)));
    if (widens)
        code += fmt::format("    x = torch.constant_pad_nd(x[:, :, ::2, ::2], [0, 0, 0, 0, {0}, {0}], 0.)\n",
                            planes / 4);
    return code + "    x = torch.relu(torch.add(y, x))\n";
}

std::string forward(std::size_t blocks) {
    std::string code =
        "def forward(self, x: Tensor) -> Tensor:\n    x = torch.div(torch.sub(x, self.mean), self.std)\n";
    code += fmt::format("    x = torch.relu({})\n", normalised("bn1", convolved("conv1", "x", 1)));
    for (int stage = 1; stage <= 3; ++stage) {
        for (std::size_t i = 0; i < blocks; ++i) {
            code += block(fmt::format("layer{}_{}", stage, i), stage > 1 && i == 0, 8 << stage);
        }
    }
    return code +
           "    x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1, -1)\n"
           "    return torch.addmm(self.linear_bias, x, torch.t(self.linear_weight))\n";
}

torch::Tensor tensor_of(const Weights& weights) {
    return torch::tensor(weights.values)
        .reshape(std::vector<std::int64_t>(weights.shape.begin(), weights.shape.end()));
}

}  // namespace

std::size_t write_resnet(const std::map<std::string, Weights>& checkpoint, const std::filesystem::path& out) {
    torch::jit::Module module("CifarResNet");
    std::size_t blocks = 0;
    for (const auto& [path, weights] : checkpoint) {
        const auto name = in_graph(path);
        if (name.ends_with("weight") || name.ends_with("bias"))
            module.register_parameter(name, tensor_of(weights), false);
        if (name.find("_running_") != name.npos) module.register_buffer(name, tensor_of(weights));
        if (name.starts_with("layer1_") && name.ends_with("conv1_weight")) ++blocks;
    }
    if (blocks == 0) throw std::runtime_error("the checkpoint has no layer1.*.conv1.weight");
    module.register_buffer("mean", torch::tensor({0.485f, 0.456f, 0.406f}).reshape({1, 3, 1, 1}));
    module.register_buffer("std", torch::tensor({0.229f, 0.224f, 0.225f}).reshape({1, 3, 1, 1}));
    try {
        module.define(forward(blocks));
        module.eval();
        module.save(out.string());
    } catch (const c10::Error& error) {
        throw std::runtime_error(error.what_without_backtrace());
    }
    return blocks;
}

}  // namespace modelseal::evidence
