#include "policy/rules.h"

#include <algorithm>

namespace modelseal::policy {

const Rule& rule_for(const Rules& rules, std::string_view name) {
    const auto found =
        std::ranges::find_if(rules.models, [&](const Rule& rule) { return rule.match->matches(name); });
    return found == rules.models.end() ? rules.otherwise : *found;
}

}  // namespace modelseal::policy
