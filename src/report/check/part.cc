#include "report/check/part.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/check/json.h"

namespace modelseal::report {

void add_part(const PartFinding& part, Section& section) {
    section.say(
        fmt::format("{}, and all else in the files: names, types, shapes, code ({} of {} were compared)",
                    counted(part.tensors_total - part.tensors, "other tensor"), byte_size(part.bytes),
                    byte_size(part.bytes_total)),
        "not checked");
    if (part.bits > 0 && part.is_signed) {
        section.say(fmt::format("{} signed bits of SHA-256 for each tensor", part.bits), "proof");
    } else if (part.bits > 0) {
        section.say(
            fmt::format("{} bits of SHA-256 for each block, not signed: finds accidents, not what somebody "
                        "changed on purpose",
                        part.bits),
            "proof");
    }
    section.fact("patterns", fmt::format("{}", fmt::join(part.patterns, ", ")));
}

nlohmann::ordered_json part_json(const PartFinding& part) {
    return {{"patterns", texts(part.patterns)},
            {"tensors", part.tensors},
            {"tensors_total", part.tensors_total},
            {"bytes", part.bytes},
            {"bytes_total", part.bytes_total},
            {"bits", part.bits},
            {"signed", part.is_signed}};
}

}  // namespace modelseal::report
