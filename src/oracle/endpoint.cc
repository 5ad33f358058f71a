#include "oracle/endpoint.h"

#include <fmt/format.h>

#include "oracle/json_text.h"

namespace modelseal::oracle {

Error refusal(const HttpResponse& response, const std::string& source) {
    const auto said = complaint_of(response.body);
    Error error{
        ErrorKind::unreadable,
        fmt::format("{}: answers {}{}", source, response.status, said.empty() ? "" : ": '" + said + "'"),
        {}};
    if (response.status == 401 || response.status == 403) error.hint = "does it want a token, or another one?";
    if (response.status == 404) error.hint = "is the model's name right, and is it loaded?";
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

}  // namespace modelseal::oracle
