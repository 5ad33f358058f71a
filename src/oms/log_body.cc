#include "oms/log_body.h"

#include <fmt/format.h>

#include "crypto/certificates.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::size_t kHashBytes = 32;

Error mismatch(const Fields& fields, const std::string& what) {
    return {ErrorKind::mismatch, fmt::format("{}: {}", fields.where(), what), {}};
}

// The only element of a list.
Result<Fields> single(const Fields& fields, const std::string& key) {
    MODELSEAL_TRY_ASSIGN(const auto* list, fields.list(key));
    if (list->size() != 1) {
        return fields.malformed(fmt::format("'{}' has {} entries, one is needed", key, list->size()));
    }
    return Fields::of(list->front(), fmt::format("{}.{}[0]", fields.where(), key));
}

// Hexadecimal digits and PEM (rekor/pkg/types/dsse, 0.0.1).
Result<LogBody> read_version_1(const Fields& spec) {
    LogBody out;
    MODELSEAL_TRY_ASSIGN(const auto hash, spec.object("payloadHash"));
    MODELSEAL_TRY_ASSIGN(const auto algorithm, hash.text("algorithm"));
    if (algorithm != "sha256") return hash.malformed("'algorithm' is not sha256");
    MODELSEAL_TRY_ASSIGN(out.payload_hash, hash.digest("value", kHashBytes));
    MODELSEAL_TRY_ASSIGN(const auto signature, single(spec, "signatures"));
    MODELSEAL_TRY_ASSIGN(out.signature, signature.bytes("signature"));
    MODELSEAL_TRY_ASSIGN(const auto verifier, signature.bytes("verifier"));
    const std::string_view pem(reinterpret_cast<const char*>(verifier.data()), verifier.size());
    MODELSEAL_TRY_ASSIGN(const auto certificates, crypto::Certificate::of_pem(pem, signature.where()));
    if (certificates.size() != 1) return signature.malformed("'verifier' is not one certificate");
    out.certificate = certificates.front().der();
    return out;
}

// Base64 and DER (dev.sigstore.rekor.v2.DSSELogEntryV002).
Result<LogBody> read_version_2(const Fields& outer) {
    LogBody out;
    MODELSEAL_TRY_ASSIGN(const auto spec, outer.object("dsseV002"));
    MODELSEAL_TRY_ASSIGN(const auto hash, spec.object("payloadHash"));
    MODELSEAL_TRY_ASSIGN(const auto algorithm, hash.text("algorithm"));
    if (algorithm != "SHA2_256") return hash.malformed("'algorithm' is not SHA2_256");
    MODELSEAL_TRY_ASSIGN(out.payload_hash, hash.bytes("digest"));
    MODELSEAL_TRY_ASSIGN(const auto signature, single(spec, "signatures"));
    MODELSEAL_TRY_ASSIGN(out.signature, signature.bytes("content"));
    MODELSEAL_TRY_ASSIGN(const auto verifier, signature.object("verifier"));
    MODELSEAL_TRY_ASSIGN(const auto certificate, verifier.object("x509Certificate"));
    MODELSEAL_TRY_ASSIGN(out.certificate, certificate.bytes("rawBytes"));
    return out;
}

}  // namespace

Result<LogBody> read_log_body(const LogEntry& entry, const std::string& shown) {
    const std::string_view text(reinterpret_cast<const char*>(entry.body.data()), entry.body.size());
    MODELSEAL_TRY_ASSIGN(const auto json, parse_document(text, shown, "log entry"));
    MODELSEAL_TRY_ASSIGN(const auto outer, Fields::of(json, shown + ": log entry"));
    MODELSEAL_TRY_ASSIGN(const auto kind, outer.text("kind"));
    MODELSEAL_TRY_ASSIGN(const auto version, outer.text("apiVersion"));
    if (entry.kind != kind || entry.version != version) {
        return mismatch(outer, "'kindVersion' is not that of the entry");
    }
    MODELSEAL_TRY_ASSIGN(const auto spec, outer.object("spec"));
    if (kind == "dsse" && version == "0.0.1") return read_version_1(spec);
    if (kind == "dsse" && version == "0.0.2") return read_version_2(spec);
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: is of the kind '{}' {}; known are dsse 0.0.1 and 0.0.2", outer.where(),
                             util::printable(kind), util::printable(version)),
                 {}};
}

}  // namespace modelseal::oms
