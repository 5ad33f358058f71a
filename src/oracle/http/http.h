// An HTTP/1.1 client for one server that may be hostile: TLS with verification always on, caps on responses,
// one timeout from connecting to the last byte. Follows neither redirects nor proxies.
//
// Thread safety: one call at a time on one object.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oracle/deadline.h"
#include "oracle/http/url.h"

namespace modelseal::oracle {

struct HttpOptions {
    std::string token = {};    // bearer token; goes over TLS or to this machine only
    std::string ca_file = {};  // PEM; trusted instead of the system's anchors
    std::chrono::milliseconds timeout{30'000};
    unsigned retries = 4;                    // of what may succeed later
    std::chrono::milliseconds backoff{500};  // before the first retry; doubled, with jitter, at most 30 s
    std::size_t max_body = 64u << 20;        // of an answer
    Deadline deadline = {};                  // for all requests, retries and pauses together
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string target;     // path, percent-encoded
    bool post = false;      // else GET
    std::string body = {};  // of a POST
    HttpFields fields = {};
};

struct HttpResponse {
    unsigned status = 0;
    HttpFields fields;  // names in lower case
    std::string body;
    // The first field of that (lower-case) name, or empty.
    std::string_view field(std::string_view name) const;
};

class HttpConnection;

class HttpClient {
  public:
    // Does not connect yet. Errors: a token that may_carry() refuses (`usage`); a CA file that cannot be read
    // or has no certificate.
    static Result<std::unique_ptr<HttpClient>> open(Url server, HttpOptions options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    const Url& server() const;
    const Deadline& deadline() const { return deadline_; }

    // Any status but a redirect is a response. Retries what may succeed later, honoring Retry-After.
    // `too_large`, if given, is set if the response was larger than the cap. Errors name the server.
    Result<HttpResponse> send(const HttpRequest& request, bool* too_large = nullptr);

  private:
    HttpClient(std::unique_ptr<HttpConnection> connection, const HttpOptions& options);
    std::unique_ptr<HttpConnection> connection_;
    unsigned retries_;
    std::chrono::milliseconds backoff_;
    Deadline deadline_;
};

}  // namespace modelseal::oracle
