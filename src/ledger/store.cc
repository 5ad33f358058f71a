
#include "ledger/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/secret.h"
#include "ledger/schema.h"
#include "util/text.h"

namespace modelseal::ledger {
namespace {

constexpr const char* kRestore = "restore it from a backup";

Result<Header> read_header(const Database& database) {
    const auto wrong = [&](const char* what) {
        return Error{ErrorKind::malformed, fmt::format("{}: damaged: {}", database.shown(), what), kRestore};
    };
    MODELSEAL_TRY_ASSIGN(auto row, database.prepare("SELECT vendor, name, salt, state, id FROM ledger"));
    MODELSEAL_TRY_ASSIGN(const bool there, row.step());
    if (!there) return wrong("its vendor is missing");
    Header header;
    const auto vendor = row.bytes(0), name = row.bytes(1), salt = row.bytes(2);
    const auto key = PublicKey::of(vendor);
    if (!key || !key->serves(KeyUse::seals) || name.size() != header.name.size() ||
        salt.size() != header.salt.size() || row.number(4) != 1) {
        return wrong("its header has fields of a wrong length");
    }
    header.vendor = *key;
    std::ranges::copy(name, header.name.begin());
    std::ranges::copy(salt, header.salt.begin());
    header.state = row.bytes(3);
    MODELSEAL_TRY_ASSIGN(const bool more, row.step());
    if (more) return wrong("it has two vendors");
    return header;
}

Error changed(const Database& database, const std::string& what) {
    return {ErrorKind::mismatch,
            fmt::format("{}: changed without the vendor's key: {}", database.shown(), what), kRestore};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Database database, const SigningKey* vendor, IfEmpty if_empty) {
    std::unique_ptr<Store> store(new Store(std::move(database)));
    auto& file = store->database_;
    const auto look = [&]() -> Result<bool> {
        // In one state of the file, which another process may be making a ledger of.
        MODELSEAL_TRY_ASSIGN(const auto transaction, Transaction::begin(file, Transaction::Kind::read));
        return is_empty(file);
    };
    MODELSEAL_TRY_ASSIGN(const bool empty, look());
    if (empty && (if_empty == IfEmpty::refuse || vendor == nullptr)) {
        return Error{ErrorKind::malformed, file.shown() + ": is empty, not a ledger",
                     "adding a customer makes a ledger", Remedy::make_ledger};
    }
    if (empty) MODELSEAL_TRY(store->create(*vendor));
    MODELSEAL_TRY_ASSIGN(store->header_, read_header(file));
    if (vendor == nullptr) return store;
    if (store->header_.vendor != vendor->public_key()) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: the ledger is for vendor key {}, not {}", file.shown(),
                                 to_hex(store->header_.vendor.id()), to_hex(vendor->public_key().id())),
                     "give the key that the ledger was made with"};
    }
    MODELSEAL_TRY_ASSIGN(store->vault_, Vault::of(*vendor, store->header_.name));
    MODELSEAL_TRY(store->read_state());
    return store;
}

// Another process may be making it at the same time: the first to write counts.
Result<void> Store::create(const SigningKey& vendor) {
    MODELSEAL_TRY(must_serve(vendor.public_key(), KeyUse::seals, "the vendor's key"));
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database_, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(const bool empty, is_empty(database_));
    if (!empty) return {};
    Header header{.vendor = vendor.public_key(), .salt = crypto::random_salt()};
    crypto::random_bytes(header.name);
    MODELSEAL_TRY_ASSIGN(const auto vault, Vault::of(vendor, header.name));
    MODELSEAL_TRY(create_tables(database_));
    MODELSEAL_TRY_ASSIGN(auto row, database_.prepare("INSERT INTO ledger VALUES (1, ?, ?, ?, ?)"));
    const auto state = vault.close_state({}, header.salt);
    MODELSEAL_TRY(row.bind(header.vendor.bytes()).bind(header.name).bind(header.salt).bind(state).run());
    return transaction.commit();
}

Result<const Vault*> Store::key() const {
    if (vault_) return &*vault_;
    return Error{ErrorKind::usage, database_.shown() + ": the vendor's key is needed",
                 "give the vendor's private key", Remedy::give_vendor_key};
}

// The present value in the file; within a transaction, the one that it sees.
Result<State> Store::read_state() const {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(database_));
    if (header.vendor != header_.vendor || header.name != header_.name) {
        return changed(database_, "it was replaced by another ledger");
    }
    const auto state = vault_->open_state(header.state, header.salt);
    if (!state) return changed(database_, "its state cannot be decrypted");
    return *state;
}

