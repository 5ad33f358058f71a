
#include "oracle/http/http.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "http/retry.h"
#include "oracle/http/http_connection.h"
#include "oracle/http/url.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using std::chrono::milliseconds;

bool may_succeed_later(unsigned status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

Error redirected(const Url& server, const HttpResponse& response) {
    const auto where = util::printable(response.field("location").substr(0, 500));
    return {ErrorKind::unreadable,
            fmt::format("{}: redirects to '{}', which is not followed", server.origin(), where),
            "if that is the right server, give that address"};
}

}  // namespace

std::string_view HttpResponse::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return {};
}

HttpClient::HttpClient(std::unique_ptr<HttpConnection> connection, const HttpOptions& options)
    : connection_(std::move(connection)),
      retries_(options.retries),
      backoff_(options.backoff),
      deadline_(options.deadline) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::open(Url server, HttpOptions options) {
    if (!options.token.empty()) MODELSEAL_TRY(may_carry(server, options.token));
    MODELSEAL_TRY_ASSIGN(auto connection, HttpConnection::open(std::move(server), options));
    return std::unique_ptr<HttpClient>(new HttpClient(std::move(connection), options));
}

const Url& HttpClient::server() const {
    return connection_->server();
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, bool* too_large) {
    for (unsigned retry = 0;; ++retry) {
        HttpResponse response;
        const auto failure = connection_->exchange(request, response);
        if (failure && failure->too_large && too_large != nullptr) *too_large = true;
        if (!failure && response.status >= 300 && response.status < 400) return redirected(server(), response);
        if (failure && deadline_.over()) return deadline_.error(server().origin() + ": no answer");
        const bool later = failure ? failure->later : may_succeed_later(response.status);
        if (!later || retry == retries_) {
            if (failure) return std::move(failure->error);
            return response;
        }
        const auto wait = failure ? std::nullopt : http::retry_after(response.field("retry-after"));
        std::this_thread::sleep_for(deadline_.at_most(wait.value_or(http::wait_before(retry, backoff_))));
        if (deadline_.over()) return deadline_.error(server().origin() + ": no valid answer");
    }
}

}  // namespace modelseal::oracle
