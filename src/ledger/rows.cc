#include "ledger/rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/rfc3339.h"
#include "ledger/row_parts.h"
#include "mark/layout.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::ledger {
namespace {

// Of a check key's box: 32 bytes of secret, the text of the file, and the tag.
constexpr std::size_t kMostKey = 2048;

std::string_view verb(Write how) {
    return how == Write::anew ? "INSERT" : "REPLACE";
}

}  // namespace

crypto::Digest digest(const CustomerRow& row) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 ledger customer").update_number(unsigned_of(row.id)).update_text(row.name);
    hash.update_number(unsigned_of(row.added)).update_number(unsigned_of(row.revoked)).update_text(row.reason);
    update_bytes(hash, row.salt);
    update_bytes(hash, row.key);
    return hash.finish();
}

crypto::Digest digest(const EntryRow& row) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 ledger entry").update_number(unsigned_of(row.id));
    hash.update_number(unsigned_of(row.customer)).update_number(static_cast<std::uint64_t>(row.kind));
    hash.update_number(row.finished ? 1 : 0).update_number(unsigned_of(row.made));
    hash.update_text(row.model).update_text(row.output);
    for (const auto* bytes : {&row.root, &row.fingerprint, &row.stamp, &row.head}) update_bytes(hash, *bytes);
    return hash.finish();
}

Result<Statement> select_customers(const Database& database, std::string_view where) {
    return database.prepare(
        fmt::format("SELECT id, name, added, revoked, reason, salt, key, mac FROM customers {}", where));
}

Result<Statement> select_entries(const Database& database, std::string_view where) {
    return database.prepare(fmt::format(
        "SELECT id, customer, kind, finished, made, model, output, root, fingerprint, stamp, head, mac "
        "FROM entries {}",
        where));
}

Result<CustomerRow> read_customer(const Database& database, const Statement& row) {
    CustomerRow out{.id = row.number(0),
                    .name = row.text(1),
                    .added = row.number(2),
                    .revoked = row.number(3),
                    .reason = row.text(4),
                    .key = row.bytes(6)};
    const auto wrong = [&](const char* what) { return damaged(database, "customers", out.id, what); };
    if (out.id < 1) return wrong("invalid id");
    if (out.name.empty() || !showable(out.name, kMostName)) return wrong("a name that is not printable text");
    if (!in_time(out.added) || !in_time(out.revoked)) return wrong("a time outside the years 1970 to 9999");
    if (!showable(out.reason, kMostText)) return wrong("a reason that is not printable text");
    if (!take(row.bytes(5), out.salt)) return wrong("a salt that does not have 32 bytes");
    if (out.key.size() > kMostKey) return wrong("a key that is too long");
    if (!take(row.bytes(7), out.mac)) return wrong("a MAC that does not have 32 bytes");
    return out;
}

Result<EntryRow> read_entry(const Database& database, const Statement& row) {
    const auto kind = row.number(2);
    EntryRow out{.id = row.number(0),
                 .customer = row.number(1),
                 .kind = kind == 1 ? EntryKind::seal : EntryKind::fingerprint,
                 .finished = row.number(3) == 1,
                 .made = row.number(4),
                 .model = row.text(5),
                 .output = row.text(6),
                 .root = row.bytes(7),
                 .fingerprint = row.bytes(8),
                 .stamp = row.bytes(9),
                 .head = row.bytes(10)};
    const auto wrong = [&](const char* what) { return damaged(database, "entries", out.id, what); };
    if (out.id < 1 || out.customer < 0) return wrong("invalid id");
    if (kind != 1 && kind != 2) return wrong("not a seal and not a fingerprint");
    if (row.number(3) != 0 && row.number(3) != 1) return wrong("its state is unknown");
    if (!in_time(out.made)) return wrong("a time outside the years 1970 to 9999");
    if (!showable(out.model, kMostText) || !showable(out.output, kMostText))
        return wrong("a name that is not printable text");
    for (const auto* bytes : {&out.root, &out.fingerprint}) {
        if (!bytes->empty() && bytes->size() != sizeof(crypto::Digest))
            return wrong("a digest that does not have 32 bytes");
    }
    if (out.stamp.size() > kMostText) return wrong("a stamp that is too long");
    if (!out.head.empty() && out.head.size() != mark::kHeadBytes)
        return wrong("the head of a cell that does not have 6 bytes");
    if (!take(row.bytes(11), out.mac)) return wrong("a MAC that does not have 32 bytes");
    return out;
}

Result<void> write(const Database& database, const CustomerRow& row, Write how) {
    MODELSEAL_TRY_ASSIGN(auto statement, database.prepare(fmt::format(
                                             "{} INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", verb(how))));
    statement.bind(row.id).bind(std::string_view(row.name)).bind(row.added).bind(row.revoked);
    statement.bind(std::string_view(row.reason)).bind(row.salt).bind(row.key).bind(row.mac);
    return statement.run();
}

Result<void> write(const Database& database, const EntryRow& row, Write how) {
    MODELSEAL_TRY_ASSIGN(auto statement,
                         database.prepare(fmt::format(
                             "{} INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", verb(how))));
    statement.bind(row.id).bind(row.customer).bind(static_cast<std::int64_t>(row.kind));
    statement.bind(std::int64_t{row.finished}).bind(row.made);
    statement.bind(std::string_view(row.model)).bind(std::string_view(row.output));
    statement.bind(row.root).bind(row.fingerprint).bind(row.stamp).bind(row.head).bind(row.mac);
    return statement.run();
}

namespace {

Error wrong(const char* what) {
    return {ErrorKind::usage, fmt::format("ledger entry: {}", what), {}};
}

// 32 bytes of hexadecimal digits, or none.
Result<std::vector<std::byte>> digest_bytes(const std::string& hex) {
    auto bytes = util::from_hex(hex);
    if (!bytes) return wrong("a digest is not hexadecimal");
    if (!bytes->empty() && bytes->size() != sizeof(crypto::Digest))
        return wrong("a digest does not have 32 bytes");
    return std::move(*bytes);
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
    if (!entry.cell_head.empty() && entry.cell_head.size() != mark::kHeadBytes)
        return wrong("the head of a cell has 6 bytes");
    row.head = entry.cell_head;
    return row;
}

}  // namespace modelseal::ledger
