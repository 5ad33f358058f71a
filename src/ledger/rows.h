// The rows of a ledger's tables as they are stored, checked when they are read: the content of a row is
// hostile until its MAC was verified (vault.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/sealed_box.h"
#include "ledger/database.h"
#include <modelseal/ledger.h>

namespace modelseal::ledger {

using Mac = std::array<std::byte, 32>;

inline constexpr std::size_t kMostName = 255, kMostText = 4096;

struct CustomerRow {
    std::int64_t id = 0;  // from 1 on
    std::string name;
    std::int64_t added = 0;    // seconds since 1970
    std::int64_t revoked = 0;  // the same; 0: not revoked
    std::string reason;
    crypto::Salt salt{};
    std::vector<std::byte> key;  // box of the check key
    Mac mac{};
};

enum class EntryKind : std::uint8_t { seal = 1, fingerprint = 2 };

struct EntryRow {
    std::int64_t id = 0;        // from 1 on
    std::int64_t customer = 0;  // 0: for everybody
    EntryKind kind = EntryKind::seal;
    bool finished = false;
    std::int64_t made = 0;  // seconds since 1970
    std::string model, output;
    std::vector<std::byte> root, fingerprint;  // 32 bytes, or none
    std::vector<std::byte> stamp;              // as in a manifest
    std::vector<std::byte> head;               // 6 bytes, or none
    Mac mac{};
};

// The digest under the MAC of a row: of everything but the MAC.
crypto::Digest digest(const CustomerRow& row);
crypto::Digest digest(const EntryRow& row);

// `where` continues "SELECT ... FROM customers" or "... FROM entries"; parameters of it are bound by the
// caller.
Result<Statement> select_customers(const Database& database, std::string_view where);
Result<Statement> select_entries(const Database& database, std::string_view where);
// The current row; `malformed` if a ledger of this version cannot have it.
Result<CustomerRow> read_customer(const Database& database, const Statement& row);
Result<EntryRow> read_entry(const Database& database, const Statement& row);

enum class Write { anew, over };  // `over`: replaces the row with its id
Result<void> write(const Database& database, const CustomerRow& row, Write how);
Result<void> write(const Database& database, const EntryRow& row, Write how);

// Converts entries between the types of the library and the rows of the file.

LedgerEntry entry_of(const EntryRow& row, const std::string& customer);

// Everything but number, customer and time. ErrorKind::usage for values that a row cannot hold.
Result<EntryRow> row_of(const LedgerEntry& entry);

}  // namespace modelseal::ledger
