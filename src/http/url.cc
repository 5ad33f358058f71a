#include "http/url.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "http/field_text.h"
#include "http/libcurl.h"
#include "util/encodings.h"

namespace modelseal::http {
namespace {

constexpr std::size_t kLongestUrl = 16u << 10;  // storage puts signatures in queries

using Handle = std::unique_ptr<CURLU, decltype([](CURLU* url) { libcurl().url_cleanup(url); })>;

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (libcurl().url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return {};
    std::string out(text);
    libcurl().free(text);
    return out;
}

Error not_an_address(std::string_view why) {
    return {ErrorKind::usage, fmt::format("the address {}", why), {}};
}

// Characters that no address has: libcurl accepts some of them in places.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7F && c != '\\';
    });
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    if (text.empty() || text.size() > kLongestUrl) return not_an_address("is empty or too long");
    if (!is_plain(text)) return not_an_address("has a space, a backslash or a control character");
    MODELSEAL_TRY(load_libcurl());
    // libcurl takes "http:/x" and "http:///x" for "http://x".
    const auto colon = text.find(':');
    if (colon == text.npos || text.substr(colon + 1, 2) != "//" || text.substr(colon + 3, 1) == "/")
        return not_an_address("is neither http:// nor https://, followed by a host");
    const Handle parsed(libcurl().url());
    const auto code =
        libcurl().url_set(parsed.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_URLENCODE);
    if (code != CURLUE_OK) return not_an_address(fmt::format("is not valid: {}", libcurl().url_strerror(code)));
    const auto scheme = lower_case(part_of(parsed.get(), CURLUPART_SCHEME));
    if (scheme != "http" && scheme != "https") return not_an_address("is neither http:// nor https://");
    if (!part_of(parsed.get(), CURLUPART_USER).empty() || !part_of(parsed.get(), CURLUPART_PASSWORD).empty())
        return not_an_address("contains a user name or password");
    libcurl().url_set(parsed.get(), CURLUPART_FRAGMENT, nullptr, 0);
    Url url;
    url.tls_ = scheme == "https";
    url.host_ = lower_case(part_of(parsed.get(), CURLUPART_HOST));
    url.path_ = part_of(parsed.get(), CURLUPART_PATH);
    url.query_ = part_of(parsed.get(), CURLUPART_QUERY);
    const auto port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), url.port_);
    if (url.host_.empty() || url.port_ == 0) return not_an_address("has no host, or no valid port");
    // Decoded once, it would be decoded again when it is asked, and so be another host.
    if (url.host_.find('%') != url.host_.npos) return not_an_address("has a host with a percent sign");
    url.text_ = url.origin() + url.path_ + (url.query_.empty() ? "" : "?" + url.query_);
    return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
    const auto wrong = [](std::string_view why) {
        return Error{ErrorKind::malformed, fmt::format("a location that cannot be used: {}", why), {}};
    };
    if (!is_plain(reference)) return wrong("it has a space, a backslash or a control character");
    MODELSEAL_TRY(load_libcurl());
    const Handle base(libcurl().url());
    if (libcurl().url_set(base.get(), CURLUPART_URL, text_.c_str(), 0) != CURLUE_OK) return wrong("no base");
    const auto code =
        libcurl().url_set(base.get(), CURLUPART_URL, std::string(reference).c_str(), CURLU_URLENCODE);
    if (code != CURLUE_OK) return wrong(libcurl().url_strerror(code));
    auto resolved = parse(part_of(base.get(), CURLUPART_URL));
    return resolved.ok() ? resolved : wrong(resolved.error().message);
}

bool Url::is_loopback() const {
    const bool digits = host_.find_first_not_of("0123456789.") == std::string::npos;
    return host_ == "localhost" || host_ == "[::1]" || (digits && host_.starts_with("127."));
}

std::string Url::origin() const {
    const auto scheme = tls_ ? "https://" : "http://";
    return port_ == (tls_ ? 443u : 80u) ? scheme + host_ : fmt::format("{}{}:{}", scheme, host_, port_);
}

std::string Url::below(std::string_view path) const {
    auto base = path_;
    while (base.ends_with('/')) base.pop_back();
    return origin() + base + std::string(path);
}

Url Url::with_query(std::string_view name, std::string_view value) const {
    auto url = *this;
    url.query_ += fmt::format("{}{}={}", query_.empty() ? "" : "&", util::percent_encoded(name, "-._~"),
                              util::percent_encoded(value, "-._~"));
    url.text_ = url.origin() + url.path_ + "?" + url.query_;
    return url;
}

bool may_carry_secrets(const Url& url) {
    return url.is_tls() || url.is_loopback();
}

}  // namespace modelseal::http
