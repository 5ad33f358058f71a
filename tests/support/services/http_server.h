// An HTTP server in the test's own process, which behaves or misbehaves as requested.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace modelseal::test {

struct HttpAsked {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
    std::string field(std::string_view name) const;
};

struct HttpReply {
    unsigned status = 200;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::string raw = {};                 // sent instead of all that, as it is
    std::chrono::milliseconds delay{0};   // before the first byte
    std::size_t cut = std::string::npos;  // so many bytes are sent, then the connection is dropped
    bool close = false;                   // after the answer, without saying so
    bool chunked = false;
};

struct TlsFiles {
    std::string certificates, key;      // PEM
    std::string client_authority = {};  // PEM; not empty: clients must show a certificate of it
};

class HttpServer {
  public:
    using Handler = std::function<HttpReply(const HttpAsked&)>;
    // `handler` is called by one thread at a time.
    explicit HttpServer(Handler handler, const TlsFiles* tls = nullptr);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    unsigned port() const;
    // "http://127.0.0.1:PORT/path", https where it speaks TLS.
    std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;
    std::vector<HttpAsked> asked() const;  // all that came in, in order
    unsigned connections() const;          // that were accepted

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::test
