#include "ledger/entry.h"

#include <fmt/format.h>

#include "io/rfc3339.h"
#include "mark/manifest.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::ledger {
namespace {

Error wrong(const char* what) {
    return {ErrorKind::usage, fmt::format("ledger entry: {}", what), {}};
}

// 32 bytes of hexadecimal digits, or none.
Result<std::vector<std::byte>> digest_bytes(const std::string& hex) {
    auto bytes = util::from_hex(hex);
    if (!bytes) return wrong("a digest that is not hex");
    if (!bytes->empty() && bytes->size() != sizeof(crypto::Digest))
        return wrong("a digest that is not 32 bytes");
    return std::move(*bytes);
}

// As much of a name as fits, and as can be shown.
std::string shortened(const std::string& text) {
    auto shown = util::printable(text);
    if (shown.size() <= kMostText) return shown;
    shown.resize(kMostText);
    while (!util::is_utf8(shown)) shown.pop_back();
    return shown;
}

}  // namespace

LedgerEntry entry_of(const EntryRow& row, const std::string& customer) {
    LedgerEntry entry;
    entry.number = static_cast<std::uint64_t>(row.id);
    entry.kind = row.kind == EntryKind::seal ? LedgerEntry::Kind::seal : LedgerEntry::Kind::fingerprint;
    entry.customer = customer;
    entry.made = io::rfc3339(row.made);
    entry.finished = row.finished;
    entry.model = row.model;
    entry.output = row.output;
    entry.root = to_hex(row.root);
    entry.fingerprint = to_hex(row.fingerprint);
    entry.stamp = mark::decode_stamp(row.stamp).value_or(mark::Stamp());
    entry.cell_head = row.head;
    return entry;
}

Result<EntryRow> row_of(const LedgerEntry& entry) {
    EntryRow row;
    row.kind = entry.kind == LedgerEntry::Kind::seal ? EntryKind::seal : EntryKind::fingerprint;
    row.finished = entry.finished;
    row.model = shortened(entry.model);
    row.output = shortened(entry.output);
    MODELSEAL_TRY_ASSIGN(row.root, digest_bytes(entry.root));
    MODELSEAL_TRY_ASSIGN(row.fingerprint, digest_bytes(entry.fingerprint));
    MODELSEAL_TRY_ASSIGN(row.stamp, mark::encode_stamp(entry.stamp));
    if (!entry.cell_head.empty() && entry.cell_head.size() != 6) return wrong("the head of a cell has 6 bytes");
    row.head = entry.cell_head;
    return row;
}

}  // namespace modelseal::ledger
