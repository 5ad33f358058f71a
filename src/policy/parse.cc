#include "policy/parse.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "policy/version.h"
#include "util/text.h"

namespace modelseal::policy {
namespace {

Place place_of(const toml::source_region& region) {
    return {.line = region.begin.line, .column = region.begin.column};
}

using Names = std::initializer_list<std::string_view>;

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

constexpr std::array<Word<Ruling::Outcome>, 3> kActions = {{{"deny", Ruling::Outcome::deny},
                                                            {"quarantine", Ruling::Outcome::quarantine},
                                                            {"warn", Ruling::Outcome::warn}}};
constexpr std::array<Word<Adapters>, 3> kAdapters = {
    {{"same-vendor", Adapters::same_vendor}, {"deny", Adapters::refuse}, {"ignore", Adapters::ignore}}};
constexpr std::array<Word<Closure>, 3> kClosures = {
    {{"deny-unsealed", Closure::deny_unsealed}, {"warn", Closure::warn}, {"ignore", Closure::ignore}}};
constexpr std::array<Word<UnknownFiles>, 3> kUnknownFiles = {
    {{"deny", UnknownFiles::deny}, {"warn", UnknownFiles::warn}, {"ignore", UnknownFiles::ignore}}};
constexpr std::array<Word<bool>, 2> kFrames = {{{"intact", false}, {"weights-only", true}}};
constexpr std::array<Word<bool>, 2> kAudits = {{{"off", false}, {"warn", true}}};

struct Unit {
    std::string_view name;
    std::uint64_t bytes;
};
constexpr std::array kUnits = {Unit{"B", 1},
                               Unit{"kB", 1'000},
                               Unit{"KB", 1'000},
                               Unit{"MB", 1'000'000},
                               Unit{"GB", 1'000'000'000},
                               Unit{"TB", 1'000'000'000'000},
                               Unit{"KiB", std::uint64_t{1} << 10},
                               Unit{"MiB", std::uint64_t{1} << 20},
                               Unit{"GiB", std::uint64_t{1} << 30},
                               Unit{"TiB", std::uint64_t{1} << 40}};

// "200 GiB"; nothing for another text, or more than 2^63 - 1.
std::optional<std::uint64_t> bytes_in(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto unit = text.substr(digits);
    unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
    const auto* found = std::ranges::find(kUnits, unit, &Unit::name);
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (digits == 0 || found == kUnits.end()) return std::nullopt;
    std::uint64_t number = 0;
    for (const char digit : text.substr(0, digits)) {
        if (number > most / 10 - 1) return std::nullopt;
        number = 10 * number + static_cast<std::uint64_t>(digit - '0');
    }
    if (number > most / found->bytes) return std::nullopt;
    return number * found->bytes;
}

class Reader {
  public:
    explicit Reader(const std::string& name) : name_(name) {}

    Result<Rules> read(const toml::table& file) {
        MODELSEAL_TRY(version(file));
        MODELSEAL_TRY(only(file, {"version", "defaults", "vendor", "model"}, "a policy"));
        Rules rules;
        MODELSEAL_TRY(each(file, "vendor", [&](const toml::table& entry) { return vendor(entry, rules); }));
        MODELSEAL_TRY(defaults(file, rules));
        MODELSEAL_TRY(each(file, "model", [&](const toml::table& entry) { return model(entry, rules); }));
        return rules;
    }

    Error syntax(const toml::parse_error& error) const {
        return wrong(place_of(error.source()), std::string(error.description()), ErrorKind::malformed);
    }

  private:
    Error wrong(Place place, std::string_view what, ErrorKind kind = ErrorKind::usage,
                std::string hint = {}) const {
        return {kind, fmt::format("{}:{}:{}: {}", name_, place.line, place.column, what), std::move(hint)};
    }
    Error wrong(const toml::node& at, std::string_view what, std::string hint = {}) const {
        return wrong(place_of(at.source()), what, ErrorKind::usage, std::move(hint));
    }

    // A key that is not known could be a requirement with a spelling mistake.
    Result<void> only(const toml::table& table, Names known, std::string_view what) const {
        for (const auto& [key, value] : table) {
            if (std::ranges::find(known, key.str()) != known.end()) continue;
            return wrong(place_of(key.source()),
                         fmt::format("unknown key '{}' in {}", util::printable(key.str()), what),
                         ErrorKind::usage, fmt::format("known keys: {}", fmt::join(known, ", ")));
        }
        return {};
    }

    Result<void> version(const toml::table& file) const {
        const auto* node = file.get("version");
        if (node == nullptr) {
            return Error{ErrorKind::usage, fmt::format("{}: states no version", name_),
                         fmt::format("write 'version = {}'", kPolicyVersion)};
        }
        const auto number = node->value_exact<std::int64_t>();
        if (!number) return wrong(*node, "version is a number");
        if (*number == kPolicyVersion) return {};
        return wrong(place_of(node->source()),
                     fmt::format("version {} is not known, only {} is", *number, kPolicyVersion),
                     ErrorKind::unsupported);
    }

    // Calls `take` with each table of the array `key`, if there is one.
    template <class Take>
    Result<void> each(const toml::table& file, std::string_view key, Take take) const {
        const auto* node = file.get(key);
        if (node == nullptr) return {};
        const auto* list = node->as_array();
        const auto* bad = list == nullptr ? node : nullptr;
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            const auto* entry = list->get(i)->as_table();
            if (entry == nullptr) bad = list->get(i);
            if (bad != nullptr) break;
            MODELSEAL_TRY(take(*entry));
        }
        if (bad == nullptr) return {};
        return wrong(*bad, fmt::format("'{0}' is a list of tables", key), fmt::format("write [[{}]]", key));
    }

    // Not empty.
    Result<std::string> text(const toml::node& node, std::string_view what) const {
        const auto value = node.value_exact<std::string>();
        if (!value) return wrong(node, fmt::format("{} is a text in quotes", what));
        if (value->empty()) return wrong(node, fmt::format("{} is empty", what));
        return *value;
    }
    // Empty if there is none.
    Result<std::string> text_or_none(const toml::table& table, std::string_view key) const {
        const auto* node = table.get(key);
        return node == nullptr ? Result<std::string>(std::string()) : text(*node, fmt::format("'{}'", key));
    }
    Result<std::string> required_text(const toml::table& table, std::string_view key,
                                      std::string_view what) const {
        const auto* node = table.get(key);
        if (node == nullptr) return wrong(table, fmt::format("{} has no '{}'", what, key));
        return text(*node, fmt::format("'{}'", key));
    }

    template <std::size_t count, class Value>
    Result<void> choice(const toml::table& table, std::string_view key,
                        const std::array<Word<Value>, count>& words, Value& out) const {
        const auto* node = table.get(key);
        if (node == nullptr) return {};
        MODELSEAL_TRY_ASSIGN(const auto chosen, text(*node, fmt::format("'{}'", key)));
        for (const auto& [word, value] : words) {
            if (word == chosen) {
                out = value;
                return {};
            }
        }
        std::vector<std::string_view> known;
        for (const auto& word : words) known.push_back(word.word);
        return wrong(*node, fmt::format("'{}' is not '{}'", key, util::printable(chosen)),
                     fmt::format("one of: {}", fmt::join(known, ", ")));
    }

    // Texts in a list, or a single one without it.
    template <class Take>
    Result<void> texts(const toml::table& table, std::string_view key, Take take) const {
        const auto* node = table.get(key);
        if (node == nullptr) return {};
        const auto what = fmt::format("an entry of '{}'", key);
        const auto* list = node->as_array();
        if (list == nullptr) {
            MODELSEAL_TRY_ASSIGN(auto single, text(*node, what));
            return take(std::move(single), *node);
        }
        for (const auto& entry : *list) {
            MODELSEAL_TRY_ASSIGN(auto value, text(entry, what));
            MODELSEAL_TRY(take(std::move(value), entry));
        }
        return {};
    }

    Result<void> vendor(const toml::table& table, Rules& rules) const {
        MODELSEAL_TRY(only(table, {"name", "keys", "signers"}, "a vendor"));
        Vendor vendor{.place = place_of(table.source())};
        MODELSEAL_TRY_ASSIGN(vendor.name, required_text(table, "name", "a vendor"));
        if (std::ranges::find(rules.vendors, vendor.name, &Vendor::name) != rules.vendors.end())
            return wrong(table, fmt::format("there are two vendors '{}'", util::printable(vendor.name)));
        MODELSEAL_TRY(texts(table, "keys", [&](std::string file, const toml::node& at) {
            vendor.keys.push_back({std::move(file), place_of(at.source())});
            return Result<void>();
        }));
        MODELSEAL_TRY(each(table, "signers", [&](const toml::table& entry) { return signer(entry, vendor); }));
        if (vendor.keys.empty() && vendor.signers.empty())
            return wrong(table,
                         fmt::format("vendor '{}' has neither keys nor signers", util::printable(vendor.name)));
        rules.vendors.push_back(std::move(vendor));
        return {};
    }

    Result<void> signer(const toml::table& table, Vendor& vendor) const {
        Signer signer{.place = place_of(table.source())};
        if (table.contains("key")) {
            MODELSEAL_TRY(only(table, {"key"}, "a signer with a key"));
            MODELSEAL_TRY_ASSIGN(signer.file, required_text(table, "key", "a signer"));
        } else if (table.contains("ca")) {
            MODELSEAL_TRY(only(table, {"ca", "subject"}, "a signer with a certificate"));
            signer.kind = Signer::Kind::authority;
            MODELSEAL_TRY_ASSIGN(signer.file, required_text(table, "ca", "a signer"));
            MODELSEAL_TRY_ASSIGN(signer.subject, text_or_none(table, "subject"));
        } else if (table.contains("identity")) {
            MODELSEAL_TRY(only(table, {"identity", "issuer", "trusted_root"}, "a keyless signer"));
            signer.kind = Signer::Kind::identity;
            MODELSEAL_TRY_ASSIGN(signer.identity, required_text(table, "identity", "a keyless signer"));
            MODELSEAL_TRY_ASSIGN(signer.issuer, required_text(table, "issuer", "a keyless signer"));
            MODELSEAL_TRY_ASSIGN(signer.file, required_text(table, "trusted_root", "a keyless signer"));
        } else {
            return wrong(table, "a signer has 'key', 'ca' or 'identity'");
        }
        vendor.signers.push_back(std::move(signer));
        return {};
    }

    Result<void> terms(const toml::table& table, Terms& terms) const {
        MODELSEAL_TRY(choice(table, "action", kActions, terms.action));
        MODELSEAL_TRY(choice(table, "frame", kFrames, terms.weights_only));
        MODELSEAL_TRY(choice(table, "adapters", kAdapters, terms.adapters));
        MODELSEAL_TRY(choice(table, "closure", kClosures, terms.closure));
        MODELSEAL_TRY(choice(table, "unknown_files", kUnknownFiles, terms.unknown_files));
        MODELSEAL_TRY(required_kinds(table, terms.require));
        MODELSEAL_TRY(size(table, terms));
        const auto* seconds = table.get("max_seconds");
        if (seconds == nullptr) return {};
        const auto value = seconds->value_exact<std::int64_t>();
        if (!value || *value < 1 || *value > kMostSeconds)
            return wrong(*seconds, fmt::format("'max_seconds' is a number from 1 to {}", kMostSeconds));
        terms.max_seconds = static_cast<std::uint64_t>(*value);
        return {};
    }

    Result<void> required_kinds(const toml::table& table, CheckReport::Expected& out) const {
        if (!table.contains("require")) return {};
        out = {};
        return texts(table, "require", [&](const std::string& kind, const toml::node& at) -> Result<void> {
            bool* const asked = kind == "seal"          ? &out.seal
                                : kind == "fingerprint" ? &out.fingerprint
                                : kind == "signature"   ? &out.signature
                                                        : nullptr;
            if (asked == nullptr) {
                return wrong(at, fmt::format("'{}' cannot be required", util::printable(kind)),
                             "one of: seal, signature, fingerprint");
            }
            *asked = true;
            return {};
        });
    }

    Result<void> size(const toml::table& table, Terms& terms) const {
        const auto* node = table.get("max_bytes");
        if (node == nullptr) return {};
        if (const auto number = node->value_exact<std::int64_t>()) {
            if (*number < 1) return wrong(*node, "'max_bytes' is above 0");
            terms.max_bytes = static_cast<std::uint64_t>(*number);
            return {};
        }
        const auto written = node->value_exact<std::string>();
        terms.max_bytes = written ? bytes_in(*written) : std::nullopt;
        if (terms.max_bytes && *terms.max_bytes > 0) return {};
        return wrong(*node, "'max_bytes' is a number of bytes, or a text such as \"200 GiB\"");
    }

    Result<void> defaults(const toml::table& file, Rules& rules) const {
        auto& rule = rules.otherwise;
        for (std::size_t i = 0; i < rules.vendors.size(); ++i) rule.vendors.push_back(i);
        const auto* node = file.get("defaults");
        if (node == nullptr) return {};
        const auto* table = node->as_table();
        if (table == nullptr) return wrong(*node, "'defaults' is a table", "write [defaults]");
        MODELSEAL_TRY(only(
            *table,
            {"action", "require", "max_bytes", "max_seconds", "frame", "adapters", "closure", "unknown_files"},
            "[defaults]"));
        rule.place = place_of(table->source());
        return terms(*table, rule.terms);
    }

    Result<void> model(const toml::table& table, Rules& rules) const {
        MODELSEAL_TRY(only(table,
                           {"match", "vendor", "expect", "minimum", "fingerprint", "audit", "action", "require",
                            "max_bytes", "max_seconds", "frame", "adapters", "closure", "unknown_files"},
                           "a rule for models"));
        Rule rule{.terms = rules.otherwise.terms, .place = place_of(table.source())};
        MODELSEAL_TRY(pattern(table, rules, rule));
        MODELSEAL_TRY(terms(table, rule.terms));
        MODELSEAL_TRY(vendors(table, rules, rule));
        MODELSEAL_TRY(entries(table, "expect", rule.expect));
        MODELSEAL_TRY(entries(table, "minimum", rule.minimum));
        MODELSEAL_TRY(versions(table, rule));
        MODELSEAL_TRY_ASSIGN(rule.fingerprint, text_or_none(table, "fingerprint"));
        MODELSEAL_TRY(choice(table, "audit", kAudits, rule.audit));
        MODELSEAL_TRY(can_be_met(table, rules, rule));
        rules.models.push_back(std::move(rule));
        return {};
    }

    Result<void> pattern(const toml::table& table, const Rules& rules, Rule& rule) const {
        MODELSEAL_TRY_ASSIGN(const auto written, required_text(table, "match", "a rule for models"));
        auto glob = Glob::parse(written);
        if (!glob.ok()) return wrong(*table.get("match"), glob.error().message);
        for (const auto& earlier : rules.models) {
            if (!earlier.match->covers(*glob)) continue;
            return wrong(
                *table.get("match"),
                fmt::format("this rule never applies: '{}' in line {} matches everything that '{}' does",
                            util::printable(earlier.match->pattern()), earlier.place.line,
                            util::printable(written)),
                "put the rule for fewer models first");
        }
        rule.match = std::move(*glob);
        return {};
    }

    Result<void> vendors(const toml::table& table, const Rules& rules, Rule& rule) const {
        if (!table.contains("vendor")) {
            rule.vendors = rules.otherwise.vendors;
            return {};
        }
        return texts(table, "vendor", [&](const std::string& name, const toml::node& at) -> Result<void> {
            const auto found = std::ranges::find(rules.vendors, name, &Vendor::name);
            if (found == rules.vendors.end())
                return wrong(at, fmt::format("there is no vendor '{}'", util::printable(name)));
            rule.vendors.push_back(static_cast<std::size_t>(found - rules.vendors.begin()));
            return {};
        });
    }

    Result<void> entries(const toml::table& table, std::string_view key,
                         std::vector<std::pair<std::string, std::string>>& out) const {
        const auto* node = table.get(key);
        if (node == nullptr) return {};
        const auto* values = node->as_table();
        if (values == nullptr)
            return wrong(*node, fmt::format("'{0}' is a table", key),
                         fmt::format("write {} = {{ name = \"...\" }}", key));
        for (const auto& [name, value] : *values) {
            MODELSEAL_TRY_ASSIGN(auto wanted,
                                 text(value, fmt::format("'{}.{}'", key, util::printable(name.str()))));
            out.emplace_back(name.str(), std::move(wanted));
        }
        return {};
    }

    Result<void> versions(const toml::table& table, const Rule& rule) const {
        for (const auto& [name, wanted] : rule.minimum) {
            const auto& node = *table.get("minimum")->as_table()->get(name);
            if (!compare_versions(wanted, wanted)) {
                return wrong(
                    node, fmt::format("'{}' is no version: it begins with a digit", util::printable(wanted)));
            }
            const auto same =
                std::ranges::find(rule.expect, name, [](const auto& entry) { return entry.first; });
            if (same != rule.expect.end())
                return wrong(node, fmt::format("'{}' is expected and has a minimum", util::printable(name)));
        }
        return {};
    }

    // What is required, but could never be found, is a mistake.
    Result<void> can_be_met(const toml::table& table, const Rules& rules, const Rule& rule) const {
        const auto& require = rule.terms.require;
        const auto any = [&](auto member) {
            return std::ranges::any_of(rule.vendors,
                                       [&](auto i) { return !(rules.vendors[i].*member).empty(); });
        };
        if (!require.seal && !require.signature && !require.fingerprint)
            return wrong(table, "this rule requires nothing", "require seal, signature or fingerprint");
        if (rule.vendors.empty()) return wrong(table, "this rule trusts no vendor");
        if ((require.seal || require.fingerprint) && !any(&Vendor::keys))
            return wrong(table, "a seal or fingerprint is required, and no vendor of this rule has keys");
        if (require.signature && !any(&Vendor::signers))
            return wrong(table, "a signature is required, and no vendor of this rule has signers");
        if (require.fingerprint && rule.fingerprint.empty())
            return wrong(table, "a fingerprint is required, and this rule names none");
        if (!require.seal && (!rule.expect.empty() || !rule.minimum.empty()))
            return wrong(table, "only a seal has a stamp, and this rule does not require one");
        return {};
    }

    static constexpr std::int64_t kMostSeconds = 7 * 24 * 3600;
    const std::string& name_;
};

}  // namespace

Result<Rules> parse_policy(std::string_view text, const std::string& name) {
    if (text.size() > kMostPolicyBytes) {
        return Error{ErrorKind::malformed,
                     fmt::format("{}: a policy of {}, at most {} are read", name,
                                 util::counted(text.size(), "byte"), util::grouped(kMostPolicyBytes)),
                     {}};
    }
    Reader reader(name);
    try {
        return reader.read(toml::parse(text));
    } catch (const toml::parse_error& error) {
        return reader.syntax(error);
    }
}

}  // namespace modelseal::policy
