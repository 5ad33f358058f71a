// The worker's side of worker/channel.h: one model, opened once, then queried until modelseal disconnects.
#pragma once

#include "oracle/network.h"
#include "torch/training_requests.h"
#include "worker/channel.h"
#include "worker/shared_memory.h"

namespace modelseal::libtorch {

class Session {
  public:
    explicit Session(worker::Channel channel) : channel_(std::move(channel)) {}
    // Returns when the other side disconnects or breaks the protocol.
    void run();

  private:
    // null: a message without an answer.
    Result<nlohmann::json> answer(worker::Message& message);
    Result<nlohmann::json> enter(const nlohmann::json& request);
    Result<nlohmann::json> open(const nlohmann::json& request);
    Result<nlohmann::json> ask(const nlohmann::json& request);
    Result<nlohmann::json> gradient(const nlohmann::json& request);
    Result<nlohmann::json> coverage(const nlohmann::json& request);
    Result<nlohmann::json> covered(const nlohmann::json& request);
    Result<nlohmann::json> generator(const nlohmann::json& request);
    Result<nlohmann::json> generator_step();
    Result<nlohmann::json> generated();
    Result<void> wait_for_cotangents();
    Result<std::span<const float>> inputs(std::size_t count, std::size_t behind) const;

    worker::Channel channel_;
    worker::SharedMemory memory_;
    oracle::NetworkOptions options_;
    bool entered_ = false;
    model::Model files_;
    std::unique_ptr<oracle::Network> network_;
    std::vector<oracle::CoveredWeights> covered_;  // of the last question
    TrainingRequests training_;
};

// The network of `files`, the graph first, recognized by content.
Result<std::unique_ptr<oracle::Network>> open_by_content(model::Model files,
                                                         const oracle::NetworkOptions& options);

}  // namespace modelseal::libtorch
