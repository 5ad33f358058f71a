// Addresses of servers, taken apart by libcurl: what is checked here and what is asked later is read by the same parser.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::http {

// An absolute address, http or https, without user name, password and fragment; normalized and percent-encoded.
class Url {
  public:
    Url() = default;  // of nothing
    // ErrorKind::usage, without the text itself, which may have a password.
    static Result<Url> parse(std::string_view text);
    // What `reference`, of a Location header say, means relative to this address. ErrorKind::malformed for a text that
    // parse() would refuse.
    Result<Url> resolve(std::string_view reference) const;

    const std::string& text() const { return text_; }
    const std::string& host() const { return host_; }  // lower case; an IPv6 address in brackets
    bool is_tls() const { return tls_; }
    bool is_loopback() const;    // 127.0.0.0/8, [::1] or localhost
    std::string origin() const;  // "https://host:8443"; the port only if it is not the scheme's own
    std::string path() const { return path_; }

    // This address with `path`, which begins with '/' and is percent-encoded, after its own path; without a query.
    std::string below(std::string_view path) const;
    // With `name`=`value` added to the query; both are percent-encoded here.
    Url with_query(std::string_view name, std::string_view value) const;

  private:
    std::string text_, host_, path_, query_;
    unsigned port_ = 0;
    bool tls_ = false;
};

// Whether a secret may be sent there: over TLS, or to this machine.
bool may_carry_secrets(const Url& url);

}  // namespace modelseal::http
