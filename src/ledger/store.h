// A ledger's tables and the vault over them: the inside of the public Ledger.
#pragma once

#include <functional>
#include <memory>

#include "ledger/database.h"
#include "ledger/identity_rows.h"
#include "ledger/rows.h"
#include "ledger/vault.h"

namespace modelseal::ledger {

// The one row of table "ledger".
struct Header {
    PublicKey vendor;
    LedgerName name{};
    crypto::Salt salt{};
    std::vector<std::byte> state;  // box
};

class Store {
  public:
    // `vendor` null: read-only, nothing is verified. A file without tables is `malformed` unless it is to
    // become a ledger.
    enum class IfEmpty { refuse, make };
    static Result<std::unique_ptr<Store>> open(Database database, const SigningKey* vendor, IfEmpty if_empty);

    const Database& database() const { return database_; }
    const PublicKey& vendor() const { return header_.vendor; }
    const Vault* vault() const { return vault_ ? &*vault_ : nullptr; }
    // The vault, or the reason why there is none.
    Result<const Vault*> key() const;

    // All rows, in order of their ids, of one state of the file; with a vault, every row and their number are
    // verified.
    struct Contents {
        std::vector<CustomerRow> customers;
        std::vector<EntryRow> entries;
        std::vector<MarkRow> marks;
        std::vector<KeyImageRow> key_images;
        std::vector<IdentityRow> identities;
        std::optional<State> state;  // with a vault
    };
    Result<Contents> read_all() const;

    // A single row, with its MAC verified if there is a vault.
    Result<std::optional<CustomerRow>> find_customer(const std::string& name) const;
    Result<std::optional<EntryRow>> find_entry(std::int64_t id) const;
    // For ledgers of version 2: within change(), every ledger is.
    Result<std::optional<MarkRow>> find_mark(const MarkName& name) const;
    Result<std::optional<KeyImageRow>> find_key_image(std::int64_t mark, std::int64_t number) const;
    Result<std::optional<IdentityRow>> find_identity(const IdentitySerial& serial) const;

    const LedgerName& name() const { return header_.name; }

    // Runs `change` in a write transaction on the current state, and commits. A ledger of an earlier version
    // becomes one of the latest in the same transaction.
    Result<void> change(const std::function<Result<void>(State& state)>& change);
    // Within change(): completes the row with its MAC, writes it, and updates the state. `before` is the row
    // that it replaces.
    Result<void> put(State& state, CustomerRow row, const CustomerRow* before = nullptr);
    Result<void> put(State& state, EntryRow row, const EntryRow* before = nullptr);
    Result<void> put(State& state, MarkRow row, const MarkRow* before = nullptr);
    Result<void> put(State& state, KeyImageRow row);
    Result<void> put(State& state, IdentityRow row, const IdentityRow* before = nullptr);

  private:
    explicit Store(Database database) : database_(std::move(database)) {}
    Result<void> create(const SigningKey& vendor);
    Result<void> write_state(const State& state);
    Result<State> read_state() const;
    template <class Row>
    Result<void> verify(const Row& row, const char* table) const;
    template <class Row>
    Result<void> read_rows(std::vector<Row>& rows, State& seen) const;
    template <class Row>
    Result<std::optional<Row>> only_row(Statement& rows) const;
    template <class Row>
    Result<void> put_row(State& state, Row row, const Row* before);
    Result<void> compare(const State& state, const Contents& contents, const State& seen) const;

    Database database_;
    Header header_;
    std::optional<Vault> vault_;
};

}  // namespace modelseal::ledger
