// One request to one server, and its answer: where libcurl is called. Knows nothing of redirects and retries.
#pragma once

#include "http/client.h"

namespace modelseal::http {

// Why a response is not complete.
struct TransferFailure {
    Error error;
    bool later = false;  // the same request may succeed later: no connection, or it broke
};

struct Exchange {
    const Request& request;
    Url url;                            // may be another one than that of the request, after a redirect
    enum class Secrets { sent, kept };  // all that proves who is asking
    Secrets secrets = Secrets::kept;
    std::chrono::milliseconds limit{0};
    const Sink* sink = nullptr;   // for the body of a response 200 or 206; else it goes into the response
    std::uint64_t delivered = 0;  // bytes that `sink` has already: asked for from there on, or skipped
    std::string validator = {};   // strong ETag of the response that was cut off, or empty
};

class Transfer {
  public:
    static Result<std::unique_ptr<Transfer>> open(const ClientOptions& options);
    ~Transfer();

    // `exchange.delivered` counts on. Nothing if the response is complete, of whatever status.
    std::optional<TransferFailure> run(Exchange& exchange, Response& response);

  private:
    struct State;
    struct Connected;
    static int on_connected(void* user, char* address, char*, int, int);
    explicit Transfer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::http
