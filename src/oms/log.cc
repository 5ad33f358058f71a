#include "oms/log.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "crypto/x509/certificates.h"
#include "crypto/x509/sct.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::oms {
namespace {

constexpr std::byte kLeaf{0}, kNode{1};
constexpr std::string_view kDash = "\xE2\x80\x94 ";  // start of the line of a signature
constexpr std::size_t kKeyHint = 4;                  // bytes of the log's id before a signature

std::span<const std::byte> as_signed(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

crypto::Digest node(std::span<const std::byte> left, std::span<const std::byte> right) {
    return crypto::Sha256().update({&kNode, 1}).update(left).update(right).finish();
}

// Takes a line off the front of `text`.
std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// The line of a signature names the signer; for a log, this is the start of its origin.
bool is_name_of(std::string_view name, std::string_view origin) {
    return origin == name || (origin.starts_with(name) && origin.substr(name.size()).starts_with(' '));
}

bool signed_by(std::string_view note, std::string_view signatures, const TrustedRoot::Log& log) {
    const auto origin = note.substr(0, note.find('\n'));
    while (!signatures.empty()) {
        const auto line = next_line(signatures);
        const auto space = line.rfind(' ');
        if (!line.starts_with(kDash) || space == line.npos || space < kDash.size()) continue;
        if (!is_name_of(line.substr(kDash.size(), space - kDash.size()), origin)) continue;
        const auto raw = util::from_base64(line.substr(space + 1));
        if (!raw || raw->size() <= kKeyHint || log.id.size() < kKeyHint) continue;
        if (!std::equal(raw->begin(), raw->begin() + kKeyHint, log.id.begin())) continue;
        if (log.key->verify(as_signed(note), std::span(*raw).subspan(kKeyHint))) return true;
    }
    return false;
}

}  // namespace

bool in_tree(const LogEntry& entry) {
    const auto& proof = entry.proof;
    if (!entry.proven || proof.index >= proof.tree_size) return false;
    auto hash = crypto::Sha256().update({&kLeaf, 1}).update(entry.body).finish();
    auto at = proof.index, last = proof.tree_size - 1;
    for (const auto& sibling : proof.hashes) {
        if (last == 0) return false;
        if (at % 2 == 1 || at == last) {
            hash = node(sibling, hash);
            while (at % 2 == 0 && at != 0) at /= 2, last /= 2;
        } else {
            hash = node(hash, sibling);
        }
        at /= 2, last /= 2;
    }
    return last == 0 && std::ranges::equal(hash, proof.root);
}

bool checkpoint_holds(const LogEntry& entry, const TrustedRoot::Log& log) {
    const std::string_view whole = entry.proof.checkpoint;
    const auto end = whole.find("\n\n");
    if (!log.key || end == whole.npos || whole.find("\n\n", end + 1) != whole.npos) return false;
    const auto note = whole.substr(0, end + 1);
    auto lines = note;
    const auto origin = next_line(lines), size = next_line(lines), root = next_line(lines);
    return !origin.empty() && size == fmt::to_string(entry.proof.tree_size) &&
           root == util::base64(entry.proof.root) && signed_by(note, whole.substr(end + 2), log);
}

bool promise_holds(const LogEntry& entry, const TrustedRoot::Log& log) {
    // Canonical JSON (RFC 8785), of which no value needs to be escaped.
    const auto text =
        fmt::format(R"({{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}})",
                    util::base64(entry.body), entry.integrated_time, to_hex(entry.log_id), entry.log_index);
    return log.key && log.key->verify(as_signed(text), entry.promise);
}

namespace {

constexpr std::size_t kHashBytes = 32;

Error mismatch(const Fields& fields, const std::string& what) {
    return {ErrorKind::mismatch, fmt::format("{}: {}", fields.where(), what), {}};
}

// The only element of a list.
Result<Fields> single(const Fields& fields, const std::string& key) {
    MODELSEAL_TRY_ASSIGN(const auto* list, fields.list(key));
    if (list->size() != 1) {
        return fields.malformed(
            fmt::format("'{}' has {}, 1 is needed", key, util::counted(list->size(), "entry")));
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
                 fmt::format("{}: kind '{}' {} is not supported; dsse 0.0.1 and 0.0.2 are", outer.where(),
                             util::printable(kind), util::printable(version)),
                 {}};
}

namespace {

constexpr std::size_t kLogHashBytes = 32, kMaxHashes = 64;  // a tree of 2^64 leaves has no longer path

Result<LogEntry::Proof> read_proof(const Fields& fields) {
    MODELSEAL_TRY(fields.only({"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"}));
    LogEntry::Proof proof;
    MODELSEAL_TRY_ASSIGN(proof.index, fields.number("logIndex"));
    MODELSEAL_TRY_ASSIGN(proof.tree_size, fields.number("treeSize"));
    MODELSEAL_TRY_ASSIGN(proof.root, fields.bytes("rootHash"));
    MODELSEAL_TRY_ASSIGN(const auto* hashes, fields.list("hashes"));
    if (hashes->size() > kMaxHashes)
        return fields.malformed("'hashes' has more entries than any tree has levels");
    for (const auto& each : *hashes) {
        auto hash = each.is_string() ? util::from_base64(each.get_ref<const std::string&>()) : std::nullopt;
        if (!hash || hash->size() != kLogHashBytes)
            return fields.malformed("'hashes' contains an entry that is not a hash");
        proof.hashes.push_back(std::move(*hash));
    }
    if (proof.root.size() != kLogHashBytes) return fields.malformed("'rootHash' is not a hash");
    if (proof.index >= proof.tree_size) return fields.malformed("'logIndex' is outside the tree");
    MODELSEAL_TRY_ASSIGN(const auto checkpoint, fields.object("checkpoint"));
    MODELSEAL_TRY(checkpoint.only({"envelope"}));
    MODELSEAL_TRY_ASSIGN(proof.checkpoint, checkpoint.text("envelope"));
    return proof;
}

}  // namespace

Result<LogEntry> read_log_entry(const Fields& fields) {
    MODELSEAL_TRY(fields.only({"logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise",
                               "inclusionProof", "canonicalizedBody"}));
    LogEntry entry;
    MODELSEAL_TRY_ASSIGN(entry.log_index, fields.number("logIndex"));
    MODELSEAL_TRY_ASSIGN(const auto id, fields.object("logId"));
    MODELSEAL_TRY(id.only({"keyId"}));
    MODELSEAL_TRY_ASSIGN(entry.log_id, id.bytes("keyId"));
    MODELSEAL_TRY_ASSIGN(const auto kind, fields.object("kindVersion"));
    MODELSEAL_TRY(kind.only({"kind", "version"}));
    MODELSEAL_TRY_ASSIGN(entry.kind, kind.text("kind"));
    MODELSEAL_TRY_ASSIGN(entry.version, kind.text("version"));
    if (fields.find("integratedTime") != nullptr) {
        MODELSEAL_TRY_ASSIGN(entry.integrated_time, fields.number("integratedTime"));
    }
    if (fields.find("inclusionPromise") != nullptr) {
        MODELSEAL_TRY_ASSIGN(const auto promise, fields.object("inclusionPromise"));
        MODELSEAL_TRY(promise.only({"signedEntryTimestamp"}));
        MODELSEAL_TRY_ASSIGN(entry.promise, promise.bytes("signedEntryTimestamp"));
    }
    if (fields.find("inclusionProof") != nullptr) {
        MODELSEAL_TRY_ASSIGN(const auto proof, fields.object("inclusionProof"));
        MODELSEAL_TRY_ASSIGN(entry.proof, read_proof(proof));
        entry.proven = true;
    }
    MODELSEAL_TRY_ASSIGN(entry.body, fields.bytes("canonicalizedBody"));
    return entry;
}

namespace {

Error not_logged(const std::string& shown, const std::string& what) {
    return {ErrorKind::mismatch, shown + ": " + what, {}};
}

Result<void> check_sct(const crypto::Sct& sct, const TrustedRoot::Log& log,
                       const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                       const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto* key, usable(log, shown));
    if (!log.valid.covers(static_cast<std::int64_t>(sct.milliseconds / 1000))) {
        return not_logged(shown, "the key of the certificate's log was not in use at that time");
    }
    MODELSEAL_TRY_ASSIGN(const auto entry, crypto::signed_entry(sct, certificate, issuer, shown));
    if (sct.ecdsa_sha256 && key->verify(entry, sct.signature)) return {};
    return not_logged(shown, "a log's signature over the certificate's inclusion is not valid");
}

}  // namespace

Result<void> check_logged(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                          const TrustedRoot& root, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto scts, crypto::embedded_scts(certificate, shown));
    if (scts.empty()) return not_logged(shown, "no log confirms the certificate's inclusion");
    std::size_t known = 0;
    for (const auto& sct : scts) {
        const auto log = std::ranges::find(root.certificate_logs, sct.log_id, &TrustedRoot::Log::id);
        if (log == root.certificate_logs.end()) continue;
        MODELSEAL_TRY(check_sct(sct, *log, certificate, issuer, shown));
        ++known;
    }
    if (known > 0) return {};
    return not_logged(shown, "the log of its certificate is not in the trusted root");
}

}  // namespace modelseal::oms
