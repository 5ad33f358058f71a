#include "hook/oci/json_fields.h"

#include <span>

#include "formats/json.h"
#include "formats/reader.h"
#include "util/error.h"

namespace modelseal::hook {

Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& what) {
    constexpr std::uint32_t kDeepest = 32;
    const formats::MemorySource source(what, std::as_bytes(std::span(text)));
    MODELSEAL_TRY_ASSIGN(auto object, formats::parse_json(source, 0, text, "JSON", kDeepest));
    if (!object.is_object()) return util::malformed(what, "not a JSON object");
    return object;
}

std::string text_field(const nlohmann::json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace modelseal::hook
