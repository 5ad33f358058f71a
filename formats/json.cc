#include "formats/json.h"

#include <vector>

#include <fmt/format.h>

#include "formats/reader.h"

namespace modelseal::formats {
namespace {

// Builds the document as its parts come by.
class StrictBuilder : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit StrictBuilder(std::uint32_t max_depth) : max_depth_(max_depth) {}
    nlohmann::json root;
    std::string problem;

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(std::int64_t value) override { return put(value); }
    bool number_unsigned(std::uint64_t value) override { return put(value); }
    bool number_float(double value, const std::string&) override { return put(value); }
    bool string(std::string& value) override { return put(value); }
    bool binary(nlohmann::json::binary_t&) override { return false; }
    bool key(std::string& name) override {
        if (stack_.back()->contains(name)) {
            problem = fmt::format("the key '{}' comes twice", printable(name));
            return false;
        }
        key_ = name;
        return true;
    }
    bool start_object(std::size_t) override { return open(nlohmann::json::object()); }
    bool start_array(std::size_t) override { return open(nlohmann::json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
        problem = fmt::format("broken JSON at character {}", position);
        return false;
    }

  private:
    nlohmann::json* place(nlohmann::json value) {
        if (stack_.empty()) return &(root = std::move(value));
        auto& parent = *stack_.back();
        if (parent.is_array()) return &parent.emplace_back(std::move(value));
        return &(parent[key_] = std::move(value));
    }
    bool put(nlohmann::json value) { return place(std::move(value)) != nullptr; }
    bool open(nlohmann::json container) {
        if (stack_.size() >= max_depth_) {
            problem = "nested too deeply";
            return false;
        }
        stack_.push_back(place(std::move(container)));
        return true;
    }
    bool close() {
        stack_.pop_back();
        return true;
    }

    std::uint32_t max_depth_;
    std::vector<nlohmann::json*> stack_;  // stable: only the innermost container grows
    std::string key_;
};

}  // namespace

Result<nlohmann::json> parse_json(const Source& source, std::uint64_t offset, std::string_view text,
                                  std::string_view what, std::uint32_t max_depth) {
    StrictBuilder builder(max_depth);
    if (!nlohmann::json::sax_parse(text, &builder)) {
        return malformed_at(source, offset, fmt::format("{}: {}", what, builder.problem));
    }
    return std::move(builder.root);
}

}  // namespace modelseal::formats
