// Every small edit of a JSON document, for tests that nothing in it may be another.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace modelseal::test {

using Pointer = nlohmann::json::json_pointer;
using Visit = std::function<void(const std::string& what, const nlohmann::json& edited)>;

inline std::vector<Pointer> places_in(const nlohmann::json& document) {
    std::vector<Pointer> out;
    const auto flat = document.flatten();
    for (const auto& [path, value] : flat.items()) {
        for (Pointer at(path); !at.empty(); at = at.parent_pointer()) out.push_back(at);
    }
    std::ranges::sort(out, {}, [](const Pointer& each) { return each.to_string(); });
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

// Each place removed, or of every other type. "/a/0 removed", "/a/0 null".
inline void for_each_edit(const nlohmann::json& document, const Visit& visit) {
    using nlohmann::json;
    const std::map<std::string, json> values = {
        {"null", nullptr}, {"true", true},          {"7", 7},
        {"text", "x"},     {"list", json::array()}, {"object", json::object()}};
    for (const auto& place : places_in(document)) {
        auto without = document;
        auto& parent = without[place.parent_pointer()];
        if (parent.is_array()) {
            parent.erase(std::stoul(place.back()));
        } else {
            parent.erase(place.back());
        }
        visit(place.to_string() + " removed", without);
        for (const auto& [name, value] : values) {
            auto other = document;
            other[place] = value;
            if (other != document) visit(place.to_string() + " " + name, other);
        }
    }
}

// Each object with a key more. "/a unknown key".
inline void for_each_unknown_key(const nlohmann::json& document, const Visit& visit) {
    auto places = places_in(document);
    places.emplace_back("");
    for (const auto& place : places) {
        if (!document[place].is_object()) continue;
        auto other = document;
        other[place]["more"] = 1;
        visit(place.to_string() + " unknown key", other);
    }
}

// Each text with a letter or digit exchanged for another one, at up to `most` places of it. "/a at 5".
inline void for_each_letter(const nlohmann::json& document, std::size_t most, const Visit& visit) {
    for (const auto& place : places_in(document)) {
        if (!document[place].is_string()) continue;
        const auto text = document[place].get<std::string>();
        const auto step = std::max<std::size_t>(1, text.size() / most);
        for (std::size_t at = 0; at < text.size(); at += step) {
            auto edited = text;
            edited[at] = text[at] == '1' ? '2' : '1';
            auto other = document;
            other[place] = edited;
            visit(place.to_string() + " at " + std::to_string(at), other);
        }
    }
}

}  // namespace modelseal::test
