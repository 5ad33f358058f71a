// Not by p11_kit_uri_parse() (p11-kit 0.24.1), which would use another key or PIN than the one that was meant:
// it takes the last of an attribute that is given twice, drops spaces ("token=My Token" is read as "MyToken"),
// ignores an unknown attribute after the '?' ("pin-vaule"), wraps slot-id (18446744073709551617 is read as 1)
// and cuts a PIN at %00. Nor does it say which attribute is wrong.

#include "crypto/token/pkcs11_uri.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/secret.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kLongest = 8192;  // characters; tokens have names of 32
constexpr const char* kAsInRfc = "write it like 'pkcs11:token=NAME;object=NAME', see RFC 7512";

Error wrong(const std::string& what, const std::string& hint = kAsInRfc, Remedy remedy = Remedy::none) {
    return {ErrorKind::usage, "PKCS#11 URI: " + what, hint, remedy};
}

using Text = std::optional<std::string>;

struct Attribute {
    std::string_view name;
    Text Pkcs11Uri::*field;
    bool query;  // after the question mark
};

constexpr std::array kAttributes = {
    Attribute{"token", &Pkcs11Uri::token, false},
    Attribute{"manufacturer", &Pkcs11Uri::manufacturer, false},
    Attribute{"model", &Pkcs11Uri::model, false},
    Attribute{"serial", &Pkcs11Uri::serial, false},
    Attribute{"object", &Pkcs11Uri::object, false},
    Attribute{"id", &Pkcs11Uri::id, false},
    Attribute{"type", &Pkcs11Uri::type, false},
    Attribute{"slot-manufacturer", &Pkcs11Uri::slot_manufacturer, false},
    Attribute{"slot-description", &Pkcs11Uri::slot_description, false},
    Attribute{"library-manufacturer", &Pkcs11Uri::library_manufacturer, false},
    Attribute{"library-description", &Pkcs11Uri::library_description, false},
    Attribute{"module-path", &Pkcs11Uri::module_path, true},
    Attribute{"module-name", &Pkcs11Uri::module_name, true},
    Attribute{"pin-value", &Pkcs11Uri::pin_value, true},
    Attribute{"pin-source", &Pkcs11Uri::pin_source, true},
};

// Characters that stand for themselves in a value; the others are written as %XX.
bool is_plain(char each, bool query) {
    const bool unreserved = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                            (each >= '0' && each <= '9') ||
                            std::string_view("-._~").find(each) != std::string_view::npos;
    const std::string_view more = query ? ":[]@!$'()*+,=/?|" : ":[]@!$'()*+,=&";
    return unreserved || more.find(each) != std::string_view::npos;
}

std::optional<char> decoded_byte(std::string_view digits) {
    unsigned value = 0;
    if (digits.size() < 2) return std::nullopt;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
    return static_cast<char>(value);
}

// Appends to `out`, which must have the capacity: growing would leave a copy of a PIN on the heap.
Result<void> decode(std::string_view value, const std::string& name, bool query, std::string& out) {
    out.reserve(value.size());
    for (std::size_t at = 0; at < value.size(); ++at) {
        if (value[at] != '%') {
            if (!is_plain(value[at], query)) {
                return wrong(name + ": contains a character that must be percent-encoded",
                             "write %20 for a space, %3B for a semicolon, %2F for a slash");
            }
            out += value[at];
            continue;
        }
        const auto byte = decoded_byte(value.substr(at + 1));
        if (!byte) return wrong(name + ": has a '%' that two hexadecimal digits do not follow");
        out += *byte;
        at += 2;
    }
    if (name == "id") return {};
    if (out.find('\0') != std::string::npos || !util::is_utf8(out)) return wrong(name + ": is not UTF-8 text");
    return {};
}

Result<void> set_slot(Pkcs11Uri& uri, std::string_view value) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
        return wrong("slot-id: is not a number");
    }
    if (uri.slot_id) return wrong("slot-id: is given twice");
    uri.slot_id = number;
    return {};
}

