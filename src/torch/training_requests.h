// The requests of worker/channel.h that change a network.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle/training.h"
#include "worker/channel.h"
#include "worker/shared_memory.h"

namespace modelseal::libtorch {

class TrainingRequests {
  public:
    static bool know(const std::string& what);
    // `memory`: what "train" reads its inputs and labels from.
    Result<nlohmann::json> answer(const std::string& what, worker::Message& message,
                                  oracle::TrainableNetwork& network, const worker::SharedMemory& memory);

  private:
    Result<nlohmann::json> fetch(worker::Message& message);
    std::vector<std::byte> saved_;  // between "save" and "fetch"
};

}  // namespace modelseal::libtorch
