// The memory of the newest states: what is accepted survives being written and read again.
#include "identity/newest.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto newest = identity::decode_newest({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!newest.ok()) {
        test::must_be_fair(newest.error());
        return 0;
    }
    const auto again = identity::decode_newest(identity::encode_newest(*newest), "again");
    if (!again.ok() || *again != *newest) test::finding("not the same after a round trip");
    return 0;
}
