// A program that is kept running and talked to over its standard input and output.
//
// It runs in a process group of its own, which is killed, and the program reaped, when the object goes or
// whenever something went wrong. What it writes to standard error is kept for messages, the end of it.
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
    // Runs words[0], found in PATH, with this environment but its secrets (MODELSEAL_PASSPHRASE,
    // MODELSEAL_TOKEN), and `variables` ("NAME=value"). `name` begins each
    // message.
    static Result<std::unique_ptr<Subprocess>> start(const std::vector<std::string>& words,
                                                     const std::vector<std::string>& variables,
                                                     std::string name);
    ~Subprocess();
    Subprocess(const Subprocess&) = delete;
    Subprocess& operator=(const Subprocess&) = delete;

    // Tells how long the message is that `received` begins with, once that is known; bytes before `seen` were
    // there the last time.
    using Measure =
        std::function<Result<std::optional<std::size_t>>(std::string_view received, std::size_t seen)>;

    // Sends `message` and takes one in return, at the same time, so that neither side waits for the other. At
    // most `cap` bytes. After an error the program is gone.
    Result<std::string> exchange(std::string_view message, const Measure& measure, std::size_t cap,
                                 std::chrono::milliseconds timeout);
    bool running() const { return pid_ > 0; }

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
};

}  // namespace modelseal::oracle
