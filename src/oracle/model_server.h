// A server that is asked about one model: its address, what proves to it who is asking, and the time for all requests.
//
// Redirects stay on its host; retries are as EndpointOptions say, and each is announced.
//
// Thread safety: one call at a time on one object.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "oracle/deadline.h"
#include <modelseal/fingerprint.h>

namespace modelseal::oracle {

inline constexpr std::size_t kMaxAnswer = 64u << 20;  // bytes of an answer, unpacked

class ModelServer {
  public:
    struct Post {
        std::string path;  // as of get()
        std::string body, media_type;
        http::Fields fields = {};
    };
    // Does not connect yet. Errors: what may_carry() refuses (`usage`); files that cannot be read or have no certificate.
    // `max_answer`: bytes.
    static Result<std::unique_ptr<ModelServer>> open(const http::Url& model, const EndpointOptions& options,
                                                     std::size_t max_answer = kMaxAnswer);

    const std::string& path() const {
        return path_;
    }  // of the model, percent-encoded, without a '/' at its end
    const std::string& name() const { return name_; }  // "https://host/v2/models/net", for messages
    const Deadline& deadline() const { return deadline_; }

    // `path` is from the root of the server on. A response of any status but a redirect. Errors name the server.
    Result<http::Response> get(const std::string& path);
    // An answer above the cap is an error; `too_large` is set then.
    Result<http::Response> post(Post post, bool& too_large);

  private:
    ModelServer(http::Client client, const http::Url& model, const EndpointOptions& options);
    Result<http::Response> send(http::Request request, const std::string& path, bool& too_large);

    http::Client client_;
    std::string origin_, path_, name_, authorization_;
    http::Fields own_;
    Deadline deadline_;
    std::size_t max_answer_ = kMaxAnswer;
};

}  // namespace modelseal::oracle
