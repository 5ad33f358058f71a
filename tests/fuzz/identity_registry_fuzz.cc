// Registry files: the head and signature of any bytes, and the body that only a vendor's signature leads to. A
// body that is accepted is well-formed and survives being written and read again.
#include <array>

#include "identity/mark.h"
#include "identity/registry.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

const SigningKey& key() {
    static const SigningKey fixed = [] {
        std::array<std::byte, 32> seed;
        seed.fill(std::byte{1});
        return SigningKey(Secret32(seed));
    }();
    return fixed;
}

void check_body(std::span<const std::byte> body, bool with_key_images) {
    identity::Registry registry{.name = "fuzz",
                                .vendor = key().public_key(),
                                .ledger = std::string(64, '0'),
                                .number = 1,
                                .made = 1,
                                .next = 2,
                                .with_key_images = with_key_images,
                                .marks = {},
                                .identities = {}};
    const auto decoded = identity::decode_body(body, with_key_images, registry);
    if (!decoded.ok()) return test::must_be_fair(decoded.error());
    for (const auto& mark : registry.marks) {
        if (!identity::complaint(mark).empty()) test::finding("a mark that cannot be");
    }
    for (const auto& each : registry.identities) {
        if (util::printable(each.user) != each.user) test::finding("a user that cannot be shown");
    }
    const auto bytes = identity::encode_registry(registry, key());
    if (!bytes.ok()) test::finding("cannot be written again: " + bytes.error().message);
    const auto again = identity::load_registry(formats::MemorySource("again", *bytes));
    if (!again.ok() || again->identities.size() != registry.identities.size() ||
        again->marks.size() != registry.marks.size()) {
        test::finding("not the same after a round trip");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto loaded = identity::load_registry(formats::MemorySource("fuzz", bytes));
    if (!loaded.ok()) test::must_be_fair(loaded.error());
    check_body(bytes, false);
    check_body(bytes, true);
    // The body of a seed that is a complete file.
    constexpr std::size_t kFront = 105;
    if (bytes.size() > kFront + 64) check_body(bytes.subspan(kFront, bytes.size() - kFront - 64), true);
    return 0;
}
