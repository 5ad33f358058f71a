#include "oracle/protocols/exec.h"

#include <cstring>

#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/input_tensor.h"
#include "oracle/json_text.h"
#include "oracle/model_info.h"
#include "oracle/output_tensor.h"
#include "oracle/subprocess.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

// Shared by lines and headers: the id, and an error or labels instead of outputs.
Result<ExecAnswer> parse_common(const json& document, std::uint64_t id, const std::string& source,
                                bool& complete) {
    ExecAnswer answer;
    const auto* number = member(document, "id", &json::is_number_unsigned);
    if (number == nullptr || number->get<std::uint64_t>() != id) {
        return util::malformed(source, fmt::format("the answer does not have the id {} of the request", id));
    }
    complete = true;
    if (document.contains("error")) {
        const auto& error = document["error"];
        answer.error = error.is_string() ? error.get<std::string>() : dump(error);
        if (answer.error.empty()) answer.error = "the program reported an error without a message";
        return answer;
    }
    if (const auto* labels = member(document, "labels", &json::is_array)) {
        MODELSEAL_TRY_ASSIGN(answer.output, from_lists(*labels, NumberKind::integer, source));
        return answer;
    }
    complete = false;
    return answer;
}

constexpr const char* kProtocol =
    "modelseal-exec(7) describes how a program answers: on standard output alone, with messages on standard "
    "error";
constexpr const char* kLinesForm = "JSON lines";
constexpr const char* kFramesForm = "frames";

// The program may print other things; quote them.
Result<json> parse_words(std::string_view text, const std::string& source, const char* form) {
    auto document = parse_answer(text, source, "the answer");
    if (!document.ok()) {
        auto error = std::move(document).error();
        error.message =
            fmt::format("{}: the program does not answer in {}, but with '{}'", source, form,
                        util::printable(text.substr(0, text.find_last_not_of("\r\n") + 1).substr(0, 80)));
        error.hint = kProtocol;
        return error;
    }
    return document;
}

Result<OutputTensor> parse_data(const json& header, std::string_view data, const std::string& source) {
    OutputTensor tensor;
    const auto* shape = member(header, "shape", &json::is_array);
    const auto* datatype = member(header, "datatype", &json::is_string);
    if (shape == nullptr || datatype == nullptr || shape->size() > kMaxRank) {
        return util::malformed(source, "the answer has no shape and datatype, no labels and no error");
    }
    for (const auto& extent : *shape) {
        if (!extent.is_number_unsigned() || extent > (std::uint64_t{1} << 40)) {
            return util::malformed(source, "the answer has an invalid shape");
        }
        tensor.shape.push_back(extent.get<std::int64_t>());
    }
    const auto type = datatype->get<std::string>();
    tensor.kind = kind_of(type);
    std::size_t elements = 0;
    if (tensor.kind == NumberKind::other || !elements_of(tensor.shape, kMaxExecAnswer, elements) ||
        elements * element_bytes(type) != data.size() || !decode(type, data, tensor)) {
        return util::malformed(source,
                               fmt::format("the answer of shape {} and type '{}' has {}", shown(tensor.shape),
                                           util::printable(type), util::counted(data.size(), "byte")));
    }
    tensor.significand = significand_bits(type);
    return tensor;
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view command) {
    std::vector<std::string> words;
    char quote = 0;
    bool inside = false;
    std::string word;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
            word += command[++i];
            inside = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            inside = true;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (inside) words.push_back(std::move(word));
            word.clear();
            inside = false;
        } else {
            word += c;
            inside = true;
        }
    }
    if (quote != 0)
        return Error{ErrorKind::usage, fmt::format("the command has a {} that is not closed", quote), {}};
    if (inside) words.push_back(std::move(word));
    if (words.empty() || words[0].empty() || command.find('\0') != std::string_view::npos) {
        return Error{ErrorKind::usage, "the command is empty", "write a program and its arguments after exec:"};
    }
    return words;
}

std::string exec_line(std::uint64_t id, std::span<const std::int64_t> shape, std::span<const float> values) {
    auto text = fmt::format("{{\"id\":{},\"shape\":{},\"inputs\":", id,
                            dump(json(std::vector<std::int64_t>(shape.begin(), shape.end()))));
    const std::int64_t rows[] = {shape[0], 0};
    append_nested(text, values, rows);
    return text + "}\n";
}

std::string exec_frame(std::uint64_t id, std::span<const std::int64_t> shape, std::span<const float> values) {
    const auto header = dump(
        {{"id", id}, {"shape", std::vector<std::int64_t>(shape.begin(), shape.end())}, {"datatype", "FP32"}});
    std::string frame;
    for (const auto length :
         {static_cast<std::uint32_t>(header.size()), static_cast<std::uint32_t>(values.size_bytes())}) {
        frame.append(reinterpret_cast<const char*>(&length), sizeof length);
    }
    frame += header;
    append_values(frame, values, "FP32");
    return frame;
}

std::optional<std::size_t> frame_bytes(std::string_view prefix) {
    const std::size_t header = number_at(prefix, 0), data = number_at(prefix, 4);
    if (header > kMaxFrameHeader || data > kMaxExecAnswer - kMaxFrameHeader - kFramePrefix) return std::nullopt;
    return kFramePrefix + header + data;
}

Result<ExecAnswer> parse_exec_line(std::string_view line, std::uint64_t id, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(const auto document, parse_words(line, source, kLinesForm));
    bool complete = false;
    MODELSEAL_TRY_ASSIGN(auto answer, parse_common(document, id, source, complete));
    if (complete) return answer;
    const auto* outputs = member(document, "outputs", &json::is_array);
    if (outputs == nullptr) return util::malformed(source, "the answer has no outputs, no labels and no error");
    MODELSEAL_TRY_ASSIGN(answer.output, from_lists(*outputs, NumberKind::floating, source));
    return answer;
}

Result<ExecAnswer> parse_exec_frame(std::string_view frame, std::uint64_t id, const std::string& source) {
    if (frame.size() < kFramePrefix || frame_bytes(frame) != frame.size()) {
        return util::malformed(source, "the answer is not one complete frame");
    }
    const auto header = frame.substr(kFramePrefix, number_at(frame, 0));
    const auto data = frame.substr(kFramePrefix + header.size());
    MODELSEAL_TRY_ASSIGN(const auto document, parse_words(header, source, kFramesForm));
    bool complete = false;
    MODELSEAL_TRY_ASSIGN(auto answer, parse_common(document, id, source, complete));
    if (complete && data.empty()) return answer;
    MODELSEAL_TRY_ASSIGN(answer.output, parse_data(document, data, source));
    return answer;
}

// A program that answers on its standard output, JSON lines or frames.

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
            return {
                Error{ErrorKind::unreadable, fmt::format("{}: the program reports: '{}'", name(), said), {}},
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
        const auto answer =
            process_->exchange(message, measure(), kMaxExecAnswer, deadline().at_most(timeout_));
        if (!answer.ok()) return process_->ended_well() ? without_answer(answer.error()) : answer.error();
        return binary_ ? parse_exec_frame(*answer, id, name()) : parse_exec_line(*answer, id, name());
    }

    // A program that is content with itself may know nothing of us.
    Error without_answer(Error error) const {
        error.message += fmt::format(" and did not answer in {}", binary_ ? kFramesForm : kLinesForm);
        error.hint = kProtocol;
        return error;
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
                         "check that the program supports the protocol named in MODELSEAL_PROTOCOL"};
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
