// Where one is in a pickle's graph, as a dotted path that is put together only when a tensor is found there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal::formats::pytorch {

class Path {
  public:
    // The texts pushed must outlive the path.
    void push(std::string_view text) { parts_.push_back({text, 0, false}); }
    void push(std::int64_t number) { parts_.push_back({{}, number, true}); }
    void pop() { parts_.pop_back(); }

    // "prefix.layer1.0.weight". False if that would be longer than `cap` (0: no cap).
    bool text(std::uint64_t cap, std::string& out) const {
        out.clear();
        for (const auto& part : parts_) {
            if (cap != 0 && part.text.size() > cap - out.size()) return false;
            if (!out.empty()) out.push_back('.');
            out += part.is_number ? std::to_string(part.number) : std::string(part.text);
            if (cap != 0 && out.size() > cap) return false;
        }
        return true;
    }

  private:
    struct Part {
        std::string_view text;
        std::int64_t number = 0;
        bool is_number = false;
    };
    std::vector<Part> parts_;
};

}  // namespace modelseal::formats::pytorch
