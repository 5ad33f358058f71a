// The rows of a ledger's tables as they are stored, checked when they are read: what a row says is not believed
// before its MAC was (vault.h), and may be anything before that.
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

// What the MAC of a row is made of; all but the MAC.
crypto::Digest digest(const CustomerRow& row);
crypto::Digest digest(const EntryRow& row);

// `where` continues "SELECT ... FROM customers" or "... FROM entries"; parameters of it are bound by the
// caller.
Result<Statement> select_customers(const Database& database, std::string_view where);
Result<Statement> select_entries(const Database& database, std::string_view where);
// The row at hand; `malformed` if it is none that a ledger of this version may have.
Result<CustomerRow> read_customer(const Database& database, const Statement& row);
Result<EntryRow> read_entry(const Database& database, const Statement& row);

enum class Write { anew, over };  // `over`: in the place of the row that has its id
Result<void> write(const Database& database, const CustomerRow& row, Write how);
Result<void> write(const Database& database, const EntryRow& row, Write how);

// Entries between the words of the library and the rows of the file.

LedgerEntry entry_of(const EntryRow& row, const std::string& customer);

// All but number, customer and time. ErrorKind::usage for what no row can hold.
Result<EntryRow> row_of(const LedgerEntry& entry);

}  // namespace modelseal::ledger
