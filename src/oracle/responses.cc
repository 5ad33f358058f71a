#include "oracle/responses.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "formats/json.h"
#include "formats/npy.h"
#include "formats/reader.h"
#include "io/file.h"
#include "oracle/precision.h"

namespace modelseal::oracle {
namespace {

constexpr const char* kNames[] = {"responses.npy", "responses.json", "responses.csv"};
constexpr std::uint64_t kMostText = 256u << 20;
constexpr std::size_t kMostClasses = 1u << 20;

Error malformed(const Source& source, const std::string& what) {
    return {ErrorKind::malformed, fmt::format("{}: {}", source.name(), what), {}};
}

// Rows as they come by, each put at its place.
class Rows {
  public:
    Rows(const Source& source, std::size_t count) : source_(source), given_(count, false) {
        answers_.count = count;
    }

    Result<void> add_outputs(std::size_t row, const std::vector<double>& outputs) {
        MODELSEAL_TRY(once(row));
        if (!answers_.labels.empty()) return mixed();
        if (answers_.values.empty()) {
            if (outputs.size() < 2 || outputs.size() > kMostClasses) {
                return malformed(source_, fmt::format("answer {} has {} outputs", row + 1, outputs.size()));
            }
            answers_.classes = outputs.size();
            answers_.values.resize(given_.size() * outputs.size());
        }
        if (outputs.size() != answers_.classes) {
            return malformed(source_, fmt::format("answer {} has {} outputs, others have {}", row + 1,
                                                  outputs.size(), answers_.classes));
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const auto value = static_cast<float>(outputs[i]);
            if (!std::isfinite(value)) {
                return malformed(source_,
                                 fmt::format("answer {}: output {} is {}", row + 1, i + 1, outputs[i]));
            }
            answers_.values[row * answers_.classes + i] = value;
        }
        return {};
    }

    Result<void> add_label(std::size_t row, std::int64_t label) {
        MODELSEAL_TRY(once(row));
        if (!answers_.values.empty()) return mixed();
        if (label < 0) return malformed(source_, fmt::format("answer {} is the label {}", row + 1, label));
        answers_.labels.resize(given_.size());
        answers_.labels[row] = label;
        return {};
    }

    Result<Answers> take() && {
        for (std::size_t row = 0; row < given_.size(); ++row) {
            if (!given_[row]) {
                return malformed(source_, fmt::format("answer {} of {} is missing", row + 1, given_.size()));
            }
        }
        note_precision(answers_);
        return std::move(answers_);
    }

