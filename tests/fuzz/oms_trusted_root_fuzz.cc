// Trusted roots from anywhere: a parse ends in keys and certificates or in an Error that is not our own fault.
#include <cstdint>
#include <string_view>

#include "oms/trusted_root.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto root = oms::parse_trusted_root({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!root.ok()) {
        test::must_be_fair(root.error());
        return 0;
    }
    for (const auto* logs : {&root->logs, &root->certificate_logs}) {
        for (const auto& log : *logs) {
            const auto key = oms::usable(log, "fuzz");
            if (key.ok() && (*key)->verify(log.id, log.id)) test::finding("a key that signed its own id");
            if (!key.ok()) test::must_be_fair(key.error());
        }
    }
    return 0;
}
