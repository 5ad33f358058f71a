#include "report/words.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "util/checked.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();

std::string range_text(const TensorFinding::Range& range) {
    if (range.count <= 1) return fmt::format("{}", range.first);
    return fmt::format("{}-{}", range.first, range.first + (range.count - 1));
}

}  // namespace

std::string byte_size(std::uint64_t bytes) {
    if (bytes < 1000) return fmt::format("{} B", bytes);
    constexpr std::string_view kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    auto size = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    // 999.95 would be shown as 1000.0
    for (; size >= 999.95 && unit + 1 < std::size(kUnits); ++unit) size /= 1000;
    return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string percent(double ratio) {
    const auto shown = fmt::format("{:.1f} %", ratio * 100);
    return shown == "0.0 %" && ratio > 0 ? "<0.1 %" : shown;
}

std::string shape_text(std::span<const std::uint64_t> shape) {
    return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

std::string chance_text(double chance) {
    constexpr double kPercents = 0.01, kPowers = 1e-15;
    if (!(chance < kPercents)) return fmt::format("at most {:.1f} %", std::ceil(chance * 1000) / 10);
    if (chance <= 0) return "0";
    const double one_in = 1 / chance;
    const double decade = std::pow(10.0, std::floor(std::log10(one_in)));
    if (chance < kPowers) return fmt::format("at most 1 in 10^{:.0f}", std::floor(std::log10(one_in)));
    // Two digits; a little more, since a power of ten is not always one after the division.
    const auto rounded = std::floor(one_in / decade * 10 + 1e-9) * decade / 10;
    constexpr std::pair<double, std::string_view> kUnits[] = {
        {1e12, " trillion"}, {1e9, " billion"}, {1e6, " million"}};
    for (const auto& [unit, name] : kUnits) {
        if (rounded >= unit) return fmt::format("at most 1 in {:.3g}{}", rounded / unit, name);
    }
    return "at most 1 in " + grouped(static_cast<std::uint64_t>(rounded));
}

std::string coverage_text(double change, std::uint64_t noticed, std::uint64_t weights) {
    const double share = weights == 0 ? 0 : static_cast<double>(noticed) / static_cast<double>(weights);
    return fmt::format("a change of {:g} % in {} of {}, one at a time", 100 * change, percent(share),
                       counted(weights, "weight"));
}

std::string json_text(std::string_view text) {
    std::string copy(text);
    // json::dump throws for ill-formed UTF-8 and is the one who knows.
    try {
        (void)nlohmann::json(copy).dump();
        return copy;
    } catch (const nlohmann::json::exception&) {
        return util::printable(text);
    }
}

std::uint64_t elements_of(std::span<const std::uint64_t> shape) {
    std::uint64_t elements = 0;
    return util::element_count(shape, elements) ? elements : kMax;
}

std::vector<TensorFinding::Range> joined(std::vector<TensorFinding::Range> ranges) {
    std::ranges::sort(ranges, {}, &TensorFinding::Range::first);
    std::vector<TensorFinding::Range> out;
    for (const auto& range : ranges) {
        const auto count = std::min(range.count, kMax - range.first);
        if (!out.empty() && range.first <= out.back().first + out.back().count) {
            auto& last = out.back();
            last.count = std::max(last.count, range.first + count - last.first);
        } else {
            out.push_back({range.first, count});
        }
    }
    return out;
}

std::string ranges_text(std::span<const TensorFinding::Range> ranges, std::size_t columns) {
    std::string out;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const auto next = fmt::format("{}{}", i == 0 ? "" : ", ", range_text(ranges[i]));
        const auto rest =
            i + 1 == ranges.size() ? std::string() : fmt::format(" and {} more", ranges.size() - i - 1);
        if (i > 0 && columns != 0 && out.size() + next.size() + rest.size() > columns) {
            return out + fmt::format(" and {} more", ranges.size() - i);
        }
        out += next;
    }
    return out;
}

std::string_view word(Verdict verdict) {
    switch (verdict) {
        case Verdict::intact:
            return "intact";
        case Verdict::tampered:
            return "tampered";
        case Verdict::unexpected:
            return "unexpected";
        case Verdict::unsealed:
            return "unsealed";
        case Verdict::partial:
            return "partial";
        case Verdict::error:
            break;
    }
    return "error";
}

std::string_view word(SealFinding::Outcome outcome) {
    switch (outcome) {
        case SealFinding::Outcome::intact:
            return "intact";
        case SealFinding::Outcome::tampered:
            return "tampered";
        case SealFinding::Outcome::unexpected:
            return "unexpected";
        case SealFinding::Outcome::not_found:
            return "not-found";
        case SealFinding::Outcome::partial:
            return "partial";
        case SealFinding::Outcome::error:
            break;
    }
    return "error";
}

std::string_view word(SealFinding::Cause cause) {
    using enum SealFinding::Cause;
    switch (cause) {
        case lost_manifest:
            return "lost-manifest";
        case signature:
            return "signature";
        case added_files:
            return "added-files";
        case tensor_list:
            return "tensor-list";
        case weights:
            return "weights";
        case names:
            return "names";
        case frame:
            return "frame";
        case stamp:
            return "stamp";
        case none:
            break;
    }
    return "none";
}

std::string_view word(TensorFinding::Outcome outcome) {
    switch (outcome) {
        case TensorFinding::Outcome::intact:
            return "intact";
        case TensorFinding::Outcome::changed:
            return "changed";
        case TensorFinding::Outcome::missing:
            return "missing";
        case TensorFinding::Outcome::added:
            break;
    }
    return "added";
}

std::string_view word(CheckKind kind) {
    switch (kind) {
        case CheckKind::seal:
            return "seal";
        case CheckKind::fingerprint:
            return "fingerprint";
        case CheckKind::signature:
            break;
    }
    return "signature";
}

std::string_view word(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::unreadable:
            return "unreadable";
        case ErrorKind::malformed:
            return "malformed";
        case ErrorKind::unsupported:
            return "unsupported";
        case ErrorKind::mismatch:
            return "mismatch";
        case ErrorKind::internal:
            break;
    }
    return "internal";
}

