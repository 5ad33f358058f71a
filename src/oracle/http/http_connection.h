// One connection to a server, made on demand and kept for the next request. Code that includes Boost.Beast is
// behind this header, because it compiles slowly.
#pragma once

#include <memory>

#include "oracle/http/http.h"

namespace modelseal::oracle {

// The reason why there is no response.
struct HttpFailure {
    Error error;
    bool later = false;      // the same request may succeed later: no connection, or it broke
    bool too_large = false;  // the response is larger than HttpOptions::max_body
};

class HttpConnection {
  public:
    // Reads the trusted certificates; does not connect yet.
    static Result<std::unique_ptr<HttpConnection>> open(Url server, HttpOptions options);
    ~HttpConnection();

    const Url& server() const;

    // One request, sent again only if a kept connection turns out to be closed. A response of any status is a
    // success.
    std::unique_ptr<HttpFailure> exchange(const HttpRequest& request, HttpResponse& response);

  private:
    struct State;
    explicit HttpConnection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::oracle
