// PKCS#11 URIs from anywhere: a parse ends in what can be shown, or in an Error that tells no PIN.
#include <cstdint>
#include <string_view>

#include "crypto/token/pkcs11_uri.h"
#include "tests/fuzz/fuzz.h"
#include "util/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto uri = crypto::parse_pkcs11_uri({reinterpret_cast<const char*>(data), size});
    if (!uri.ok()) {
        test::must_be_fair(uri.error());
    } else if (!util::is_utf8(uri->shown())) {
        test::finding("a name that cannot be shown");
    }
    return 0;
}