std::string_view word(FileFinding::Outcome outcome) {
    switch (outcome) {
        case FileFinding::Outcome::changed:
            return "changed";
        case FileFinding::Outcome::missing:
            return "missing";
        case FileFinding::Outcome::added:
            break;
    }
    return "added";
}

std::string_view word(FingerprintFinding::Outcome outcome) {
    switch (outcome) {
        case FingerprintFinding::Outcome::intact:
            return "intact";
        case FingerprintFinding::Outcome::other_runtime:
            return "other-runtime";
        case FingerprintFinding::Outcome::tampered:
            return "tampered";
        case FingerprintFinding::Outcome::inconclusive:
            return "inconclusive";
        case FingerprintFinding::Outcome::error:
            break;
    }
    return "error";
}

std::string_view word(FingerprintFinding::Decision decision) {
    switch (decision) {
        case FingerprintFinding::Decision::flips:
            return "flips";
        case FingerprintFinding::Decision::shifts:
            return "shifts";
        case FingerprintFinding::Decision::drift:
            return "drift";
        case FingerprintFinding::Decision::exact:
            return "exact";
        case FingerprintFinding::Decision::none:
            break;
    }
    return {};
}

std::string_view word(SignatureFinding::Outcome outcome) {
    switch (outcome) {
        case SignatureFinding::Outcome::valid:
            return "valid";
        case SignatureFinding::Outcome::invalid:
            return "invalid";
        case SignatureFinding::Outcome::partial:
            return "partial";
        case SignatureFinding::Outcome::error:
            break;
    }
    return "error";
}

std::string_view word(MissingCheck::Outcome outcome) {
    return outcome == MissingCheck::Outcome::not_run ? "not-run" : "not-found";
}

std::string paint(const TextStyle& style, Tone tone, std::string_view text) {
    constexpr std::string_view kCodes[] = {"", "1", "2", "32", "31", "33"};  // in the order of Tone
    if (!style.color || tone == Tone::plain || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(tone)], text);
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto columns = columns_of(row[i]);
            if (columns <= cap_) widths[i] = std::max(widths[i], columns);
        }
    }
    return widths;
}

std::size_t Table::room_for_last(std::string_view indent, const TextStyle& style) const {
    constexpr std::size_t kLeast = 20;  // a range or two; a narrower terminal wraps the line
    if (style.all || style.width == 0) return 0;
    const auto all = widths();
    auto used = indent.size();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) used += all[i] + 2;
    return style.width > used + kLeast ? style.width - used : kLeast;
}

std::string Table::text(std::string_view indent, const TextStyle& style) const {
    const auto all = widths();
    std::string out;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        std::string line;
        for (std::size_t i = 0; i < rows_[row].size(); ++i) {
            const auto& cell = rows_[row][i];
            const auto columns = columns_of(cell);
            const std::string fill(columns < all[i] ? all[i] - columns : 0, ' ');
            if (i > 0) line += "  ";
            line += columns_[i] == Align::right ? fill + cell : i + 1 == rows_[row].size() ? cell : cell + fill;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += fmt::format("{}{}\n", indent, row == 0 ? paint(style, Tone::faint, line) : line);
    }
    return out;
}

std::string aligned(std::span<const std::pair<std::string, std::string>> rows, std::string_view indent) {
    std::size_t widest = 0;
    for (const auto& [label, value] : rows) widest = std::max(widest, columns_of(label));
    std::string out;
    for (const auto& [label, value] : rows)
        out += fmt::format("{}{}{}  {}\n", indent, label, std::string(widest - columns_of(label), ' '), value);
    return out;
}

std::string cut_text(std::size_t more, std::string_view indent, const TextStyle& style) {
    const auto text = fmt::format("{}... and {} more{}", indent, grouped(more),
                                  style.rest.empty() ? "" : fmt::format(" ({})", style.rest));
    return paint(style, Tone::faint, text) + "\n";
}

}  // namespace modelseal::report
