// The worker's side of worker/channel.h: one model, opened once, then asked until modelseal hangs up.
#pragma once

#include "oracle/network.h"
#include "worker/channel.h"
#include "worker/shared_memory.h"

namespace modelseal::oracle {

class Session {
  public:
    explicit Session(worker::Channel channel) : channel_(std::move(channel)) {}
    // Returns when the other side is gone or breaks the protocol.
    void run();

  private:
    // null: a message without an answer.
    Result<nlohmann::json> answer(worker::Message& message);
    Result<nlohmann::json> enter(const nlohmann::json& request);
    Result<nlohmann::json> open(const nlohmann::json& request);
    Result<nlohmann::json> ask(const nlohmann::json& request);
    Result<nlohmann::json> gradient(const nlohmann::json& request);
    Result<void> wait_for_cotangents();
    Result<std::span<const float>> inputs(std::size_t count, std::size_t behind) const;

    worker::Channel channel_;
    worker::SharedMemory memory_;
    NetworkOptions options_;
    bool entered_ = false;
    Model files_;
    std::unique_ptr<Network> network_;
};

// The network of `files`, the graph first, by what its bytes say.
Result<std::unique_ptr<Network>> open_by_content(Model files, const NetworkOptions& options);

}  // namespace modelseal::oracle
