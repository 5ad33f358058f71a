#include "ledger/schema.h"

#include <algorithm>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::ledger {
namespace {

struct Object {
    std::string_view name;
    // The exact text in the file; empty for an index that SQLite makes itself.
    std::string_view sql;
    std::int64_t since = 1;  // version that it came with
};

// By name, as they are read back.
constexpr Object kObjects[] = {
    {"customers",
     "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, added INTEGER NOT NULL, "
     "revoked INTEGER NOT NULL, reason TEXT NOT NULL, salt BLOB NOT NULL, key BLOB NOT NULL, mac BLOB NOT "
     "NULL) "
     "STRICT"},
    {"entries",
     "CREATE TABLE entries (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, kind INTEGER NOT NULL, "
     "finished INTEGER NOT NULL, made INTEGER NOT NULL, model TEXT NOT NULL, output TEXT NOT NULL, "
     "root BLOB NOT NULL, fingerprint BLOB NOT NULL, stamp BLOB NOT NULL, head BLOB NOT NULL, "
     "mac BLOB NOT NULL) STRICT"},
    {"entries_of_customer", "CREATE INDEX entries_of_customer ON entries (customer)"},
    {"identities",
     "CREATE TABLE identities (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, mark INTEGER NOT NULL, "
     "image INTEGER NOT NULL, finished INTEGER NOT NULL, serial BLOB NOT NULL UNIQUE, "
     "issued INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL, digest BLOB NOT NULL, "
     "output TEXT NOT NULL, mac BLOB NOT NULL) STRICT",
     2},
    {"key_images",
     "CREATE TABLE key_images (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL, number INTEGER NOT NULL, "
     "png BLOB NOT NULL, mac BLOB NOT NULL) STRICT",
     2},
    {"key_images_of_mark", "CREATE UNIQUE INDEX key_images_of_mark ON key_images (mark, number)", 2},
    {"ledger",
     "CREATE TABLE ledger (id INTEGER PRIMARY KEY, vendor BLOB NOT NULL, name BLOB NOT NULL, "
     "salt BLOB NOT NULL, state BLOB NOT NULL) STRICT"},
    {"marks",
     "CREATE TABLE marks (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, finished INTEGER NOT NULL, "
     "made INTEGER NOT NULL, model TEXT NOT NULL, output TEXT NOT NULL, digest BLOB NOT NULL, "
     "class INTEGER NOT NULL, input BLOB NOT NULL, mac BLOB NOT NULL) STRICT",
     2},
    {"sqlite_autoindex_customers_1", ""},
    {"sqlite_autoindex_identities_1", "", 2},
    {"sqlite_autoindex_marks_1", "", 2},
};

bool is_index(const Object& object) {
    return object.sql.find(" INDEX ") != object.sql.npos;
}

Error other_tables(const Database& database, std::int64_t version, const std::string& name) {
    return {ErrorKind::malformed,
            fmt::format("{}: '{}' is not as defined for ledgers of version {}", database.shown(),
                        util::printable(name), version),
            "restore it from a backup"};
}

Result<void> check_tables(const Database& database, std::int64_t version) {
    MODELSEAL_TRY_ASSIGN(auto rows, database.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name"));
    for (const auto& object : kObjects) {
        if (object.since > version) continue;
        MODELSEAL_TRY_ASSIGN(const bool row, rows.step());
        if (!row) return other_tables(database, version, std::string(object.name));
        if (rows.text(0) != object.name) return other_tables(database, version, rows.text(0));
        if (rows.text(1) != object.sql) return other_tables(database, version, rows.text(0));
    }
    MODELSEAL_TRY_ASSIGN(const bool more, rows.step());
    if (more) return other_tables(database, version, rows.text(0));
    return {};
}

// A separate log would be a part of the ledger that a backup misses.
Result<void> check_journal(const Database& database) {
    MODELSEAL_TRY_ASSIGN(auto mode, database.prepare("PRAGMA journal_mode"));
    MODELSEAL_TRY_ASSIGN(const bool row, mode.step());
    if (!row || mode.text(0) != "wal") return {};
    return Error{ErrorKind::malformed, database.shown() + ": uses a write-ahead log, which a ledger must not",
                 "run: sqlite3 FILE 'PRAGMA journal_mode = DELETE'"};
}

Result<void> run_check(const Database& database, std::string_view check) {
    MODELSEAL_TRY_ASSIGN(auto rows, database.prepare(check));
    MODELSEAL_TRY_ASSIGN(const bool row, rows.step());
    if (row && rows.text(0) == "ok") return {};
    return Error{ErrorKind::malformed,
                 fmt::format("{}: damaged: {}", database.shown(), util::printable(rows.text(0))),
                 "restore it from a backup"};
}

}  // namespace

bool looks_like_ledger(const Source& source) {
    constexpr std::string_view kMagic("SQLite format 3\0", 16);
    constexpr std::size_t kApplicationAt = 68;  // big-endian, SQLite's file format, section 1.3
    std::byte head[kApplicationAt + 4];
    if (source.size() < sizeof head || !source.read(0, head).ok()) return false;
    std::int64_t application = 0;
    for (auto at = kApplicationAt; at < sizeof head; ++at) {
        application = application << 8 | std::to_integer<std::int64_t>(head[at]);
    }
    return std::ranges::equal(std::span(head).first(kMagic.size()), std::as_bytes(std::span(kMagic))) &&
           application == kApplicationId;
}

Result<bool> is_empty(const Database& database) {
    MODELSEAL_TRY_ASSIGN(const auto application, database.number("PRAGMA application_id"));
    MODELSEAL_TRY_ASSIGN(const auto version, database.number("PRAGMA user_version"));
    MODELSEAL_TRY_ASSIGN(const auto objects, database.number("SELECT count(*) FROM sqlite_schema"));
    if (application == 0 && version == 0 && objects == 0) return true;
    if (application != kApplicationId) {
        return Error{ErrorKind::malformed, database.shown() + ": is an SQLite database, but not a ledger",
                     "give a file made by adding a customer", Remedy::make_ledger};
    }
    if (version < 1 || version > kVersion) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: ledgers of version {} are not supported; versions 1 to {} are",
                                 database.shown(), version, kVersion),
                     "a newer modelseal may read it"};
    }
    MODELSEAL_TRY(check_journal(database));
    MODELSEAL_TRY(check_tables(database, version));
    MODELSEAL_TRY(run_check(database, "PRAGMA quick_check(1)"));
    return false;
}

Result<void> check_integrity(const Database& database) {
    return run_check(database, "PRAGMA integrity_check(1)");
}

namespace {

// Those that came after version `from`; tables first.
Result<void> create_later(const Database& database, std::int64_t from) {
    for (const bool indexes : {false, true}) {
        for (const auto& object : kObjects) {
            if (object.since <= from || object.sql.empty() || is_index(object) != indexes) continue;
            MODELSEAL_TRY(database.run(object.sql));
        }
    }
    return database.run(fmt::format("PRAGMA user_version = {}", kVersion));
}

}  // namespace

Result<std::int64_t> version_of(const Database& database) {
    return database.number("PRAGMA user_version");
}

Result<void> create_tables(const Database& database) {
    MODELSEAL_TRY(database.run(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    return create_later(database, 0);
}

Result<void> migrate_tables(const Database& database) {
    MODELSEAL_TRY_ASSIGN(const auto version, version_of(database));
    return create_later(database, version);
}

}  // namespace modelseal::ledger
