// OpenSSF model signatures from anywhere: a bundle, or the statement in it, ends in values or in an Error that
// is not our own fault, and what is accepted comes back as it was.
#include <cstdint>
#include <string>
#include <string_view>

#include "oms/bundle.h"
#include "oms/statement.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void statement(const oms::Bytes& payload) {
    static_cast<void>(oms::claims_0_2_0(payload));
    const auto parsed = oms::parse_statement(payload, "fuzz");
    if (!parsed.ok()) return test::must_be_fair(parsed.error());
    if (parsed->resources.empty()) test::finding("a statement about nothing");
    for (const auto& resource : parsed->resources) {
        if (resource.name.starts_with('/') || ("/" + resource.name + "/").find("/../") != std::string::npos) {
            test::finding("a name that leads out of the model");
        }
    }
    if (parsed->release_0_2_0) return;
    const auto again = oms::parse_statement(oms::write_statement(*parsed), "fuzz");
    if (!again.ok() || oms::write_statement(*again) != oms::write_statement(*parsed)) {
        test::finding("a statement that does not come back");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto raw = std::as_bytes(std::span(data, size));
    statement({raw.begin(), raw.end()});
    const auto bundle = oms::parse_bundle(text, "fuzz");
    if (!bundle.ok()) {
        test::must_be_fair(bundle.error());
        return 0;
    }
    statement(bundle->payload);
    static_cast<void>(oms::encoding_of_0_2_0(bundle->payload));
    if (bundle->method == oms::Bundle::Method::sigstore) return 0;
    const auto again = oms::parse_bundle(oms::write_bundle(*bundle), "fuzz");
    const bool same = again.ok() && again->payload == bundle->payload &&
                      again->signature == bundle->signature && again->certificates == bundle->certificates &&
                      again->timestamps == bundle->timestamps;
    // A key without a hint is of an old release, and cannot be written.
    if (!same && !(bundle->method == oms::Bundle::Method::key && bundle->hint.empty())) {
        test::finding("a bundle that does not come back");
    }
    return 0;
}
