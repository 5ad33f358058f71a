// The file of an OpenSSF model signature (OMS 1.0): a Sigstore bundle in JSON, with a DSSE envelope in it.
//
//     text = write_bundle(parse_bundle(text, "model.sig").value());
//
// Parsing is strict: JSON that can be read in one way only, no key that is not in the format, base64 in one
// spelling, one signature, one method. Its content is untrusted until the signature was verified.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::oms {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint64_t kMaxBundleBytes = 64u << 20;
inline constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
inline constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

// An entry of a transparency log that states when the signature was made (Sigstore, keyless).
struct LogEntry {
    std::uint64_t log_index = 0;        // over all shards of the log
    Bytes log_id;                       // SHA-256 of the log's public key
    std::string kind, version;          // of `body`: "dsse", "0.0.1"
    std::uint64_t integrated_time = 0;  // seconds since 1970
    Bytes promise;                      // SignedEntryTimestamp; empty if there is none
    struct Proof {
        std::uint64_t index = 0, tree_size = 0;
        Bytes root;
        std::vector<Bytes> hashes;
        std::string checkpoint;
    };
    Proof proof;
    bool proven = false;  // whether there is a proof
    Bytes body;           // canonicalized JSON
};

struct Bundle {
    enum class Method {
        key,          // a bare public key, which the verifier must know
        certificate,  // X.509, leaf first
        sigstore,     // keyless: one short-lived certificate, and a log that states when it was used
    };
    Method method = Method::key;
    std::string hint;                 // of the key; empty if there is none, as in releases up to 1.0.1
    std::vector<Bytes> certificates;  // DER
    std::vector<LogEntry> log;
    std::vector<Bytes> timestamps;  // RFC 3161 responses, DER
    Bytes payload;                  // the statement, as found
    Bytes signature;                // DER
};

std::string_view name_of(Bundle::Method method);  // "key", "certificate", "sigstore"

// `shown` names the file in errors.
Result<Bundle> parse_bundle(std::string_view text, const std::string& shown);
// In the form of the reference: one line, no white space, no line end. Precondition: a key or certificates.
std::string write_bundle(const Bundle& bundle);

// The signed bytes (DSSE 1.0, PAE): type and payload with their lengths.
Bytes pre_authentication_encoding(const Bytes& payload);
// The bytes that release 0.2.0 of the reference signed instead: the payload as Python prints bytes.
Bytes encoding_of_0_2_0(const Bytes& payload);

}  // namespace modelseal::oms
