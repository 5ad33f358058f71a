
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
    // Box and version of one state of the file.
    MODELSEAL_TRY_ASSIGN(const auto transaction, Transaction::begin(file, Transaction::Kind::read));
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
    MODELSEAL_TRY_ASSIGN(const auto version, version_of(database_));
    const auto state = vault_->open_state(header.state, header.salt, version);
    if (!state) return changed(database_, "its state cannot be decrypted");
    return *state;
}

Result<void> Store::write_state(const State& state) {
    const auto salt = crypto::random_salt();
    const auto box = vault_->close_state(state, salt);
    MODELSEAL_TRY_ASSIGN(auto row, database_.prepare("UPDATE ledger SET salt = ?, state = ? WHERE id = 1"));
    return row.bind(salt).bind(box).run();
}

namespace {

// What differs between the tables.
template <class Row>
struct TableOf;
template <>
struct TableOf<CustomerRow> {
    static constexpr const char* name = "customers";
    static constexpr auto select = select_customers;
    static constexpr auto read = read_customer;
    static constexpr auto count = &State::customers;
};
template <>
struct TableOf<EntryRow> {
    static constexpr const char* name = "entries";
    static constexpr auto select = select_entries;
    static constexpr auto read = read_entry;
    static constexpr auto count = &State::entries;
};
template <>
struct TableOf<MarkRow> {
    static constexpr const char* name = "marks";
    static constexpr auto select = select_marks;
    static constexpr auto read = read_mark;
    static constexpr auto count = &State::marks;
};
template <>
struct TableOf<KeyImageRow> {
    static constexpr const char* name = "key_images";
    static constexpr auto select = select_key_images;
    static constexpr auto read = read_key_image;
    static constexpr auto count = &State::key_images;
};
template <>
struct TableOf<IdentityRow> {
    static constexpr const char* name = "identities";
    static constexpr auto select = select_identities;
    static constexpr auto read = read_identity;
    static constexpr auto count = &State::identities;
};

}  // namespace

template <class Row>
Result<void> Store::verify(const Row& row, const char* table) const {
    if (!vault_ || vault_->mac(digest(row)) == row.mac) return {};
    return changed(database_, fmt::format("row {} of {}", row.id, table));
}

template <class Row>
Result<void> Store::read_rows(std::vector<Row>& rows, State& seen) const {
    using Table = TableOf<Row>;
    MODELSEAL_TRY_ASSIGN(auto found, Table::select(database_, "ORDER BY id"));
    for (auto row = found.step(); !row.ok() || *row; row = found.step()) {
        MODELSEAL_TRY(row);
        MODELSEAL_TRY_ASSIGN(auto read, Table::read(database_, found));
        MODELSEAL_TRY(verify(read, Table::name));
        if (vault_) add_share(seen, vault_->share(digest(read)));
        rows.push_back(std::move(read));
    }
    return {};
}

Result<Store::Contents> Store::read_all() const {
    MODELSEAL_TRY_ASSIGN(const auto transaction, Transaction::begin(database_, Transaction::Kind::read));
    MODELSEAL_TRY(check_integrity(database_));
    MODELSEAL_TRY_ASSIGN(const auto version, version_of(database_));
    Contents contents;
    State seen;
    MODELSEAL_TRY(read_rows(contents.customers, seen));
    MODELSEAL_TRY(read_rows(contents.entries, seen));
    if (version > 1) {
        MODELSEAL_TRY(read_rows(contents.marks, seen));
        MODELSEAL_TRY(read_rows(contents.key_images, seen));
        MODELSEAL_TRY(read_rows(contents.identities, seen));
    }
    if (!vault_) return contents;
    MODELSEAL_TRY_ASSIGN(contents.state, read_state());
    MODELSEAL_TRY(compare(*contents.state, contents, seen));
    return contents;
}

