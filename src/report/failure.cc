#include "report/failure.h"

#include "report/check/json.h"
#include "report/words.h"

namespace modelseal::report {

std::string to_json(std::string_view command, const Error& error, ExitCode code) {
    nlohmann::ordered_json json;
    json["schema"] = "modelseal-error/1";
    json["command"] = json_text(command);
    json["exit_code"] = static_cast<int>(code);
    json["error"] = json_text(error.message);
    json["error_code"] = word(error.kind);
    if (!error.hint.empty()) json["hint"] = json_text(error.hint);
    return dumped(json);
}

}  // namespace modelseal::report
