// One connection to a server, made when it is needed and kept for the next request. What includes Boost.Beast
// is behind this header, because it compiles slowly.
#pragma once

#include <memory>

#include "oracle/http/http.h"

namespace modelseal::oracle {

// Why there is no response.
struct HttpFailure {
    Error error;
    bool later = false;      // the same request may succeed later: no connection, or it broke
    bool too_large = false;  // the response is larger than HttpOptions::max_body
};

class HttpConnection {
  public:
    // Reads the trusted certificates; connects to nobody yet.
    static Result<std::unique_ptr<HttpConnection>> open(Url server, HttpOptions options);
    ~HttpConnection();

    const Url& server() const;

    // One request, sent again only if a connection that had been kept turns out to be closed. No failure if
    // there is a response, whatever its status.
    std::unique_ptr<HttpFailure> exchange(const HttpRequest& request, HttpResponse& response);

  private:
    struct State;
    explicit HttpConnection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::oracle
