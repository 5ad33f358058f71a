// The CIFAR-10 ResNets of akamaster/pytorch_resnet_cifar10 as TorchScript, from their checkpoints.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "tests/evidence/weights.h"

namespace modelseal::evidence {

// Input 3 x 32 x 32 in [0, 1]; the normalization is part of the graph. Returns the number of blocks in each of
// the three stages: 3 for ResNet-20, 5 for ResNet-32. Throws std::runtime_error.
std::size_t write_resnet(const std::map<std::string, Weights>& checkpoint, const std::filesystem::path& out);

}  // namespace modelseal::evidence
