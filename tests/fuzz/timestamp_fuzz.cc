// Timestamps (RFC 3161) from anywhere: their time is read or not, and none is of an authority that is trusted.
#include <cstdint>
#include <span>

#include "crypto/x509/timestamp.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto response = std::as_bytes(std::span(data, size));
    static_cast<void>(crypto::claimed_time(response));
    const auto at = crypto::verify_timestamp(response, {}, {}, "fuzz");
    if (at.ok()) test::finding("a timestamp of nobody");
    test::must_be_fair(at.error());
    return 0;
}
