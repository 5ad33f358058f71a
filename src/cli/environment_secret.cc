#include "cli/environment_secret.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include <sodium.h>

namespace modelseal::cli {

std::optional<std::string> environment_secret(const char* variable) {
    static std::map<std::string, std::string> taken;
    if (char* value = std::getenv(variable); value != nullptr) {
        taken[variable] = value;
        sodium_memzero(value, std::strlen(value));
        ::unsetenv(variable);
    }
    const auto found = taken.find(variable);
    return found == taken.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace modelseal::cli
