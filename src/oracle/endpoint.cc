#include "oracle/endpoint.h"

#include <algorithm>

#include <fmt/format.h>

#include "formats/reader.h"
#include "oracle/batched.h"
#include "oracle/json_text.h"
#include "oracle/output_tensor.h"

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

Result<InputShape> agree(const InputShape& expected, const std::string& name,
                         const std::vector<std::int64_t>& shape, const std::string& source,
                         std::size_t& batch) {
    InputShape input{name.empty() ? expected.name : name, expected.shape};
    batch = 0;
    if (shape.empty()) return input;
    const std::span<const std::int64_t> one(shape.data() + 1, shape.size() - 1);
    if (input.shape.empty()) {
        const bool known = std::all_of(one.begin(), one.end(), [](auto extent) { return extent > 0; });
        if (known) input.shape.assign(one.begin(), one.end());
    }
    const bool fits = input.shape.empty() ||
                      std::equal(one.begin(), one.end(), input.shape.begin(), input.shape.end(),
                                 [](auto theirs, auto ours) { return theirs == -1 || theirs == ours; });
    if (!fits) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: takes inputs of shape {}, batch first, not {}", source, shown(shape),
                                 shown(input.shape)),
                     "is it the right model? the order of the channels counts as well"};
    }
    std::size_t elements = 0;
    if (!elements_of(input.shape, kMaxRequestValues, elements) ||
        (shape[0] > 0 &&
         static_cast<std::size_t>(shape[0]) > kMaxRequestValues / std::max<std::size_t>(elements, 1))) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: inputs of shape {} are too large", source, shown(shape)),
                     {}};
    }
    if (shape[0] > 0) batch = static_cast<std::size_t>(shape[0]);
    return input;
}

}  // namespace modelseal::oracle
