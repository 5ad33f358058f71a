#include "report/words.h"

#include <algorithm>
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

const std::string* stamp_value(const SealFinding& seal, std::string_view key) {
    const auto found = std::ranges::find(seal.stamp, key, [](const auto& fact) { return fact.first; });
    return found == seal.stamp.end() ? nullptr : &found->second;
}

}  // namespace

std::string grouped(std::uint64_t number) {
    const auto digits = fmt::format("{}", number);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

std::string counted(std::uint64_t number, std::string_view noun) {
    return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

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
        case Verdict::unsealed:
            return "unsealed";
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
        case SealFinding::Outcome::not_found:
            return "not-found";
        case SealFinding::Outcome::error:
            break;
    }
    return "error";
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

std::string_view word(MissingCheck::Outcome outcome) {
    return outcome == MissingCheck::Outcome::not_run ? "not-run" : "not-found";
}

std::string missing_text(const MissingCheck& missing) {
    return fmt::format("{} not checked, {}", word(missing.kind), util::printable(missing.detail));
}

bool is_failure(const CheckReport& check) {
    return !check.seal && !check.fingerprint && !check.signature && check.missing.empty();
}

bool covers_frame(const SealFinding& seal) {
    return seal.scheme != "deepisign";
}

Counts count_findings(const SealFinding& seal) {
    Counts counts;
    for (const auto& tensor : seal.tensors) {
        counts.changed += tensor.outcome == TensorFinding::Outcome::changed;
        counts.missing += tensor.outcome == TensorFinding::Outcome::missing;
        counts.added += tensor.outcome == TensorFinding::Outcome::added;
    }
    return counts;
}

std::string findings_text(const SealFinding& seal) {
    const auto counts = count_findings(seal);
    std::vector<std::string> parts;
    if (counts.changed > 0) {
        parts.push_back(
            fmt::format("{} of {} changed", grouped(counts.changed), counted(seal.tensors_total, "tensor")));
    }
    const auto others = [&](std::uint64_t count, std::string_view what) {
        if (count == 0) return;
        parts.push_back(parts.empty() ? fmt::format("{} {}", counted(count, "tensor"), what)
                                      : fmt::format("{} {}", grouped(count), what));
    };
    others(counts.missing, "missing");
    others(counts.added, "added");
    if (!seal.frame_intact) parts.emplace_back("frame changed");
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string detail_text(const SealFinding& seal) {
    const auto counted_there =
        fmt::format("{} of {} tensors changed", count_findings(seal).changed, seal.tensors_total);
    const bool counts_only =
        seal.detail.starts_with(counted_there) && seal.detail.find(';') == std::string::npos;
    return counts_only ? std::string() : seal.detail;
}

std::string stamp_text(const SealFinding& seal) {
    std::string out = seal.stamp_authentic ? "sealed" : "says, without a valid signature, that it was sealed";
    const auto nothing = out;
    const auto say = [&](std::string_view before, const std::string* value) {
        if (value != nullptr && !value->empty()) out += fmt::format("{}{}", before, util::printable(*value));
    };
    const auto* name = stamp_value(seal, "name");
    const auto* version = stamp_value(seal, "version");
    say(" as ", name);
    say(name != nullptr ? " " : " as version ", version);
    say(" for ", stamp_value(seal, "customer"));
    say(" by key ", &seal.vendor_key);
    return out == nothing ? std::string() : out;
}

std::string paint(const TextStyle& style, Ink ink, std::string_view text) {
    constexpr std::string_view kCodes[] = {"", "1", "2", "1;31", "32", "33"};
    if (!style.color || ink == Ink::plain || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(ink)], text);
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

std::size_t Table::width_before_last() const {
    const auto all = widths();
    std::size_t sum = 0;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) sum += all[i] + 2;
    return sum;
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
        out += fmt::format("{}{}\n", indent, row == 0 ? paint(style, Ink::dim, line) : line);
    }
    return out;
}

}  // namespace modelseal::report
