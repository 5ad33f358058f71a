// Fingerprint files: what is inside the encryption, which a vendor's key is needed to reach, and the header.
#include <cmath>

#include "blackbox/container.h"
#include "blackbox/pairs/inputs.h"
#include "blackbox/payload.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const formats::MemorySource source("fuzz", bytes);
    const auto shown = blackbox::show(source);
    if (!shown.ok()) test::must_be_fair(shown.error());
    const auto whole = blackbox::decode_payload(bytes, "fuzz");
    if (!whole.ok()) {
        test::must_be_fair(whole.error());
        return 0;
    }
    if (!blackbox::complaint(*whole).empty()) test::finding("a fingerprint that is not well-formed");
    for (const auto& rung : whole->pairs().rungs) {
        if (whole->input.shape.elements() * rung.pairs.size() > 1u << 20) return 0;
        static_cast<void>(blackbox::inputs_of(*whole, rung.pairs));
    }
    const auto again = blackbox::encode_payload(*whole);
    if (!again.ok() || !blackbox::decode_payload(*again, "fuzz").ok()) {
        test::finding("a fingerprint that does not come back");
    }
    return 0;
}
