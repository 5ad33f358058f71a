// Models served by ONNX Runtime over the Open Inference Protocol: tests/oracle/oip_server.py, for as long as a
// test needs.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "oracle/subprocess.h"
#include "tests/support/data.h"
#include "tests/support/run.h"

namespace modelseal::test {

// The Python that has it: what tests/oracle/onnxruntime.sh printed.
inline std::optional<std::string> onnxruntime() {
    const char* given = std::getenv("MODELSEAL_ONNXRUNTIME");
    return given != nullptr && *given != '\0' ? std::optional<std::string>(given) : std::nullopt;
}

// The Python that has MLServer: what `tests/venv.sh mlserver tests/oracle/mlserver_requirements.txt` printed.
inline std::optional<std::string> mlserver() {
    const char* given = std::getenv("MODELSEAL_MLSERVER");
    return given != nullptr && *given != '\0' ? std::optional<std::string>(given) : std::nullopt;
}

// A server that ends with the object.
class RuntimeServer {
  public:
    // By ONNX Runtime alone.
    explicit RuntimeServer(const std::string& model, const std::vector<std::string>& more = {})
        : RuntimeServer(*onnxruntime(), "oip_server.py", data_folder() / "models/onnx" / model, more) {}
    // `script` of tests/oracle, run by `python`.
    RuntimeServer(const std::string& python, const char* script, const std::filesystem::path& model,
                  const std::vector<std::string>& more) {
        const auto server = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/oracle" / script;
        std::vector<std::string> words{python, server, "--model", model, "--until-stdin-ends"};
        words.insert(words.end(), more.begin(), more.end());
        auto process = oracle::Subprocess::start(words, {}, "server");
        if (!process.ok()) throw std::runtime_error(process.error().message);
        process_ = std::move(*process);
        const auto line = process_->exchange(
            "",
            [](std::string_view said, std::size_t) -> Result<std::optional<std::size_t>> {
                const auto end = said.find('\n');
                return end == std::string_view::npos ? std::optional<std::size_t>{} : end + 1;
            },
            1000, std::chrono::seconds(60));
        if (!line.ok()) throw std::runtime_error(line.error().message);
        url = line->substr(line->find("http"));
        url.pop_back();
    }
    std::string url;

  private:
    std::unique_ptr<oracle::Subprocess> process_;
};

}  // namespace modelseal::test

#define MODELSEAL_NEED_ONNXRUNTIME()     \
    MODELSEAL_NEED_DATA();               \
    if (!modelseal::test::onnxruntime()) \
    GTEST_SKIP() << "MODELSEAL_ONNXRUNTIME is not set (tests/oracle/onnxruntime.sh)"

#define MODELSEAL_NEED_MLSERVER()     \
    MODELSEAL_NEED_DATA();            \
    if (!modelseal::test::mlserver()) \
    GTEST_SKIP()                      \
        << "MODELSEAL_MLSERVER is not set (tests/venv.sh mlserver tests/oracle/mlserver_requirements.txt)"
