#include "oracle/json_text.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "formats/json.h"
#include "formats/reader.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

constexpr std::uint32_t kMaxDepth = 16;
constexpr std::size_t kMaxComplaint = 300;

bool has_bare_words(std::string_view text) {
    return text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos;
}

std::string without_bare_words(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    bool quoted = false;
    for (std::size_t i = 0; i < text.size();) {
        const auto rest = text.substr(i);
        std::size_t word = 0;
        if (!quoted) {
            for (const std::string_view bare : {"NaN", "-Infinity", "Infinity"}) {
                if (rest.starts_with(bare)) word = bare.size();
            }
        }
        if (word != 0) {
            plain += "null";
            i += word;
            continue;
        }
        if (quoted && text[i] == '\\' && rest.size() > 1)
            plain += text[i++];
        else if (text[i] == '"')
            quoted = !quoted;
        plain += text[i++];
    }
    return plain;
}

}  // namespace

Result<nlohmann::json> parse_answer(std::string_view text, const std::string& source, std::string_view what) {
    std::string plain;
    if (has_bare_words(text)) text = plain = without_bare_words(text);
    const formats::MemorySource bytes(source, std::as_bytes(std::span(text.data(), text.size())));
    return formats::parse_json(bytes, 0, text, what, kMaxDepth);
}

std::string complaint_of(std::string_view body) {
    std::string said(body.substr(0, kMaxComplaint));
    if (const auto parsed = parse_answer(body.substr(0, 1u << 20), "", "");
        parsed.ok() && parsed->is_object()) {
        const auto error = parsed->find("error");
        if (error != parsed->end() && error->is_string()) said = error->get<std::string>();
    }
    const bool cut = said.size() > kMaxComplaint || body.size() > (1u << 20);
    if (said.size() > kMaxComplaint) said.resize(kMaxComplaint);
    while (!said.empty() && (said.back() == '\n' || said.back() == '\r')) said.pop_back();
    return util::printable(said) + (cut ? "..." : "");
}

void append_numbers(std::string& text, std::span<const float> values) {
    char buffer[32];
    text += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i != 0) text += ',';
        if (std::isfinite(values[i])) {
            text.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, values[i]).ptr);
        } else {
            text += std::isnan(values[i]) ? "NaN" : values[i] > 0 ? "Infinity" : "-Infinity";
        }
    }
    text += ']';
}

void append_nested(std::string& text, std::span<const float> values, std::span<const std::int64_t> shape) {
    if (shape.size() <= 1) return append_numbers(text, values);
    const auto part = values.size() / static_cast<std::size_t>(shape[0]);
    text += '[';
    for (std::size_t at = 0; at < values.size(); at += part) {
        if (at != 0) text += ',';
        append_nested(text, values.subspan(at, part), shape.subspan(1));
    }
    text += ']';
}

const nlohmann::json* member(const nlohmann::json& object, const char* key,
                             bool (nlohmann::json::*is)() const noexcept) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found != object.end() && ((*found).*is)() ? &*found : nullptr;
}

std::optional<std::int64_t> extent_of(const nlohmann::json& value) {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    std::int64_t extent = 0;
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), extent);
        if (text.empty() || code != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    } else if (value.is_number_integer() && value <= kMost) {
        extent = value.get<std::int64_t>();
    } else {
        return std::nullopt;
    }
    return extent >= -1 && extent <= kMost ? std::optional(extent) : std::nullopt;
}

std::string dump(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace modelseal::oracle
