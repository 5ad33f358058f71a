#include "formats/json.h"

#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "formats/reader.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

// Builds the document as its parts come by; or, with a visitor, one member of the outermost object at a time.
class StrictBuilder : public nlohmann::json_sax<nlohmann::json> {
  public:
    StrictBuilder(std::uint32_t max_depth, const JsonMember* visit) : max_depth_(max_depth), visit_(visit) {}

    nlohmann::json value;          // the document; with a visitor the last member
    std::string problem;           // why parsing ended, unless `refused` is set
    std::size_t position = 0;      // of the problem in the text
    std::optional<Error> refused;  // by the visitor

    bool null() override { return put(nullptr); }
    bool boolean(bool flag) override { return put(flag); }
    bool number_integer(std::int64_t number) override { return put(number); }
    bool number_unsigned(std::uint64_t number) override { return put(number); }
    bool number_float(double number, const std::string&) override { return put(number); }
    bool string(std::string& text) override { return put(std::move(text)); }
    bool binary(nlohmann::json::binary_t&) override { return false; }
    bool key(std::string& name) override {
        const bool twice = stack_.empty() ? !members_.insert(name).second : stack_.back()->contains(name);
        if (twice) return fail(fmt::format("the key '{}' appears twice", util::printable(name)));
        (stack_.empty() ? member_ : key_) = std::move(name);
        return true;
    }
    bool start_object(std::size_t) override {
        if (visit_ != nullptr && !inside_) return inside_ = true;
        return open(nlohmann::json::object());
    }
    bool start_array(std::size_t) override { return open(nlohmann::json::array()); }
    bool end_object() override {
        if (visit_ != nullptr && stack_.empty()) return true;
        return close();
    }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception&) override {
        position = at == 0 ? 0 : at - 1;  // which counts from 1
        return fail("invalid JSON");
    }

  private:
    bool fail(std::string what) {
        problem = std::move(what);
        return false;
    }
    nlohmann::json* place(nlohmann::json part) {
        if (stack_.empty()) return &(value = std::move(part));
        auto& parent = *stack_.back();
        if (parent.is_array()) return &parent.emplace_back(std::move(part));
        return &(parent[key_] = std::move(part));
    }
    bool count() {
        if (visit_ != nullptr && !inside_) return fail("not a JSON object");
        return ++values_ <= kMaxJsonValues ||
               fail(fmt::format("more than {}", util::counted(kMaxJsonValues, "value")));
    }
    bool put(nlohmann::json part) {
        if (!count()) return false;
        place(std::move(part));
        return whole();
    }
    bool open(nlohmann::json container) {
        if (!count()) return false;
        if (stack_.size() + (inside_ ? 1 : 0) >= max_depth_) return fail("nested too deeply");
        stack_.push_back(place(std::move(container)));
        return true;
    }
    bool close() {
        stack_.pop_back();
        return whole();
    }
    // Hands over a member that is complete.
    bool whole() {
        if (visit_ == nullptr || !stack_.empty()) return true;
        values_ = 0;
        auto result = (*visit_)(member_, value);
        if (!result.ok()) refused = std::move(result).error();
        return !refused.has_value();
    }

    std::uint32_t max_depth_;
    const JsonMember* visit_;
    bool inside_ = false;  // the outermost object, when there is a visitor
    std::uint64_t values_ = 0;
    std::vector<nlohmann::json*> stack_;  // stable: only the innermost container grows
    std::string key_;
    std::string member_;
    std::set<std::string> members_;
};

Result<void> run(const Source& source, std::uint64_t offset, std::string_view text, std::string_view what,
                 StrictBuilder& builder) {
    // The parser passes over a byte order mark and takes a zero byte for the end.
    if (text.starts_with("\xEF\xBB\xBF")) {
        return malformed_at(source, offset, fmt::format("{}: starts with a byte order mark", what));
    }
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
        return malformed_at(source, offset + zero, fmt::format("{}: not JSON: contains a zero byte", what));
    }
    if (nlohmann::json::sax_parse(text, &builder)) return {};
    if (builder.refused) return *std::move(builder.refused);
    return malformed_at(source, offset + builder.position, fmt::format("{}: {}", what, builder.problem));
}

}  // namespace

Result<nlohmann::json> parse_json(const Source& source, std::uint64_t offset, std::string_view text,
                                  std::string_view what, std::uint32_t max_depth) {
    StrictBuilder builder(max_depth, nullptr);
    MODELSEAL_TRY(run(source, offset, text, what, builder));
    return std::move(builder.value);
}

Result<void> parse_json_members(const Source& source, std::uint64_t offset, std::string_view text,
                                std::string_view what, std::uint32_t max_depth, const JsonMember& visit) {
    StrictBuilder builder(max_depth, &visit);
    return run(source, offset, text, what, builder);
}

}  // namespace modelseal::formats
