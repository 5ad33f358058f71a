// Key files from anywhere: a parse ends in a key or in an Error that is not our own fault, and what is accepted
// comes back as it was.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/keys/check_key.h"
#include "crypto/keys/pem.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // No passphrase: deriving a key from one would be all that the fuzzer does.
    const auto secret = crypto::parse_signing_key(text, "fuzz", [](const std::string&) -> Result<std::string> {
        return Error{ErrorKind::usage, "no passphrase", ""};
    });
    if (!secret.ok()) test::must_be_fair(secret.error());
    const auto open = crypto::parse_public_key(text, "fuzz");
    if (!open.ok()) {
        test::must_be_fair(open.error());
    } else if (const auto again = crypto::parse_public_key(public_key_pem(*open), "fuzz");
               !again.ok() || *again != *open) {
        test::finding("a public key that does not come back");
    }
    const auto check = crypto::parse_check_key(text, "fuzz");
    if (!check.ok()) test::must_be_fair(check.error());
    return 0;
}
