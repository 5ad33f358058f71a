// Small things that every answer says the same way: numbers, sizes, shapes, ranges, names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"
#include "util/text.h"
#include <modelseal/report.h>

namespace modelseal::report {

std::string grouped(std::uint64_t number);                         // "1,234,567"
std::string counted(std::uint64_t number, std::string_view noun);  // "1 tensor", "1,200 tensors"
std::string byte_size(std::uint64_t bytes);                        // "1.1 MB", powers of 1,000
std::string percent(double ratio);                                 // "48.3 %"
std::string shape_text(std::span<const std::uint64_t> shape);      // "[16, 3, 3]"; a scalar is "[]"

// Text for JSON: well-formed UTF-8 as it is, anything else as util::printable() shows it.
std::string json_text(std::string_view text);

// Product of the shape; saturates.
std::uint64_t elements_of(std::span<const std::uint64_t> shape);

// Ranges with neighbours and overlaps joined, ascending.
std::vector<TensorFinding::Range> joined(std::vector<TensorFinding::Range> ranges);
// "0-8191, 16384-24575"; cut to `columns` with "and 3 more" (0: never); at least one range is shown.
std::string ranges_text(std::span<const TensorFinding::Range> ranges, std::size_t columns);

std::string_view word(Verdict verdict);  // as in the JSON of `check`
std::string_view word(SealFinding::Outcome outcome);
std::string_view word(TensorFinding::Outcome outcome);
std::string_view word(CheckKind kind);
std::string_view word(MissingCheck::Outcome outcome);

// "signature not checked, no signature found next to it"
std::string missing_text(const MissingCheck& missing);
// Why a target could not be checked at all: no kind of check can report it.
bool is_failure(const CheckReport& check);

// Whether the scheme covers what is not a tensor; the published one does not.
bool covers_frame(const SealFinding& seal);

// How many tensors are not intact, by outcome.
struct Counts {
    std::uint64_t changed = 0, missing = 0, added = 0;
    std::uint64_t all() const { return changed + missing + added; }
};
Counts count_findings(const SealFinding& seal);
// "2 of 65 tensors changed, 1 missing, frame changed"; empty if nothing of this was found.
std::string findings_text(const SealFinding& seal);
// The sentence of the check, unless it only counts what findings_text() counts.
std::string detail_text(const SealFinding& seal);
// "sealed as resnet20 3.1 for acme by key 1a2b3c"; what the stamp does not say is left out, and a stamp that is
// not authentic is called so.
std::string stamp_text(const SealFinding& seal);

enum class Ink { plain, bold, dim, red, green, yellow };
std::string paint(const TextStyle& style, Ink ink, std::string_view text);

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
    std::size_t width_before_last() const;  // where the last column starts
    // Each line begins with `indent`; the first row is a heading, dimmed.
    std::string text(std::string_view indent, const TextStyle& style) const;

  private:
    std::vector<std::size_t> widths() const;
    std::vector<Align> columns_;
    std::size_t cap_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace modelseal::report