Result<void> Store::write_state(const State& state) {
    const auto salt = crypto::random_salt();
    const auto box = vault_->close_state(state, salt);
    MODELSEAL_TRY_ASSIGN(auto row, database_.prepare("UPDATE ledger SET salt = ?, state = ? WHERE id = 1"));
    return row.bind(salt).bind(box).run();
}

template <class Row>
Result<void> Store::verify(const Row& row, const char* table) const {
    if (!vault_ || vault_->mac(digest(row)) == row.mac) return {};
    return changed(database_, fmt::format("row {} of {}", row.id, table));
}

Result<Store::Contents> Store::read_all() const {
    MODELSEAL_TRY_ASSIGN(const auto transaction, Transaction::begin(database_, Transaction::Kind::read));
    MODELSEAL_TRY(check_integrity(database_));
    Contents contents;
    State seen;
    const auto note = [&](const auto& row, const char* table) -> Result<void> {
        MODELSEAL_TRY(verify(row, table));
        if (vault_) add_share(seen, vault_->share(digest(row)));
        return {};
    };
    MODELSEAL_TRY_ASSIGN(auto customers, select_customers(database_, "ORDER BY id"));
    for (auto row = customers.step(); !row.ok() || *row; row = customers.step()) {
        MODELSEAL_TRY(row);
        MODELSEAL_TRY_ASSIGN(auto customer, read_customer(database_, customers));
        MODELSEAL_TRY(note(customer, "customers"));
        contents.customers.push_back(std::move(customer));
    }
    MODELSEAL_TRY_ASSIGN(auto entries, select_entries(database_, "ORDER BY id"));
    for (auto row = entries.step(); !row.ok() || *row; row = entries.step()) {
        MODELSEAL_TRY(row);
        MODELSEAL_TRY_ASSIGN(auto entry, read_entry(database_, entries));
        MODELSEAL_TRY(note(entry, "entries"));
        contents.entries.push_back(std::move(entry));
    }
    if (!vault_) return contents;
    MODELSEAL_TRY_ASSIGN(const auto state, read_state());
    if (state.customers != contents.customers.size() || state.entries != contents.entries.size() ||
        state.sum != seen.sum) {
        return changed(
            database_,
            fmt::format("it has {} customers and {}, its state has {} and {}", contents.customers.size(),
                        util::counted(contents.entries.size(), "entry"), state.customers, state.entries));
    }
    return contents;
}

Result<std::optional<CustomerRow>> Store::find_customer(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_customers(database_, "WHERE name = ?"));
    MODELSEAL_TRY_ASSIGN(const bool there, rows.bind(std::string_view(name)).step());
    if (!there) return std::optional<CustomerRow>();
    MODELSEAL_TRY_ASSIGN(auto row, read_customer(database_, rows));
    MODELSEAL_TRY(verify(row, "customers"));
    return std::optional(std::move(row));
}

Result<std::optional<EntryRow>> Store::find_entry(std::int64_t id) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_entries(database_, "WHERE id = ?"));
    MODELSEAL_TRY_ASSIGN(const bool there, rows.bind(id).step());
    if (!there) return std::optional<EntryRow>();
    MODELSEAL_TRY_ASSIGN(auto row, read_entry(database_, rows));
    MODELSEAL_TRY(verify(row, "entries"));
    return std::optional(std::move(row));
}

Result<void> Store::change(const std::function<Result<void>(State& state)>& change) {
    MODELSEAL_TRY(key());
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database_, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(auto state, read_state());
    MODELSEAL_TRY(change(state));
    ++state.changes;
    MODELSEAL_TRY(write_state(state));
    return transaction.commit();
}

Result<void> Store::put(State& state, CustomerRow row, const CustomerRow* before) {
    const auto made = digest(row);
    row.mac = vault_->mac(made);
    if (before == nullptr) ++state.customers;
    if (before != nullptr) add_share(state, vault_->share(digest(*before)));
    add_share(state, vault_->share(made));
    return write(database_, row, before == nullptr ? Write::anew : Write::over);
}

Result<void> Store::put(State& state, EntryRow row, const EntryRow* before) {
    const auto made = digest(row);
    row.mac = vault_->mac(made);
    if (before == nullptr) ++state.entries;
    if (before != nullptr) add_share(state, vault_->share(digest(*before)));
    add_share(state, vault_->share(made));
    return write(database_, row, before == nullptr ? Write::anew : Write::over);
}

}  // namespace modelseal::ledger
