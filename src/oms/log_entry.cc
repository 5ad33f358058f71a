#include "oms/log_entry.h"

#include <fmt/format.h>

#include "util/encodings.h"

namespace modelseal::oms {
namespace {

constexpr std::size_t kLogHashBytes = 32, kMaxHashes = 64;  // a tree of 2^64 leaves has no longer path

Result<LogEntry::Proof> read_proof(const Fields& fields) {
    MODELSEAL_TRY(fields.only({"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"}));
    LogEntry::Proof proof;
    MODELSEAL_TRY_ASSIGN(proof.index, fields.number("logIndex"));
    MODELSEAL_TRY_ASSIGN(proof.tree_size, fields.number("treeSize"));
    MODELSEAL_TRY_ASSIGN(proof.root, fields.bytes("rootHash"));
    MODELSEAL_TRY_ASSIGN(const auto* hashes, fields.list("hashes"));
    if (hashes->size() > kMaxHashes) return fields.malformed("'hashes' is too long for any tree");
    for (const auto& each : *hashes) {
        auto hash = each.is_string() ? util::from_base64(each.get_ref<const std::string&>()) : std::nullopt;
        if (!hash || hash->size() != kLogHashBytes)
            return fields.malformed("'hashes' contains an entry that is not a hash");
        proof.hashes.push_back(std::move(*hash));
    }
    if (proof.root.size() != kLogHashBytes) return fields.malformed("'rootHash' is not a hash");
    if (proof.index >= proof.tree_size) return fields.malformed("'logIndex' is not in the tree");
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

}  // namespace modelseal::oms