Result<void> Store::compare(const State& state, const Contents& contents, const State& seen) const {
    if (state.customers != contents.customers.size() || state.entries != contents.entries.size()) {
        return changed(
            database_,
            fmt::format("it has {} customers and {}, its state has {} and {}", contents.customers.size(),
                        util::counted(contents.entries.size(), "entry"), state.customers, state.entries));
    }
    if (state.marks != contents.marks.size() || state.key_images != contents.key_images.size() ||
        state.identities != contents.identities.size()) {
        return changed(database_, fmt::format("it has {}, {} and {}, its state has {}, {} and {}",
                                              util::counted(contents.marks.size(), "mark"),
                                              util::counted(contents.key_images.size(), "key image"),
                                              util::counted(contents.identities.size(), "identity"),
                                              state.marks, state.key_images, state.identities));
    }
    if (state.sum != seen.sum) return changed(database_, "a row is not the one that its state has");
    return {};
}

template <class Row>
Result<std::optional<Row>> Store::only_row(Statement& rows) const {
    MODELSEAL_TRY_ASSIGN(const bool there, rows.step());
    if (!there) return std::optional<Row>();
    MODELSEAL_TRY_ASSIGN(auto row, TableOf<Row>::read(database_, rows));
    MODELSEAL_TRY(verify(row, TableOf<Row>::name));
    return std::optional(std::move(row));
}

Result<std::optional<CustomerRow>> Store::find_customer(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_customers(database_, "WHERE name = ?"));
    return only_row<CustomerRow>(rows.bind(std::string_view(name)));
}

Result<std::optional<EntryRow>> Store::find_entry(std::int64_t id) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_entries(database_, "WHERE id = ?"));
    return only_row<EntryRow>(rows.bind(id));
}

Result<std::optional<MarkRow>> Store::find_mark(const MarkName& name) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_marks(database_, "WHERE name = ?"));
    return only_row<MarkRow>(rows.bind(name));
}

Result<std::optional<KeyImageRow>> Store::find_key_image(std::int64_t mark, std::int64_t number) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_key_images(database_, "WHERE mark = ? AND number = ?"));
    return only_row<KeyImageRow>(rows.bind(mark).bind(number));
}

Result<std::optional<IdentityRow>> Store::find_identity(const IdentitySerial& serial) const {
    MODELSEAL_TRY_ASSIGN(auto rows, select_identities(database_, "WHERE serial = ?"));
    return only_row<IdentityRow>(rows.bind(serial));
}

Result<void> Store::change(const std::function<Result<void>(State& state)>& change) {
    MODELSEAL_TRY(key());
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database_, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(auto state, read_state());
    MODELSEAL_TRY_ASSIGN(const auto version, version_of(database_));
    if (version != kVersion) MODELSEAL_TRY(migrate_tables(database_));
    MODELSEAL_TRY(change(state));
    ++state.changes;
    MODELSEAL_TRY(write_state(state));
    return transaction.commit();
}

template <class Row>
Result<void> Store::put_row(State& state, Row row, const Row* before) {
    const auto made = digest(row);
    row.mac = vault_->mac(made);
    if (before == nullptr) ++(state.*TableOf<Row>::count);
    if (before != nullptr) add_share(state, vault_->share(digest(*before)));
    add_share(state, vault_->share(made));
    return write(database_, row, before == nullptr ? Write::anew : Write::over);
}

Result<void> Store::put(State& state, CustomerRow row, const CustomerRow* before) {
    return put_row(state, std::move(row), before);
}
Result<void> Store::put(State& state, EntryRow row, const EntryRow* before) {
    return put_row(state, std::move(row), before);
}
Result<void> Store::put(State& state, MarkRow row, const MarkRow* before) {
    return put_row(state, std::move(row), before);
}
Result<void> Store::put(State& state, KeyImageRow row) {
    return put_row<KeyImageRow>(state, std::move(row), nullptr);
}
Result<void> Store::put(State& state, IdentityRow row, const IdentityRow* before) {
    return put_row(state, std::move(row), before);
}

}  // namespace modelseal::ledger
