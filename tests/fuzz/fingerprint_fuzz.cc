// Fingerprint files: what is inside the encryption, which a vendor's key is needed to reach, and the header.
#include <cmath>

#include "blackbox/container/container.h"
#include "blackbox/container/payload.h"
#include "blackbox/method.h"
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
    const auto queries = blackbox::method_of(*whole).queries(*whole);
    if (queries.size() > (1u << 20) / whole->input.shape.elements()) return 0;
    if (blackbox::inputs_of(*whole, 0, queries.size()).size() !=
        queries.size() * whole->input.shape.elements()) {
        test::finding("inputs that are not as many as queries");
    }
    const auto again = blackbox::encode_payload(*whole);
    if (!again.ok() || !blackbox::decode_payload(*again, "fuzz").ok()) {
        test::finding("a fingerprint that does not come back");
    }
    return 0;
}
