#include "oracle/endpoint.h"

#include <fmt/format.h>

#include "oracle/json_text.h"
#include "util/text.h"

namespace modelseal::oracle {

Error refusal(const HttpResponse& response, const std::string& source) {
    const auto said = complaint_of(response.body);
    Error error{
        ErrorKind::unreadable,
        fmt::format("{}: HTTP status {}{}", source, response.status, said.empty() ? "" : ": '" + said + "'"),
        {}};
    if (response.status == 401 || response.status == 403)
        error.hint = "the server needs a token, or another token";
    if (response.status == 404) error.hint = "check the model's name, and that the server has loaded it";
    return error;
}

bool may_be_too_large(unsigned status) {
    return status == 400 || status == 413 || status == 422 || status == 500;
}

Result<std::string> get_document(HttpClient& client, const std::string& path, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(auto response, client.send({path}));
    if (response.status != 200) return refusal(response, source);
    return std::move(response.body);
}

namespace {

// "/v2/models/NAME" or "/v2/models/NAME/versions/V" at the end of `path`, whatever a gateway puts before it.
bool names_model(const std::string& path, const std::string& start) {
    const auto at = path.rfind(start);
    if (at == std::string::npos) return false;
    const auto rest = path.substr(at + start.size());
    const auto slash = rest.find('/');
    if (slash == 0 || rest.empty()) return false;
    if (slash == std::string::npos) return true;
    const auto versions = rest.substr(slash);
    const bool known = versions.starts_with("/versions/") || versions.starts_with("/labels/");
    const auto version = versions.substr(std::min(versions.size(), versions.find('/', 1) + 1));
    return known && !version.empty() && version.find('/') == std::string::npos;
}

}  // namespace

bool is_endpoint(std::string_view target) {
    return is_http_url(target) || target.starts_with("exec:") || target.starts_with("exec+binary:");
}

Result<std::unique_ptr<Oracle>> connect(const std::string& target, const EndpointOptions& options,
                                        const InputShape& expected) {
    if (!is_http_url(target)) return connect_program(target, options, expected);
    MODELSEAL_TRY_ASSIGN(const auto url, parse_url(target));
    HttpOptions http;
    http.token = options.token;
    http.ca_file = options.ca_file;
    http.timeout = std::chrono::seconds(options.timeout_s);
    http.retries = options.retries;
    http.deadline = Deadline(std::chrono::seconds(options.max_seconds));
    const bool oip = names_model(url.path, "/v2/models/");
    if (!oip && !names_model(url.path, "/v1/models/")) {
        return Error{ErrorKind::usage,
                     fmt::format("'{}' is not the address of a served model", util::printable(target)),
                     "such an address ends in /v2/models/NAME (Open Inference Protocol) or /v1/models/NAME "
                     "(TensorFlow Serving), optionally followed by /versions/V"};
    }
    MODELSEAL_TRY_ASSIGN(auto client, HttpClient::open(url, http));
    return oip ? connect_oip(std::move(client), options, expected)
               : connect_tf_serving(std::move(client), options, expected);
}

}  // namespace modelseal::oracle
