// A program that answers on its standard output, JSON lines or frames.
#include <fmt/format.h>

#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/exec_protocol.h"
#include "oracle/subprocess.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

constexpr std::string_view kLines = "exec:";
constexpr std::string_view kFrames = "exec+binary:";

class ProgramOracle final : public BatchedOracle {
  public:
    ProgramOracle(std::string name, const InputShape& shape, const EndpointOptions& options,
                  std::vector<std::string> words, bool binary)
        : BatchedOracle(std::move(name), shape, options.batch,
                        Deadline(std::chrono::seconds(options.max_seconds))),
          timeout_(std::chrono::seconds(options.timeout_s)),
          words_(std::move(words)),
          binary_(binary) {}

    // Runs the program, if it does not run.
    Result<void> start() {
        if (process_ && process_->running()) return {};
        const std::string protocol = binary_ ? "binary/1" : "json-lines/1";
        MODELSEAL_TRY_ASSIGN(process_, Subprocess::start(words_, {"MODELSEAL_PROTOCOL=" + protocol}, name()));
        return {};
    }

  private:
    Reply ask_batch(std::span<const float> inputs, std::size_t count) override {
        auto answer = talk(inputs, count);
        if (!answer.ok()) return {std::move(answer).error()};
        if (!answer->error.empty()) {
            const auto said = util::printable(std::string_view(answer->error).substr(0, 300));
            return {Error{ErrorKind::unreadable, fmt::format("{}: the program says: '{}'", name(), said), {}},
                    true};
        }
        std::vector<OutputTensor> outputs;
        outputs.push_back(std::move(answer->output));
        return {to_answers(std::move(outputs), {}, count, name())};
    }

    Result<ExecAnswer> talk(std::span<const float> inputs, std::size_t count) {
        MODELSEAL_TRY(start());
        std::vector<std::int64_t> shape{static_cast<std::int64_t>(count)};
        shape.insert(shape.end(), input().shape.begin(), input().shape.end());
        const auto id = ++id_;
        const auto message = binary_ ? exec_frame(id, shape, inputs) : exec_line(id, shape, inputs);
        MODELSEAL_TRY_ASSIGN(const auto answer, process_->exchange(message, measure(), kMaxExecAnswer,
                                                                   deadline().at_most(timeout_)));
        return binary_ ? parse_exec_frame(answer, id, name()) : parse_exec_line(answer, id, name());
    }

    Subprocess::Measure measure() const {
        using Length = Result<std::optional<std::size_t>>;
        if (!binary_) {
            return [](std::string_view received, std::size_t seen) -> Length {
                const auto end = received.find('\n', seen);
                return end == std::string_view::npos ? std::optional<std::size_t>{} : end + 1;
            };
        }
        return [this](std::string_view received, std::size_t) -> Length {
            if (received.size() < kFramePrefix) return std::optional<std::size_t>{};
            const auto length = frame_bytes(received);
            if (length) return length;
            return Error{ErrorKind::malformed,
                         fmt::format("{}: the program announces too large a frame", name()),
                         "does it know the protocol that MODELSEAL_PROTOCOL names?"};
        };
    }

    std::chrono::milliseconds timeout_;
    std::vector<std::string> words_;
    bool binary_;
    std::unique_ptr<Subprocess> process_;
    std::uint64_t id_ = 0;
};

}  // namespace

Result<std::unique_ptr<Oracle>> connect_program(const std::string& target, const EndpointOptions& options,
                                                const InputShape& expected) {
    const bool binary = target.starts_with(kFrames);
    if (!binary && !target.starts_with(kLines)) {
        return Error{ErrorKind::usage, fmt::format("'{}' is not an endpoint", util::printable(target)), {}};
    }
    MODELSEAL_TRY_ASSIGN(auto words, split_command(target.substr(binary ? kFrames.size() : kLines.size())));
    auto oracle =
        std::make_unique<ProgramOracle>(util::printable(target), expected, options, std::move(words), binary);
    MODELSEAL_TRY(oracle->start());
    return std::unique_ptr<Oracle>(std::move(oracle));
}

}  // namespace modelseal::oracle
