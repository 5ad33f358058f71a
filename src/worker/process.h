// The worker as a process: found, started with nothing of ours, ended.
//
// It gets four descriptors and no more: nothing to read from, nowhere to print, a pipe for the last words of
// its loader or runtime, and its end of the channel. Its environment holds only what steers numerical
// libraries. It ends when its Process goes, and when this process ends however it does.
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
    // Kills it if it has not ended, and returns how it ended and what it said last: "was ended by signal 11
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
