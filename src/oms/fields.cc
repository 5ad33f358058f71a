#include "oms/fields.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "formats/json.h"
#include "formats/reader.h"
#include "util/encodings.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::uint32_t kMaxDepth = 32;
constexpr double kMaxWholeDouble = 9007199254740992.0;  // 2^53: above it not every integer is a double

std::optional<std::uint64_t> whole(const nlohmann::json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        const bool exact = number >= 0 && number <= kMaxWholeDouble &&
                           number == static_cast<double>(static_cast<std::uint64_t>(number));
        return exact ? std::optional(static_cast<std::uint64_t>(number)) : std::nullopt;
    }
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = code == std::errc() && end == text.data() + text.size() && fmt::to_string(number) == text;
    return good ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<nlohmann::json> parse_document(std::string_view text, const std::string& shown, std::string_view what) {
    const formats::MemorySource source(shown, std::as_bytes(std::span(text)));
    return formats::parse_json(source, 0, text, what, kMaxDepth);
}

Result<Fields> Fields::of(const nlohmann::json& value, std::string where) {
    if (!value.is_object()) return Error{ErrorKind::malformed, where + " is not an object", {}};
    return Fields(value, std::move(where));
}

Error Fields::malformed(const std::string& what) const {
    return util::malformed(where_, what);
}

const nlohmann::json* Fields::find(const std::string& key) const {
    const auto found = value_->find(key);
    return found == value_->end() ? nullptr : &*found;
}

Result<void> Fields::only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : value_->items()) {
        if (std::ranges::find(keys, key) == keys.end()) {
            return malformed(fmt::format("unknown key '{}'", util::printable(key)));
        }
    }
    return {};
}

Result<const nlohmann::json*> Fields::need(const std::string& key) const {
    if (const auto* value = find(key)) return value;
    return malformed(fmt::format("'{}' is missing", key));
}

Result<Fields> Fields::object(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto* value, need(key));
    return of(*value, fmt::format("{}.{}", where_, key));
}

Result<const nlohmann::json*> Fields::list(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto* value, need(key));
    if (!value->is_array()) return malformed(fmt::format("'{}' is not a list", key));
    return value;
}

Result<std::string> Fields::text(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto* value, need(key));
    if (!value->is_string()) return malformed(fmt::format("'{}' is not a string", key));
    return value->get<std::string>();
}

Result<bool> Fields::flag(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto* value, need(key));
    if (!value->is_boolean()) return malformed(fmt::format("'{}' is neither true nor false", key));
    return value->get<bool>();
}

Result<std::vector<std::byte>> Fields::bytes(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto value, text(key));
    if (auto decoded = util::from_base64(value)) return std::move(*decoded);
    return malformed(fmt::format("'{}' is not base64", key));
}

Result<std::vector<std::byte>> Fields::digest(const std::string& key, std::size_t size) const {
    MODELSEAL_TRY_ASSIGN(const auto value, text(key));
    auto decoded = util::from_hex(value);
    if (decoded && decoded->size() == size) return std::move(*decoded);
    return malformed(
        fmt::format("'{}' is not {} in lower-case hexadecimal digits", key, util::counted(size, "byte")));
}

Result<std::uint64_t> Fields::number(const std::string& key) const {
    MODELSEAL_TRY_ASSIGN(const auto* value, need(key));
    if (const auto number = whole(*value)) return *number;
    return malformed(fmt::format("'{}' is not a whole number", key));
}

}  // namespace modelseal::oms
