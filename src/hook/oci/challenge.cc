#include "hook/oci/challenge.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "hook/oci/json_fields.h"
#include "util/error.h"

namespace modelseal::hook {
namespace {

constexpr std::size_t kLongestHeader = 8192, kLongestToken = 16384;
constexpr std::int64_t kShortestLife = 30, kLongestLife = 3600;  // seconds

bool equal_words(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, {}, [](unsigned char c) { return std::tolower(c); },
        [](unsigned char c) { return std::tolower(c); });
}

bool is_token_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads the header from front to end.
class HeaderReader {
  public:
    explicit HeaderReader(std::string_view text) : rest_(text) {}

    void skip(std::string_view characters) {
        while (!rest_.empty() && characters.find(rest_.front()) != std::string_view::npos)
            rest_.remove_prefix(1);
    }
    std::string_view word() {
        const auto end = std::ranges::find_if_not(rest_, is_token_character);
        const auto word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(word.size());
        return word;
    }
    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // A word, or a text in quotes; nothing if the quotes are not closed.
    std::optional<std::string> value() {
        if (!take('"')) return std::string(word());
        std::string text;
        while (!rest_.empty() && !rest_.starts_with('"')) {
            if (rest_.starts_with('\\')) rest_.remove_prefix(1);
            if (rest_.empty()) return std::nullopt;
            text += rest_.front();
            rest_.remove_prefix(1);
        }
        return take('"') ? std::optional(text) : std::nullopt;
    }
    bool at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }
    void reset(std::string_view rest) { rest_ = rest; }

  private:
    std::string_view rest_;
};

void set_parameter(Challenge& challenge, std::string_view name, std::string value) {
    if (equal_words(name, "realm")) challenge.realm = std::move(value);
    if (equal_words(name, "service")) challenge.service = std::move(value);
    if (equal_words(name, "scope")) challenge.scope = std::move(value);
}

// name=value, ... as long as they come; the next word without '=' is another scheme.
bool read_parameters(HeaderReader& reader, Challenge& challenge) {
    while (true) {
        reader.skip(" \t,");
        const auto before = reader.rest();
        const auto name = reader.word();
        if (name.empty()) return reader.at_end();
        reader.skip(" \t");
        if (!reader.take('=')) {
            reader.reset(before);
            return true;
        }
        reader.skip(" \t");
        auto value = reader.value();
        if (!value) return false;
        set_parameter(challenge, name, std::move(*value));
    }
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
    if (header.size() > kLongestHeader) return std::nullopt;
    HeaderReader reader(header);
    while (true) {
        reader.skip(" \t,");
        const auto scheme = reader.word();
        if (scheme.empty()) return std::nullopt;
        Challenge challenge;
        const bool bearer = equal_words(scheme, "bearer");
        challenge.scheme = bearer ? Challenge::Scheme::bearer : Challenge::Scheme::basic;
        if (!read_parameters(reader, challenge)) return std::nullopt;
        if (bearer && !challenge.realm.empty()) return challenge;
        if (equal_words(scheme, "basic")) return challenge;
    }
}

Result<Token> parse_token(std::string_view body) {
    MODELSEAL_TRY_ASSIGN(const auto object, parse_json_object(body, "answer of the token server"));
    Token token{.text = text_field(object, "token")};
    if (token.text.empty()) token.text = text_field(object, "access_token");
    const bool fine = std::ranges::all_of(token.text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("-._~+/=").find(c) != std::string_view::npos;
    });
    if (token.text.empty() || token.text.size() > kLongestToken || !fine)
        return util::malformed("answer of the token server", "has no token that could be sent");
    const auto life = object.find("expires_in");
    if (life != object.end() && life->is_number_integer())
        token.lifetime =
            std::chrono::seconds(std::clamp(life->get<std::int64_t>(), kShortestLife, kLongestLife));
    return token;
}

}  // namespace modelseal::hook
