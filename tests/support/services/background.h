// Programs that run beside a test, and end with it.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace modelseal::test {

// Killed when the object goes. Its output goes to a file.
class Background {
  public:
    Background(const std::vector<std::string>& command, const std::filesystem::path& output);
    ~Background() { stop(SIGKILL); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // Sends the signal and waits for the end: the exit code, or 128 + number of a signal.
    int stop(int signal);
    bool is_running();
    pid_t id() const { return child_; }

  private:
    pid_t child_ = -1;
    int code_ = -1;
};

// A port of 127.0.0.1 that nothing listens on.
unsigned free_port();

}  // namespace modelseal::test
