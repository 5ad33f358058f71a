
#include "oracle/protocols/responses.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "formats/json.h"
#include "formats/npy.h"
#include "io/file.h"
#include "oracle/precision.h"
#include "util/byte_order_mark.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

constexpr const char* kNames[] = {"responses.npy", "responses.json", "responses.csv"};
// Of text: so many for each number, blanks and brackets included, and for all that is around them.
constexpr std::uint64_t kMostNumber = 64, kMostAround = 64u << 10;

// Rows as they come by, each put at its place.
class Rows {
  public:
    Rows(const Source& source, std::size_t count, std::size_t classes)
        : source_(source), classes_(classes), given_(count, false) {
        answers_.count = count;
    }

    // Call before the outputs of a row are read, because they take memory.
    Result<void> allow_outputs(std::size_t row, std::size_t outputs) const {
        if (outputs == classes_) return {};
        return util::malformed(source_.name(),
                               fmt::format("answer {} has {}, but the model has {}", row + 1,
                                           util::counted(outputs, "output"), util::counted(classes_, "class")));
    }

    Result<void> add_outputs(std::size_t row, std::span<const double> outputs) {
        MODELSEAL_TRY(once(row));
        MODELSEAL_TRY(allow_outputs(row, outputs.size()));
        if (!answers_.labels.empty()) return mixed();
        answers_.classes = classes_;
        answers_.values.resize(given_.size() * classes_);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const auto value = static_cast<float>(outputs[i]);
            if (!std::isfinite(value)) {
                return util::malformed(source_.name(),
                                       fmt::format("answer {}: output {} is {}", row + 1, i + 1, outputs[i]));
            }
            answers_.values[row * answers_.classes + i] = value;
        }
        return {};
    }

    Result<void> add_label(std::size_t row, std::int64_t label) {
        MODELSEAL_TRY(once(row));
        if (!answers_.values.empty()) return mixed();
        if (label < 0)
            return util::malformed(source_.name(),
                                   fmt::format("answer {}: the label {} is out of range", row + 1, label));
        answers_.labels.resize(given_.size());
        answers_.labels[row] = label;
        return {};
    }

    Result<Answers> take() && {
        for (std::size_t row = 0; row < given_.size(); ++row) {
            if (!given_[row]) {
                return util::malformed(source_.name(),
                                       fmt::format("answer {} of {} is missing", row + 1, given_.size()));
            }
        }
        note_precision(answers_);
        return std::move(answers_);
    }

  private:
    Result<void> once(std::size_t row) {
        if (row >= given_.size()) {
            return util::malformed(source_.name(), fmt::format("answer {}, but the challenge has {}", row + 1,
                                                               util::counted(given_.size(), "input")));
        }
        if (given_[row])
            return util::malformed(source_.name(), fmt::format("answer {} is given twice", row + 1));
        given_[row] = true;
        return {};
    }
    Error mixed() const { return util::malformed(source_.name(), "some answers are labels, others are not"); }
    const Source& source_;
    std::size_t classes_;
    Answers answers_;
    std::vector<bool> given_;
};

Result<Answers> parse_array(const Source& source, std::size_t count, std::size_t classes) {
    MODELSEAL_TRY_ASSIGN(const auto array, formats::parse_npy(source));
    const bool labels = array.kind == formats::NpyArray::Kind::integer;
    const bool shaped = array.shape.size() == (labels ? 1u : 2u) && array.shape[0] == count;
    if (!shaped) {
        return util::malformed(
            source.name(),
            fmt::format("the array has the shape [{}]; for the {} of the challenge it must be {}",
                        fmt::join(array.shape, ", "), util::counted(count, "input"),
                        labels ? fmt::format("[{}]", count) : fmt::format("[{}, classes]", count)));
    }
    Rows rows(source, count, classes);
    if (labels) {
        MODELSEAL_TRY_ASSIGN(const auto values, formats::read_npy_integers(source, array));
        for (std::size_t i = 0; i < count; ++i) MODELSEAL_TRY(rows.add_label(i, values[i]));
        return std::move(rows).take();
    }
    MODELSEAL_TRY(rows.allow_outputs(0, array.shape[1]));
    MODELSEAL_TRY_ASSIGN(const auto values, formats::read_npy_floats(source, array));
    for (std::size_t i = 0; i < count; ++i) {
        MODELSEAL_TRY(rows.add_outputs(i, std::span(values).subspan(i * classes, classes)));
    }
    return std::move(rows).take();
}

