// A program that keeps running and communicates over its standard input and output.
//
// It runs in a process group of its own. The destructor, and any error, kill the group and reap the program.
// The end of its standard error is kept for messages.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <modelseal/result.h>

namespace modelseal::oracle {

class Subprocess {
  public:
    // Runs words[0], found in PATH, with this environment except its secrets (MODELSEAL_PASSPHRASE,
    // MODELSEAL_TOKEN), and `variables` ("NAME=value"). `name` begins each message.
    static Result<std::unique_ptr<Subprocess>> start(const std::vector<std::string>& words,
                                                     const std::vector<std::string>& variables,
                                                     std::string name);
    ~Subprocess();
    Subprocess(const Subprocess&) = delete;
    Subprocess& operator=(const Subprocess&) = delete;

    // Returns the length of the message at the start of `received`, once it is known; bytes before `seen`
    // were already there in the previous call.
    using Measure =
        std::function<Result<std::optional<std::size_t>>(std::string_view received, std::size_t seen)>;

    // Sends `message` and receives one at the same time, so that neither side waits for the other. At most
    // `cap` bytes. After an error the program is gone.
    Result<std::string> exchange(std::string_view message, const Measure& measure, std::size_t cap,
                                 std::chrono::milliseconds timeout);
    bool running() const { return pid_ > 0; }
    bool ended_well() const { return ended_well_; }  // by itself, with status 0

  private:
    Subprocess() = default;
    Result<void> pump(std::string_view& message, int timeout_ms);
    Result<void> write_some(std::string_view& message);
    bool read_some(int fd, std::string& into);
    void keep_end_of_errors();
    Error ended();
    void stop(std::chrono::milliseconds patience);

    std::string name_;
    pid_t pid_ = 0;
    int in_ = -1, out_ = -1, err_ = -1;  // our ends; -1: closed
    std::string received_, errors_;
    std::string how_it_ended_;
    bool ended_well_ = false;
};

}  // namespace modelseal::oracle
