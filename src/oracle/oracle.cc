#include "oracle/oracle.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::oracle {

Result<void> Oracle::check_size(std::span<const float> inputs, std::size_t count) const {
    const auto each = input().elements();
    if (count > 0 && inputs.size() / count == each && inputs.size() % count == 0) return {};
    return Error{ErrorKind::usage,
                 fmt::format("{}: {} do not make {} of {}", name(), util::counted(inputs.size(), "number"),
                             util::counted(count, "input"), each),
                 {}};
}

}  // namespace modelseal::oracle