// NAME=VALUE; `number` counts them from 1.
Result<void> set(Pkcs11Uri& uri, std::string_view text, bool query, std::size_t number) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
        return wrong("attribute " + std::to_string(number) + (query ? " after the '?'" : "") + ": has no '='");
    }
    const auto given = text.substr(0, equals), value = text.substr(equals + 1);
    if (given == "slot-id" && !query) return set_slot(uri, value);
    const auto* const found = std::ranges::find(kAttributes, given, &Attribute::name);
    if (found == kAttributes.end()) {
        return wrong("unknown attribute '" + util::printable(given) + "'",
                     given == "library-version" ? "the version of a module is not compared" : kAsInRfc);
    }
    const std::string name(given);
    if (found->query != query) {
        return wrong(name + (found->query ? ": is after the '?'" : ": is before the '?'"));
    }
    auto& field = uri.*found->field;
    if (field) return wrong(name + ": is given twice");
    return decode(value, name, query, field.emplace());
}

Result<void> set_all(Pkcs11Uri& uri, std::string_view text, bool query) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find(query ? '&' : ';'), text.size());
        MODELSEAL_TRY(set(uri, text.substr(0, end), query, number));
        if (end + 1 == text.size()) return wrong("ends with a separator");
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

Result<void> must_fit_together(const Pkcs11Uri& uri) {
    if (uri.pin_value && uri.pin_source) return wrong("has both pin-value and pin-source", "give one of them");
    if (uri.module_path && uri.module_name) {
        return wrong("has both module-path and module-name", "give one of them");
    }
    if (uri.module_name && uri.module_name->find('/') != std::string::npos) {
        return wrong("module-name: has a '/'", "give a path as module-path");
    }
    for (const auto& part : {uri.module_path, uri.module_name, uri.pin_source}) {
        if (part && part->empty()) return wrong("has an empty attribute after the '?'");
    }
    if (uri.pin_source && uri.pin_source->starts_with('|')) {
        return wrong("pin-source: programs are not run to get a PIN",
                     "give a file that contains the PIN, or the PIN itself", Remedy::give_pin);
    }
    if (uri.type && *uri.type != "private" && *uri.type != "public" && *uri.type != "cert") {
        return wrong("type: neither 'private' nor 'public' nor 'cert'", "a key that signs has type=private");
    }
    return {};
}

}  // namespace

Pkcs11Uri::~Pkcs11Uri() {
    if (pin_value) wipe(*pin_value);
}

std::string Pkcs11Uri::shown() const {
    std::string out = "token";
    if (token) {
        out += " '" + util::printable(*token) + "'";
    } else if (serial) {
        out += " with serial '" + util::printable(*serial) + "'";
    }
    if (object) {
        out += ", object '" + util::printable(*object) + "'";
    } else if (id) {
        out += ", object of id ";
        for (const char each : *id) {
            constexpr std::string_view kDigits = "0123456789abcdef";
            const auto byte = static_cast<unsigned char>(each);
            out += {kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return out;
}

bool is_pkcs11_uri(std::string_view text) {
    return std::ranges::equal(text.substr(0, kScheme.size()), kScheme, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view text) {
    if (!is_pkcs11_uri(text)) return wrong("does not begin with 'pkcs11:'");
    if (text.size() > kLongest) return wrong("is longer than " + std::to_string(kLongest) + " characters");
    text.remove_prefix(kScheme.size());
    const auto question = text.find('?');
    Pkcs11Uri uri;
    MODELSEAL_TRY(set_all(uri, text.substr(0, question), false));
    if (question != std::string_view::npos) MODELSEAL_TRY(set_all(uri, text.substr(question + 1), true));
    MODELSEAL_TRY(must_fit_together(uri));
    return uri;
}

Result<void> must_be_file(std::string_view path) {
    if (!is_pkcs11_uri(path)) return {};
    return wrong("is a key on a token; the file of a public key is needed",
                 "write the public key of the token to a file", Remedy::export_token_key);
}

}  // namespace modelseal::crypto