Result<std::string> text_of(const Source& source, std::size_t count, std::size_t classes) {
    const auto most = kMostAround + kMostNumber * count * (classes + 1);
    if (source.size() > most) {
        return util::malformed(source.name(), fmt::format("has {}; the answers to {} need at most {}",
                                                          util::counted(source.size(), "byte"),
                                                          util::counted(count, "input"), most));
    }
    std::string text(source.size(), '\0');
    MODELSEAL_TRY(source.read(0, std::as_writable_bytes(std::span(text))));
    // Spreadsheets and editors put a byte order mark first.
    if (text.starts_with(util::kByteOrderMark)) text.erase(0, util::kByteOrderMark.size());
    return text;
}

Result<void> add_json_row(const Source& source, Rows& rows, std::size_t row, const nlohmann::json& item) {
    std::vector<double> outputs;
    if (!item.is_array())
        return util::malformed(source.name(), fmt::format("answer {} is not a list of numbers", row + 1));
    MODELSEAL_TRY(rows.allow_outputs(row, item.size()));
    for (const auto& value : item) {
        if (!value.is_number()) {
            return util::malformed(source.name(), fmt::format("answer {} is not a list of numbers", row + 1));
        }
        outputs.push_back(value.get<double>());
    }
    return rows.add_outputs(row, outputs);
}

Result<Answers> parse_document(const Source& source, std::size_t count, std::size_t classes) {
    MODELSEAL_TRY_ASSIGN(const auto text, text_of(source, count, classes));
    MODELSEAL_TRY_ASSIGN(const auto document, formats::parse_json(source, 0, text, "answers", 4));
    const bool one = document.is_object() && document.size() == 1 && document.begin()->is_array() &&
                     (document.contains("outputs") || document.contains("labels"));
    if (!one) return util::malformed(source.name(), R"(is neither {"outputs": [[..]]} nor {"labels": [..]})");
    Rows rows(source, count, classes);
    const auto& list = *document.begin();
    for (std::size_t row = 0; row < list.size(); ++row) {
        if (document.contains("outputs")) {
            MODELSEAL_TRY(add_json_row(source, rows, row, list[row]));
        } else if (list[row].is_number_integer()) {
            MODELSEAL_TRY(rows.add_label(row, list[row].get<std::int64_t>()));
        } else {
            return util::malformed(source.name(), fmt::format("label {} is not a whole number", row + 1));
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
        return util::malformed(source.name(), fmt::format("line {}: {}", number, what));
    };
    std::size_t row = 0;
    if (!read_input(next_field(line), row)) return problem("does not begin with the number of an input");
    if (no_values) return problem("has no answer");
    if (fields == 1) {
        std::int64_t label = 0;
        if (!read_number(next_field(line), label)) return problem("its label is not a whole number");
        return rows.add_label(row, label);
    }
    MODELSEAL_TRY(rows.allow_outputs(row, fields));
    std::vector<double> outputs(fields);
    for (auto& value : outputs) {
        if (!read_number(next_field(line), value)) return problem("has an output that is not a number");
    }
    return rows.add_outputs(row, outputs);
}

Result<Answers> parse_lines(const Source& source, std::size_t count, std::size_t classes) {
    MODELSEAL_TRY_ASSIGN(const auto text, text_of(source, count, classes));
    Rows rows(source, count, classes);
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

Result<Answers> parse_responses(const Source& source, std::size_t count, std::size_t classes) {
    if (source.name().ends_with(".npy")) return parse_array(source, count, classes);
    if (source.name().ends_with(".json")) return parse_document(source, count, classes);
    return parse_lines(source, count, classes);
}

Result<Answers> read_responses(const std::filesystem::path& folder, std::size_t count, std::size_t classes) {
    std::filesystem::path found;
    std::error_code ignored;
    for (const char* name : kNames) {
        if (!std::filesystem::exists(folder / name, ignored)) continue;
        if (!found.empty()) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: contains both {} and {}", util::printable(folder.string()),
                                     found.filename().string(), name),
                         "delete the one without the answers"};
        }
        found = folder / name;
    }
    if (found.empty()) {
        return Error{
            ErrorKind::unreadable,
            fmt::format("{}: no answers found: responses.npy, responses.json or responses.csv is needed",
                        util::printable(folder.string())),
            "the challenge's README.txt describes these files"};
    }
    MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(found, found.string()));
    return parse_responses(*source, count, classes);
}

}  // namespace modelseal::oracle
