// The HTTP server that registries send their notifications to: small requests, each answered when it has been dealt with.
//
// Requests are hostile: caps on head and body, a limit on the time of each, and a limit on connections. No TLS: on another
// machine than the registry's, a reverse proxy stands in front.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <modelseal/result.h>

namespace modelseal::hook {

struct ReceiverOptions {
    std::string address = "127.0.0.1";  // of an interface; IPv6 without brackets
    std::uint16_t port = 0;             // 0: any that is free
    std::size_t max_body = 4u << 20;
    unsigned connections = 256;
    unsigned threads = 4;
    std::chrono::seconds patience{30};  // for a request, from its first wait to its last byte
};

struct Asked {
    std::string method, target, authorization, body;
};

struct Answer {
    unsigned status = 200;
    std::string body = {};
    std::string media_type = "text/plain; charset=utf-8";
    std::string retry_after = {};  // seconds; empty: without that header
};

class Receiver {
  public:
    // Called by several threads at once; must not throw.
    using Handler = std::function<Answer(const Asked&)>;
    // The same, as soon as the head of a request is there; its body is read only if this gives no answer.
    using HeadHandler = std::function<std::optional<Answer>(const Asked&)>;

    // Listens when it returns. ErrorKind::usage for an address that is none or is in use.
    static Result<std::unique_ptr<Receiver>> start(const ReceiverOptions& options, Handler handler,
                                                   HeadHandler head_handler);
    ~Receiver();  // as stop()

    std::uint16_t port() const;
    // Ends after the requests that are being dealt with.
    void stop();

  private:
    struct State;
    explicit Receiver(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::hook
