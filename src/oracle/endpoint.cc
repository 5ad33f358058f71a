#include "oracle/endpoint.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "oracle/json_text.h"
#include "util/text.h"

namespace modelseal::oracle {

Error refusal(const http::Response& response, const std::string& source) {
    const auto said = complaint_of(response.body);
    Error error{
        ErrorKind::unreadable,
        fmt::format("{}: HTTP status {}{}", source, response.status, said.empty() ? "" : ": '" + said + "'"),
        {}};
    if (response.status == 401 || response.status == 403)
        error.hint = "the server asks for a token, or for other credentials";
    if (response.status == 404) error.hint = "check the model's name, and that the server has loaded it";
    return error;
}

bool may_be_too_large(unsigned status) {
    return status == 400 || status == 413 || status == 422 || status == 500;
}

Result<std::string> get_document(ModelServer& server, const std::string& path) {
    MODELSEAL_TRY_ASSIGN(auto response, server.get(path));
    if (response.status != 200) return refusal(response, server.name());
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

// "/models/net.onnx": what people copy from the page of a hub.
bool looks_like_file(const std::string& path) {
    constexpr std::array<std::string_view, 9> kEndings = {".safetensors", ".onnx", ".gguf", ".pt", ".pth",
                                                          ".bin",         ".json", ".ckpt", ".zip"};
    return std::ranges::any_of(kEndings, [&](std::string_view ending) { return path.ends_with(ending); });
}

Error not_a_model(const std::string& target, const std::string& path) {
    constexpr std::string_view kForms =
        "the address of a served model ends in /v2/models/NAME (Open Inference Protocol) or /v1/models/NAME "
        "(TensorFlow Serving), optionally followed by /versions/V";
    return {ErrorKind::usage, fmt::format("'{}' is not the address of a served model", util::printable(target)),
            looks_like_file(path) ? fmt::format("to check a file, download it first; {}", kForms)
                                  : std::string(kForms)};
}

bool is_oip(const std::string& path) {
    return names_model(path, "/v2/models/");
}

std::string without_end(std::string path) {
    while (path.ends_with('/')) path.pop_back();
    return path;
}

Result<http::Url> parse_model_url(const std::string& target) {
    if (target.find_first_of("?#") != std::string::npos) {
        return Error{ErrorKind::usage, "the address of the model has a query or a fragment",
                     "remove the part from '?' or '#' on"};
    }
    auto url = http::Url::parse(target);
    if (!url.ok()) {
        return Error{
            ErrorKind::usage, url.error().message + ", so that no model can be asked there",
            "such an address is http(s)://HOST[:PORT]/v2/models/NAME; a token is better than a password"};
    }
    const auto path = without_end(url->path());
    if (is_oip(path) || names_model(path, "/v1/models/")) return url;
    return not_a_model(target, path);
}

// "localhost:8000/v2/models/net"
bool lacks_scheme(const std::string& target) {
    const auto slash = target.find('/');
    if (slash == 0 || slash == std::string::npos || target.find("//") != std::string::npos) return false;
    const auto path = without_end(target.substr(slash));
    std::error_code ignored;
    return (is_oip(path) || names_model(path, "/v1/models/")) && !std::filesystem::exists(target, ignored);
}

}  // namespace

bool is_http_url(std::string_view target) {
    const auto begins = [&](std::string_view scheme) {
        return target.size() >= scheme.size() &&
               std::ranges::equal(target.substr(0, scheme.size()), scheme, [](char a, char b) {
                   return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
               });
    };
    return begins("http://") || begins("https://");
}

bool is_endpoint(std::string_view target) {
    return is_http_url(target) || target.starts_with("exec:") || target.starts_with("exec+binary:");
}

Result<void> check_target(const std::string& target) {
    if (is_http_url(target)) {
        MODELSEAL_TRY(parse_model_url(target));
    } else if (!is_endpoint(target) && lacks_scheme(target)) {
        const auto shown = util::printable(target);
        return Error{ErrorKind::usage, fmt::format("'{}' is neither a file nor a URL", shown),
                     fmt::format("for a served model, put the protocol first: http://{}", shown)};
    }
    return {};
}

Result<std::unique_ptr<Oracle>> connect(const std::string& target, const EndpointOptions& options,
                                        const InputShape& expected) {
    if (!is_http_url(target)) return connect_program(target, options, expected);
    MODELSEAL_TRY_ASSIGN(const auto url, parse_model_url(target));
    MODELSEAL_TRY_ASSIGN(auto server, ModelServer::open(url, options));
    return is_oip(server->path()) ? connect_oip(std::move(server), options, expected)
                                  : connect_tf_serving(std::move(server), options, expected);
}

}  // namespace modelseal::oracle
