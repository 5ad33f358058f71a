#include "http/failure.h"

#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "http/reception.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

constexpr const char* kProxies =
    "the environment variables https_proxy, http_proxy and no_proxy decide about proxies";
constexpr const char* kBroken = "the connection was closed before the answer was complete";

// Makes failures that name the server.
class Words {
  public:
    Words(const Failed& failed, const Exchange& exchange)
        : exchange_(exchange),
          text_(util::printable(failed.detail.empty() ? libcurl().easy_strerror(failed.code) : failed.detail)) {
    }

    const std::string& text() const { return text_; }
    bool mention(std::string_view part) const { return text_.find(part) != std::string::npos; }
    TransferFailure later(std::string_view what, std::string hint = {}) const {
        return {about(exchange_, ErrorKind::unreadable, what, std::move(hint)), true};
    }
    TransferFailure never(std::string_view what, std::string hint = {}) const {
        return {about(exchange_, ErrorKind::unreadable, what, std::move(hint)), false};
    }
    TransferFailure malformed(std::string_view what, std::string hint = {}) const {
        return {about(exchange_, ErrorKind::malformed, what, std::move(hint)), false};
    }

  private:
    const Exchange& exchange_;
    std::string text_;
};

TransferFailure out_of_time(const Words& words, const Failed& failed, const ClientOptions& options) {
    if (!failed.attempt_ended) return words.later("no answer in time: " + words.text());
    return words.never(
        fmt::format("no answer within {} s", static_cast<double>(options.attempt.count()) / 1000),
        "allow more time for each request");
}

TransferFailure not_connected(const Words& words, const Failed& failed) {
    return words.later("cannot connect: " + (failed.os_error != 0
                                                 ? std::generic_category().message(failed.os_error)
                                                 : words.text()));
}

// What the server says of our certificate: in TLS 1.2 in the handshake, in TLS 1.3 after it.
std::optional<TransferFailure> client_refused(const Words& words, const ClientOptions& options) {
    const bool shown = !options.client_cert.empty();
    if (words.mention("certificate required") || (!shown && words.mention("alert handshake failure")))
        return words.never("the server asks for a client certificate, or for other ciphers: " + words.text(),
                           "give a client certificate and its key");
    const bool about_us = words.mention("alert bad certificate") || words.mention("alert unknown ca") ||
                          words.mention("alert certificate unknown") ||
                          words.mention("alert certificate expired") || words.mention("alert access denied");
    if (!shown || !about_us) return std::nullopt;
    return words.never("the server does not accept the client certificate: " + words.text());
}

// What TLS refuses comes out the same the next time; a connection that broke may hold.
TransferFailure tls_failure(const Words& words, const ClientOptions& options) {
    if (auto refused = client_refused(words, options)) return std::move(*refused);
    // A signature that does not hold, by an authority of the name of one that is trusted.
    if (words.mention("asn1 encoding routines"))
        return words.never("its certificate is not accepted: its signature does not hold");
    const auto what = "the TLS connection failed: " + words.text();
    constexpr const char* kPlain = "the server may not speak https there: try http://";
    if (words.mention("wrong version number") || words.mention("packet length too long"))
        return words.never(what, kPlain);
    return words.mention("error:") ? words.never(what) : words.later(what, kPlain);
}

TransferFailure broken(const Words& words, const Failed& failed, bool tls, const ClientOptions& options) {
    if (auto refused = client_refused(words, options)) return std::move(*refused);
    if (words.mention("chunked-encoding") || words.mention("hexadecimal"))
        return words.malformed("the answer is not valid HTTP: " + words.text());
    if (failed.answered) return words.later(kBroken);
    // Some servers close the connection before we can read what they miss.
    if (!tls) return words.later(kBroken, "check the port; if the server speaks TLS there, use https://");
    return words.later(kBroken, options.client_cert.empty()
                                    ? "if the server asks for a client certificate, give one"
                                    : "the server may not accept the client certificate");
}

}  // namespace

TransferFailure failure_of(const Failed& failed, const Exchange& exchange, const ClientOptions& options) {
    const Words words(failed, exchange);
    if (failed.proxy_status >= 300) {
        const auto what =
            fmt::format("its proxy answers with status {} and makes no connection", failed.proxy_status);
        const bool later = failed.proxy_status == 429 || failed.proxy_status >= 500;
        return later ? words.later(what, kProxies) : words.never(what, kProxies);
    }
    switch (failed.code) {
        case CURLE_OK:  // with a head that did not end
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return broken(words, failed, exchange.url.is_tls(), options);
        case CURLE_COULDNT_RESOLVE_HOST:
            return words.later("host not found");
        case CURLE_COULDNT_RESOLVE_PROXY:
            return words.later("its proxy was not found: " + words.text(), kProxies);
        case CURLE_COULDNT_CONNECT:
            return not_connected(words, failed);
        case CURLE_OPERATION_TIMEDOUT:
            return out_of_time(words, failed, options);
        case CURLE_SSL_CONNECT_ERROR:
            return tls_failure(words, options);
        case CURLE_SSL_CERTPROBLEM:
            return words.never("the client certificate cannot be used: " + words.text(),
                               "check that the key is of this certificate, and the passphrase of the key");
        case CURLE_PEER_FAILED_VERIFICATION:
            return words.never("its certificate is not accepted: " + words.text(),
                               options.ca_file.empty()
                                   ? "if the server's certificate is from an authority of its own, "
                                     "give the authority's certificate"
                                   : "");
        case CURLE_SSL_CACERT_BADFILE:
            return words.never("the trusted certificates cannot be read: " + words.text());
        case CURLE_ABORTED_BY_CALLBACK:
            return words.never("the request was ended");
        case CURLE_OUT_OF_MEMORY:  // also for a line of a head above its own limit
            return failed.answered && !failed.head_ended
                       ? words.malformed("the head of the answer is too large")
                       : words.later("not enough memory");
        case CURLE_UNSUPPORTED_PROTOCOL:  // what does not begin as HTTP does, is taken for HTTP 0.9
        case CURLE_WEIRD_SERVER_REPLY:
            return words.malformed(
                "the answer is not valid HTTP: " + words.text(),
                exchange.url.is_tls() ? "" : "check the port; if the server speaks TLS there, use https://");
        default:
            return words.malformed("the answer cannot be used: " + words.text());
    }
}

}  // namespace modelseal::http