  private:
    Result<void> once(std::size_t row) {
        if (row >= given_.size()) {
            return malformed(source_,
                             fmt::format("answer {}, but the challenge has {} inputs", row + 1, given_.size()));
        }
        if (given_[row]) return malformed(source_, fmt::format("answer {} is given twice", row + 1));
        given_[row] = true;
        return {};
    }
    Error mixed() const { return malformed(source_, "some answers are labels, others are not"); }
    const Source& source_;
    Answers answers_;
    std::vector<bool> given_;
};

Result<Answers> parse_array(const Source& source, std::size_t count) {
    MODELSEAL_TRY_ASSIGN(const auto array, formats::parse_npy(source));
    const bool labels = array.kind == formats::NpyArray::Kind::integer;
    const bool shaped = array.shape.size() == (labels ? 1u : 2u) && array.shape[0] == count;
    if (!shaped) {
        return malformed(
            source, fmt::format("an array of shape [{}]; the challenge has {} inputs, so it must be {}",
                                fmt::join(array.shape, ", "), count,
                                labels ? fmt::format("[{}]", count) : fmt::format("[{}, classes]", count)));
    }
    Rows rows(source, count);
    if (labels) {
        MODELSEAL_TRY_ASSIGN(const auto values, formats::read_npy_integers(source, array));
        for (std::size_t i = 0; i < count; ++i) MODELSEAL_TRY(rows.add_label(i, values[i]));
        return std::move(rows).take();
    }
    MODELSEAL_TRY_ASSIGN(const auto values, formats::read_npy_floats(source, array));
    const auto classes = static_cast<std::ptrdiff_t>(array.shape[1]);
    for (std::size_t i = 0; i < count; ++i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i) * classes;
        MODELSEAL_TRY(rows.add_outputs(i, std::vector<double>(begin, begin + classes)));
    }
    return std::move(rows).take();
}

Result<std::string> text_of(const Source& source) {
    if (source.size() > kMostText) {
        return malformed(source, fmt::format("over the limit of {} bytes", kMostText));
    }
    std::string text(source.size(), '\0');
    MODELSEAL_TRY(source.read(0, std::as_writable_bytes(std::span(text))));
    return text;
}

Result<void> add_json_row(const Source& source, Rows& rows, std::size_t row, const nlohmann::json& item) {
    std::vector<double> outputs;
    if (!item.is_array()) return malformed(source, fmt::format("answer {} is not a list of numbers", row + 1));
    for (const auto& value : item) {
        if (!value.is_number()) {
            return malformed(source, fmt::format("answer {} is not a list of numbers", row + 1));
        }
        outputs.push_back(value.get<double>());
    }
    return rows.add_outputs(row, outputs);
}

Result<Answers> parse_document(const Source& source, std::size_t count) {
    MODELSEAL_TRY_ASSIGN(const auto text, text_of(source));
    MODELSEAL_TRY_ASSIGN(const auto document, formats::parse_json(source, 0, text, "answers", 4));
    const bool one = document.is_object() && document.size() == 1 && document.begin()->is_array() &&
                     (document.contains("outputs") || document.contains("labels"));
    if (!one) return malformed(source, R"(is neither {"outputs": [[..]]} nor {"labels": [..]})");
    Rows rows(source, count);
    const auto& list = *document.begin();
    for (std::size_t row = 0; row < list.size(); ++row) {
        if (document.contains("outputs")) {
            MODELSEAL_TRY(add_json_row(source, rows, row, list[row]));
        } else if (list[row].is_number_integer()) {
            MODELSEAL_TRY(rows.add_label(row, list[row].get<std::int64_t>()));
        } else {
            return malformed(source, fmt::format("label {} is not a whole number", row + 1));
        }
    }
    return std::move(rows).take();
}

// The next field of a line, without spaces around it.
std::string_view next_field(std::string_view& line) {
    const auto comma = std::min(line.find(','), line.size());
    auto field = line.substr(0, comma);
    line.remove_prefix(std::min(comma + 1, line.size()));
    while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
    while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
    return field;
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
    const auto [stopped, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() && stopped == text.data() + text.size();
}

// "0001.png" or "1": which input it is, from 0.
bool read_input(std::string_view field, std::size_t& row) {
    if (field.ends_with(".png")) field.remove_suffix(4);
    if (!read_number(field, row) || row == 0) return false;
    --row;
    return true;
}

Result<void> add_line(const Source& source, Rows& rows, std::size_t number, std::string_view line) {
    const bool no_values = line.find(',') == std::string_view::npos;
    const auto fields = static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
    const auto problem = [&](const char* what) {
        return malformed(source, fmt::format("line {}: {}", number, what));
    };
    std::size_t row = 0;
    if (!read_input(next_field(line), row)) return problem("does not begin with the number of an input");
    if (no_values) return problem("has no answer");
    if (fields == 1) {
        std::int64_t label = 0;
        if (!read_number(next_field(line), label)) return problem("its label is not a whole number");
        return rows.add_label(row, label);
    }
    std::vector<double> outputs(fields);
    for (auto& value : outputs) {
        if (!read_number(next_field(line), value)) return problem("has an output that is not a number");
    }
    return rows.add_outputs(row, outputs);
}

Result<Answers> parse_lines(const Source& source, std::size_t count) {
    MODELSEAL_TRY_ASSIGN(const auto text, text_of(source));
    Rows rows(source, count);
    std::size_t number = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        ++number;
        // A heading is the first line if it does not begin like an answer.
        const bool heading = number == 1 && !line.empty() && (line[0] < '0' || line[0] > '9');
        if (line.empty() || heading) continue;
        MODELSEAL_TRY(add_line(source, rows, number, line));
    }
    return std::move(rows).take();
}

}  // namespace

Result<Answers> parse_responses(const Source& source, std::size_t count) {
    if (source.name().ends_with(".npy")) return parse_array(source, count);
    if (source.name().ends_with(".json")) return parse_document(source, count);
    return parse_lines(source, count);
}

Result<Answers> read_responses(const std::filesystem::path& folder, std::size_t count) {
    std::filesystem::path found;
    std::error_code ignored;
    for (const char* name : kNames) {
        if (!std::filesystem::exists(folder / name, ignored)) continue;
        if (!found.empty()) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: holds both {} and {}", formats::printable(folder.string()),
                                     found.filename().string(), name),
                         "leave the one with the answers"};
        }
        found = folder / name;
    }
    if (found.empty()) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: no answers: neither responses.npy nor responses.json nor responses.csv",
                                 formats::printable(folder.string())),
                     "the README.txt of the challenge tells how to write them"};
    }
    MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(found, found.string()));
    return parse_responses(*source, count);
}

}  // namespace modelseal::oracle
