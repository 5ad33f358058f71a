#include "oracle/model_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "oracle/credentials.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

http::ClientOptions client_options(const EndpointOptions& options) {
    // One limit for a request, whatever it waits for.
    const std::chrono::seconds each(options.timeout_s), later = each + std::chrono::seconds(5);
    http::ClientOptions client{.ca_file = options.ca_file,
                               .client_cert = options.client_cert,
                               .client_key = options.client_key,
                               .client_key_passphrase = options.client_key_passphrase,
                               .connect = later,
                               .stall = later,
                               .total = std::chrono::hours(24 * 365),
                               .attempt = each,
                               .retries = options.retries,
                               // Not 500: it may be about the size of the batch.
                               .passing = {429, 502, 503, 504},
                               .redirected = http::Redirects::same_host,
                               .packed = http::Packed::unpacked,
                               .notice = options.notice};
    return client;
}

}  // namespace

ModelServer::ModelServer(http::Client client, const http::Url& model, const EndpointOptions& options)
    : client_(std::move(client)),
      origin_(model.origin()),
      path_(model.path()),
      authorization_(options.token.empty() ? "" : "Bearer " + options.token),
      own_(options.headers),
      deadline_(std::chrono::seconds(options.max_seconds)) {
    while (path_.ends_with('/')) path_.pop_back();
    name_ = origin_ + path_;
}

Result<std::unique_ptr<ModelServer>> ModelServer::open(const http::Url& model, const EndpointOptions& options,
                                                       std::size_t max_answer) {
    MODELSEAL_TRY(may_carry(model, options));
    MODELSEAL_TRY_ASSIGN(auto client, http::Client::open(client_options(options)));
    std::unique_ptr<ModelServer> server(new ModelServer(std::move(client), model, options));
    server->max_answer_ = max_answer;
    return server;
}

Result<http::Response> ModelServer::get(const std::string& path) {
    bool too_large = false;
    return send({}, path, too_large);
}

Result<http::Response> ModelServer::post(Post post, bool& too_large) {
    return send({.method = http::Method::post,
                 .fields = std::move(post.fields),
                 .body = std::move(post.body),
                 .media_type = std::move(post.media_type)},
                post.path, too_large);
}

Result<http::Response> ModelServer::send(http::Request request, const std::string& path, bool& too_large) {
    MODELSEAL_TRY_ASSIGN(request.url, http::Url::parse(origin_ + path));
    request.authorization = authorization_;
    request.own = own_;
    request.max_body = max_answer_;
    request.overlong = http::Overlong::cut_off;
    request.until = deadline_.end();
    auto response = client_.send(request);
    if (!response.ok() && response.error().remedy == Remedy::allow_more_time)
        return deadline_.error(origin_ + ": no valid answer");
    if (!response.ok() || !response->over_cap) return response;
    too_large = true;
    return Error{ErrorKind::malformed,
                 fmt::format("{}: the answer has more than {}", origin_, util::counted(max_answer_, "byte")),
                 {}};
}

}  // namespace modelseal::oracle
