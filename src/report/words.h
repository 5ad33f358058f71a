// Small things that every answer says the same way: numbers, sizes, shapes, ranges, chances, colors, tables.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/report.h"
#include "util/text.h"
#include <modelseal/report.h>

namespace modelseal::report {

using util::counted, util::grouped;

std::string byte_size(std::uint64_t bytes);                    // "1.1 MB", powers of 1,000
std::string percent(double ratio);                             // "48.3 %"
std::string shape_text(std::span<const std::uint64_t> shape);  // "[16, 3, 3]"; a scalar is "[]"
// "at most 1 in 250 billion", "at most 1 in 10^17", "at most 5.0 %": rounded up, never below `chance`, 0..1.
std::string chance_text(double chance);

// "a change of 1 % in 75.2 % of 268,336 weights, one at a time".
std::string coverage_text(double change, std::uint64_t noticed, std::uint64_t weights);

// Text for JSON: well-formed UTF-8 as it is, anything else as util::printable() shows it.
std::string json_text(std::string_view text);

// Product of the shape; saturates.
std::uint64_t elements_of(std::span<const std::uint64_t> shape);

// Ranges with neighbors and overlaps joined, ascending.
std::vector<TensorFinding::Range> joined(std::vector<TensorFinding::Range> ranges);
// "0-8191, 16384-24575"; cut to `columns` with "and 3 more" (0: never); at least one range is shown.
std::string ranges_text(std::span<const TensorFinding::Range> ranges, std::size_t columns);

// As in the JSON of `check`.
std::string_view word(Verdict verdict);
std::string_view word(CheckKind kind);
std::string_view word(ErrorKind kind);
std::string_view word(SealFinding::Outcome outcome);
std::string_view word(SealFinding::Cause cause);  // "lost-manifest"
std::string_view word(TensorFinding::Outcome outcome);
std::string_view word(FileFinding::Outcome outcome);
std::string_view word(FingerprintFinding::Outcome outcome);    // "other-runtime"
std::string_view word(FingerprintFinding::Decision decision);  // empty for none
std::string_view word(SignatureFinding::Outcome outcome);
std::string_view word(MissingCheck::Outcome outcome);

// What a text means to its reader; the terminal and the page choose the colors.
enum class Tone { plain, strong, faint, good, bad, doubtful };
// With the tone's color on a terminal, if `style` asks for color.
std::string paint(const TextStyle& style, Tone tone, std::string_view text);

// Columns on a terminal: one a code point, which is right for all but wide and combining characters.
std::size_t columns_of(std::string_view text);

// Rows with aligned columns, two spaces between. The last column is not padded. A cell wider than `cap` does
// not widen its column.
class Table {
  public:
    enum class Align { left, right };
    explicit Table(std::vector<Align> columns, std::size_t cap = 48)
        : columns_(std::move(columns)), cap_(cap) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }
    // Columns that are left for the last one on a line of `style.width`; 0 if there is no limit.
    std::size_t room_for_last(std::string_view indent, const TextStyle& style) const;
    // Each line begins with `indent`; the first row is a heading, dimmed.
    std::string text(std::string_view indent, const TextStyle& style) const;

  private:
    std::vector<std::size_t> widths() const;
    std::vector<Align> columns_;
    std::size_t cap_;
    std::vector<std::vector<std::string>> rows_;
};

// Labels and values in two columns, one a line; both are ready to be printed.
std::string aligned(std::span<const std::pair<std::string, std::string>> rows, std::string_view indent);

// "... and 15 more", as the last line of a list that was cut.
std::string cut_text(std::size_t more, std::string_view indent, const TextStyle& style);

}  // namespace modelseal::report
