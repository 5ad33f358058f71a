// Reads the members of JSON objects from anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/policy.h"
#include "report/words.h"

namespace modelseal::report {

// Those of one object. A value whose member is missing or null is left as it is. The name of the first member of another type, in
// whichever object, is left in `wrong`: a reader looks at it once, at the end. Both must outlive this.
class Members {
  public:
    Members(const nlohmann::ordered_json& object, std::string& wrong) : object_(object), wrong_(wrong) {
        if (!object.is_object() && wrong_.empty()) wrong_ = "an entry of a list";
    }

    const nlohmann::ordered_json* find(const char* key) const {
        if (!object_.is_object()) return nullptr;
        const auto found = object_.find(key);
        return found == object_.end() || found->is_null() ? nullptr : &*found;
    }
    bool has(const char* key) const { return find(key) != nullptr; }

    void read(const char* key, std::string& value) { take(key, &nlohmann::ordered_json::is_string, value); }
    void read(const char* key, bool& value) { take(key, &nlohmann::ordered_json::is_boolean, value); }
    void read(const char* key, double& value) { take(key, &nlohmann::ordered_json::is_number, value); }
    void read(const char* key, std::uint64_t& value) {
        take(key, &nlohmann::ordered_json::is_number_unsigned, value);
    }
    void read(const char* key, std::optional<double>& value) {
        double number = 0;
        read(key, number);
        if (has(key)) value = number;
    }
    // One of `all`, by its word.
    template <class Value, std::size_t Count>
    void read(const char* key, Value& value, const std::array<Value, Count>& all) {
        std::string text;
        read(key, text);
        for (const auto one : all) {
            if (word(one) == text) {
                value = one;
                return;
            }
        }
        if (has(key)) complain(key);
    }
    // Calls each(member) for those of a list.
    void each(const char* key, const auto& each) {
        const auto* list = find(key);
        if (list == nullptr) return;
        if (!list->is_array()) return complain(key);
        for (const auto& member : *list) each(member);
    }
    void read(const char* key, std::vector<std::string>& texts) {
        each(key, [&](const nlohmann::ordered_json& text) {
            if (!text.is_string()) return complain(key);
            texts.push_back(text.get<std::string>());
        });
    }
    void complain(const char* what) {
        if (wrong_.empty()) wrong_ = "'" + std::string(what) + "'";
    }
    std::string& wrong() { return wrong_; }

  private:
    void take(const char* key, bool (nlohmann::ordered_json::*is_right)() const, auto& value) {
        const auto* member = find(key);
        if (member == nullptr) return;
        if (!(member->*is_right)()) return complain(key);
        member->get_to(value);
    }

    const nlohmann::ordered_json& object_;
    std::string& wrong_;
};

}  // namespace modelseal::report
