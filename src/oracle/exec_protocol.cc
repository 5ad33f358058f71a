#include "oracle/exec_protocol.h"

#include <cstring>

#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/json_text.h"
#include "oracle/little_endian.h"
#include "oracle/model_info.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

Error malformed(const std::string& source, const std::string& what) {
    return {ErrorKind::malformed, fmt::format("{}: {}", source, what), {}};
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

// What lines and headers have in common: the id, and an error or labels in place of outputs.
Result<ExecAnswer> parse_common(const json& document, std::uint64_t id, const std::string& source,
                                bool& complete) {
    ExecAnswer answer;
    const auto* number = member(document, "id", &json::is_number_unsigned);
    if (number == nullptr || number->get<std::uint64_t>() != id) {
        return malformed(source, fmt::format("the answer does not have the id {} of its question", id));
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

// The program may print other things; show what it was.
Result<json> parse_words(std::string_view text, const std::string& source) {
    auto document = parse_answer(text, source, "the answer");
    if (!document.ok()) {
        auto error = std::move(document).error();
        error.message += fmt::format(": '{}'", util::printable(text.substr(0, 80)));
        error.hint = "the program's standard output carries answers alone; messages belong on standard error";
        return error;
    }
    return document;
}

Result<OutputTensor> parse_data(const json& header, std::string_view data, const std::string& source) {
    OutputTensor tensor;
    const auto* shape = member(header, "shape", &json::is_array);
    const auto* datatype = member(header, "datatype", &json::is_string);
    if (shape == nullptr || datatype == nullptr || shape->size() > kMaxRank) {
        return malformed(source, "the answer has neither a shape and a datatype nor labels nor an error");
    }
    for (const auto& extent : *shape) {
        if (!extent.is_number_unsigned() || extent > (std::uint64_t{1} << 40)) {
            return malformed(source, "the answer has a broken shape");
        }
        tensor.shape.push_back(extent.get<std::int64_t>());
    }
    const auto type = datatype->get<std::string>();
    tensor.kind = kind_of(type);
    std::size_t elements = 0;
    if (tensor.kind == NumberKind::other || !elements_of(tensor.shape, kMaxExecAnswer, elements) ||
        elements * element_bytes(type) != data.size() || !decode(type, data, tensor)) {
        return malformed(source, fmt::format("the answer of shape {} and type '{}' comes in {} bytes",
                                             shown(tensor.shape), util::printable(type), data.size()));
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
        return Error{ErrorKind::usage, fmt::format("the command has a {} without its end", quote), {}};
    if (inside) words.push_back(std::move(word));
    if (words.empty() || words[0].empty() || command.find('\0') != std::string_view::npos) {
        return Error{ErrorKind::usage, "there is no command to run",
                     "exec: is followed by a program and its arguments"};
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
    append_floats(frame, values);
    return frame;
}

std::optional<std::size_t> frame_bytes(std::string_view prefix) {
    const std::size_t header = number_at(prefix, 0), data = number_at(prefix, 4);
    if (header > kMaxFrameHeader || data > kMaxExecAnswer - kMaxFrameHeader - kFramePrefix) return std::nullopt;
    return kFramePrefix + header + data;
}

Result<ExecAnswer> parse_exec_line(std::string_view line, std::uint64_t id, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(const auto document, parse_words(line, source));
    bool complete = false;
    MODELSEAL_TRY_ASSIGN(auto answer, parse_common(document, id, source, complete));
    if (complete) return answer;
    const auto* outputs = member(document, "outputs", &json::is_array);
    if (outputs == nullptr) return malformed(source, "the answer has neither outputs nor labels nor an error");
    MODELSEAL_TRY_ASSIGN(answer.output, from_lists(*outputs, NumberKind::floating, source));
    return answer;
}

Result<ExecAnswer> parse_exec_frame(std::string_view frame, std::uint64_t id, const std::string& source) {
    if (frame.size() < kFramePrefix || frame_bytes(frame) != frame.size()) {
        return malformed(source, "the answer is not one whole frame");
    }
    const auto header = frame.substr(kFramePrefix, number_at(frame, 0));
    const auto data = frame.substr(kFramePrefix + header.size());
    MODELSEAL_TRY_ASSIGN(const auto document, parse_words(header, source));
    bool complete = false;
    MODELSEAL_TRY_ASSIGN(auto answer, parse_common(document, id, source, complete));
    if (complete && data.empty()) return answer;
    MODELSEAL_TRY_ASSIGN(answer.output, parse_data(document, data, source));
    return answer;
}

}  // namespace modelseal::oracle
