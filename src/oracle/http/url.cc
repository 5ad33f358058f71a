#include "oracle/http/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::oracle {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
}

// RFC 3986, section 3.3: characters that a path may have unescaped.
bool is_path_character(char c) {
    return is_alphanumeric(c) || std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

Error refuse(const std::string& why, std::string hint = {}) {
    return {ErrorKind::usage, "the address of the model " + why, std::move(hint)};
}

std::optional<bool> scheme_of(std::string_view text, std::size_t& length) {
    std::string head(text.substr(0, 8));
    std::transform(head.begin(), head.end(), head.begin(), lower);
    if (head.starts_with("http://")) return length = 7, false;
    if (head.starts_with("https://")) return length = 8, true;
    return std::nullopt;
}

bool is_ipv4(const std::string& host) {
    in_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// "host", "host:8000", "[::1]:8000": removes the host and leaves the rest.
Result<std::string> take_host(std::string_view& authority) {
    std::string host;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return refuse("has a '[' without a ']'");
        host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
        if (!is_ipv6(host)) return refuse("has no IPv6 address between its brackets");
    } else {
        host = authority.substr(0, authority.find(':'));
        authority.remove_prefix(host.size());
        const bool fine = std::all_of(host.begin(), host.end(), [](char c) {
            return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
        });
        if (host.empty() || !fine || host.size() > 253) {
            return refuse(fmt::format("has no host name: '{}'", util::printable(host)),
                          "write an IPv6 address in brackets, and an international name in its xn-- form");
        }
    }
    std::transform(host.begin(), host.end(), host.begin(), lower);
    return host;
}

Result<std::uint16_t> read_port(std::string_view text, bool tls) {
    if (text.empty()) return static_cast<std::uint16_t>(tls ? 443 : 80);
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + 1, end, port);
    if (text[0] != ':' || code != std::errc() || stop != end || port == 0) {
        return refuse(fmt::format("has no valid port after its host: '{}'", util::printable(text)),
                      "a port is a number from 1 to 65535");
    }
    return port;
}

Result<std::string> encode_path(std::string_view text) {
    std::string path;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) return refuse("has a control character");
        if (c == '%') {
            if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
                return refuse("has a '%' without two hexadecimal digits", "write %25 for a percent sign");
            }
            path += c;
        } else if (is_path_character(c)) {
            path += c;
        } else {
            path += fmt::format("%{:02X}", byte);
        }
    }
    while (path.ends_with('/')) path.pop_back();
    return path;
}

}  // namespace

bool Url::is_address() const {
    return is_ipv4(host) || is_ipv6(host);
}

bool Url::is_loopback() const {
    return host == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
}

std::string Url::host_header() const {
    const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const {
    return (tls ? "https://" : "http://") + host_header();
}

bool is_http_url(std::string_view text) {
    std::size_t length = 0;
    return scheme_of(text, length).has_value();
}

Result<Url> parse_url(std::string_view text) {
    std::size_t length = 0;
    const auto tls = scheme_of(text, length);
    if (!tls) return refuse("is neither http:// nor https://");
    text.remove_prefix(length);
    if (text.find_first_of("?#") != std::string_view::npos) {
        return refuse("has a query or a fragment", "remove the part from '?' or '#' on");
    }
    auto authority = text.substr(0, text.find('/'));
    text.remove_prefix(authority.size());
    if (authority.find('@') != std::string_view::npos) {
        return refuse("contains a user name or password", "use a token instead");
    }
    Url url;
    url.tls = *tls;
    MODELSEAL_TRY_ASSIGN(url.host, take_host(authority));
    MODELSEAL_TRY_ASSIGN(url.port, read_port(authority, url.tls));
    MODELSEAL_TRY_ASSIGN(url.path, encode_path(text));
    return url;
}

namespace {

constexpr std::string_view kTokenCharacters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~+/";

}  // namespace

bool is_bearer_token(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    return !text.empty() && text.find_first_not_of(kTokenCharacters) == std::string_view::npos;
}

Result<void> may_carry(const Url& server, std::string_view token) {
    if (!is_bearer_token(token)) {
        return Error{ErrorKind::usage, "the token contains characters that are not allowed in a bearer token",
                     "remove spaces and line breaks around the token"};
    }
    if (server.tls || server.is_loopback()) return {};
    return Error{ErrorKind::usage, fmt::format("{}: the token would be sent unencrypted", server.origin()),
                 "use an https:// address, or leave the token out"};
}

Result<void> may_carry_to_all(std::span<const std::string> targets) {
    std::string first;
    for (const auto& target : targets) {
        if (!is_http_url(target)) continue;
        MODELSEAL_TRY_ASSIGN(const auto url, parse_url(target));
        if (first.empty()) first = url.origin();
        if (url.origin() == first) continue;
        return Error{ErrorKind::usage,
                     fmt::format("the same token is not sent to two servers, {} and {}", first, url.origin()),
                     "check the models of each server separately, with the server's token"};
    }
    return {};
}

}  // namespace modelseal::oracle
