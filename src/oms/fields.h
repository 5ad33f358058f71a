// The members of a JSON object in a signature, read by name, with messages that name the path of a wrong one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <modelseal/result.h>

namespace modelseal::oms {

class Fields {
  public:
    // ErrorKind::malformed unless `value` is an object. `where` begins every message: "model.sig:
    // dsseEnvelope". `value` must outlive this.
    static Result<Fields> of(const nlohmann::json& value, std::string where);

    const std::string& where() const { return where_; }
    // Null if there is none.
    const nlohmann::json* find(const std::string& key) const;
    // Refuses any other key.
    Result<void> only(std::initializer_list<std::string_view> keys) const;

    Result<const nlohmann::json*> need(const std::string& key) const;
    Result<Fields> object(const std::string& key) const;
    Result<const nlohmann::json*> list(const std::string& key) const;
    Result<std::string> text(const std::string& key) const;
    Result<bool> flag(const std::string& key) const;
    // A string in base64; accepts only the canonical spelling.
    Result<std::vector<std::byte>> bytes(const std::string& key) const;
    // Lower-case hexadecimal digits of exactly `size` bytes.
    Result<std::vector<std::byte>> digest(const std::string& key, std::size_t size) const;
    // A non-negative integer: 8, 8.0, or, as protobuf writes 64 bits, "8".
    Result<std::uint64_t> number(const std::string& key) const;

    Error malformed(const std::string& what) const;

  private:
    Fields(const nlohmann::json& value, std::string where) : value_(&value), where_(std::move(where)) {}
    const nlohmann::json* value_;
    std::string where_;
};

// Parses an object in strict JSON; `shown` is its name in messages.
Result<nlohmann::json> parse_document(std::string_view text, const std::string& shown, std::string_view what);

}  // namespace modelseal::oms
