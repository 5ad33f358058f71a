// The worker as a process: found, started without anything of ours, ended.
//
// It gets four descriptors and no more: an empty standard input, an output to nowhere, a pipe for the last
// messages of its loader or runtime, and its end of the channel. Its environment has only the settings of
// numerical libraries. It ends when its Process is destroyed, and when this process ends in any way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "worker/channel.h"

namespace modelseal::worker {

class Process {
  public:
    // Error `unsupported`, with a hint, if there is no worker or it cannot be run.
    static Result<std::unique_ptr<Process>> start();
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    Channel& channel() { return channel_; }
    // Kills it if it has not ended, and returns how it ended and its last message: "was ended by signal 11
    // (...)". Printable.
    std::string end();

  private:
    Process(pid_t pid, Descriptor channel, Descriptor errors)
        : pid_(pid), channel_(std::move(channel)), errors_(std::move(errors)) {}
    pid_t pid_;
    Channel channel_;
    Descriptor errors_;
};

// The variables of `environment` ("NAME=value") that a worker gets.
std::vector<std::string> passed_on(const char* const* environment);

}  // namespace modelseal::worker
