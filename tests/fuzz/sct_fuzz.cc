// Lists of SCTs (RFC 6962) from anywhere, and the certificates that hold them.
#include <cstdint>
#include <span>

#include "crypto/x509/sct.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void certificate(std::span<const std::byte> der) {
    const auto read = crypto::Certificate::of_der(der, "fuzz");
    if (!read.ok()) return test::must_be_fair(read.error());
    const auto scts = crypto::embedded_scts(*read, "fuzz");
    if (!scts.ok()) return test::must_be_fair(scts.error());
    for (const auto& sct : *scts) {
        const auto entry = crypto::signed_entry(sct, *read, *read, "fuzz");
        if (!entry.ok()) test::must_be_fair(entry.error());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto list = crypto::parse_sct_list(bytes);
    std::size_t sum = 0;
    if (list) {
        for (const auto& sct : *list) sum += sct.log_id.size() + sct.extensions.size() + sct.signature.size();
    }
    if (sum > size) test::finding("SCTs of more bytes than there are");
    certificate(bytes);
    return 0;
}
