// Entries of transparency logs from anywhere, with their proofs, checkpoints and records: they are read or
// refused fairly, and no log has signed one that a fuzzer wrote.
#include <cstdint>
#include <string>
#include <string_view>

#include "oms/log.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

// Keys whose secret halves were thrown away.
constexpr std::string_view kRoot =
    R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[
{"publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEo0drJmsjqQpYD0EohOPehBtJx0B2kscrjbwBrb8P1rnQKxEVyRdP4BZ7qVl9l4m1XyqJZ/GwAJFFCj4nPq7DXA==",
"keyDetails":"PKIX_ECDSA_P256_SHA_256","validFor":{"start":"2020-01-01T00:00:00Z"}},"logId":{"keyId":"AAAAAA=="}},
{"publicKey":{"rawBytes":"MCowBQYDK2VwAyEA0hOZOB/QfXGBlMgXqlFucOSv5gNhNIb6rFeTk4GIdmo=",
"keyDetails":"PKIX_ED25519","validFor":{"start":"2020-01-01T00:00:00Z"}},"logId":{"keyId":"AAAAAA=="}}]})";

const std::vector<oms::TrustedRoot::Log>& logs() {
    static const auto root = oms::parse_trusted_root(kRoot, "root").value();
    return root.logs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto json = oms::parse_document(text, "fuzz", "entry");
    if (!json.ok()) {
        test::must_be_fair(json.error());
        return 0;
    }
    const auto fields = oms::Fields::of(*json, "fuzz");
    const auto entry = fields.ok() ? oms::read_log_entry(*fields) : Result<oms::LogEntry>(fields.error());
    if (!entry.ok()) {
        test::must_be_fair(entry.error());
        return 0;
    }
    // A fuzzer can build a tree of its own, but not have it signed.
    static_cast<void>(oms::in_tree(*entry));
    for (const auto& log : logs()) {
        if (oms::checkpoint_holds(*entry, log)) test::finding("a signed checkpoint");
        if (oms::promise_holds(*entry, log)) test::finding("a signed promise");
    }
    const auto body = oms::read_log_body(*entry, "fuzz");
    if (!body.ok()) test::must_be_fair(body.error());
    return 0;
}
