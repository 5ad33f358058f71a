// The public Ledger in terms of rows.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "crypto/keys/armor.h"
#include "crypto/keys/check_key.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "ledger/ledger_state.h"
#include "util/text.h"
#include <modelseal/ledger.h>

namespace modelseal {

namespace {

namespace fs = std::filesystem;
using namespace ledger;

std::string time_of(std::int64_t seconds) {
    return seconds == 0 ? std::string() : io::rfc3339(seconds);
}

Customer customer_of(const CustomerRow& row) {
    return {.name = row.name,
            .added = io::rfc3339(row.added),
            .revoked = time_of(row.revoked),
            .reason = row.reason};
}

}  // namespace

Error Ledger::State::nobody(const std::string& name) const {
    return {ErrorKind::unreadable, fmt::format("{}: no customer '{}'", shown(), util::printable(name)),
            "list the customers, or add this one", Remedy::list_customers};
}

Error Ledger::State::revoked(const CustomerRow& row) const {
    return {ErrorKind::unsupported,
            fmt::format("{}: customer '{}' was revoked on {}{}{}", shown(), util::printable(row.name),
                        time_of(row.revoked), row.reason.empty() ? "" : ": ", row.reason),
            "nothing is made for revoked customers"};
}

Result<CustomerRow> Ledger::State::find(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(auto row, store->find_customer(name));
    if (!row) return nobody(name);
    return std::move(*row);
}

Result<Vault::StoredKey> Ledger::State::open_key(const CustomerRow& row) const {
    MODELSEAL_TRY_ASSIGN(const auto* vault, store->key());
    auto key = vault->open_key(row.key, row.salt);
    if (key) return std::move(*key);
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: the check key of '{}' cannot be opened", shown(), util::printable(row.name)),
                 "restore the ledger from a backup"};
}

Result<CheckKey> Ledger::State::check_key(const CustomerRow& row) const {
    MODELSEAL_TRY_ASSIGN(auto stored, open_key(row));
    crypto::wipe(stored.text);
    return CheckKey{store->vendor(), row.name, std::move(stored.secret)};
}

Result<std::vector<CheckKey>> Ledger::State::check_keys(const Store::Contents& contents) const {
    std::map<std::string, const CustomerRow*> by_name;
    for (const auto& row : contents.customers) by_name[row.name] = &row;
    std::vector<CheckKey> keys;
    keys.reserve(by_name.size());
    for (const auto& [name, row] : by_name) {
        MODELSEAL_TRY_ASSIGN(auto key, check_key(*row));
        keys.push_back(std::move(key));
    }
    return keys;
}

Result<void> Ledger::State::insert(ledger::State& state, const CheckKey& key, const std::string& text) {
    MODELSEAL_TRY_ASSIGN(const auto* vault, store->key());
    MODELSEAL_TRY_ASSIGN(const auto taken, store->find_customer(key.customer));
    if (taken) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: customer '{}' already exists", shown(), util::printable(key.customer)),
                     "show the customer in the ledger", Remedy::show_customer};
    }
    MODELSEAL_TRY_ASSIGN(const auto last, store->database().number("SELECT max(id) FROM customers"));
    CustomerRow row{
        .id = last + 1, .name = key.customer, .added = io::seconds_now(), .salt = crypto::random_salt()};
    row.key = vault->close_key({key.secret.clone(), text}, row.salt);
    return store->put(state, std::move(row));
}

Result<void> Ledger::State::insert_new(ledger::State& state, const SigningKey& vendor,
                                       const std::string& name) {
    MODELSEAL_TRY_ASSIGN(auto text, new_check_key(vendor, name));
    const crypto::WipeAtEnd wiped(text);
    MODELSEAL_TRY_ASSIGN(const auto key, parse(text, util::printable(name)));
    return insert(state, key, text);
}

Result<CheckKey> Ledger::State::parse(const std::string& check_key_text, const std::string& given) const {
    MODELSEAL_TRY_ASSIGN(auto key, crypto::parse_check_key(check_key_text, given));
    if (key.vendor == store->vendor()) return key;
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: bound to vendor key {}, but the ledger is for {}", given,
                             to_hex(key.vendor.id()), to_hex(store->vendor().id())),
                 {}};
}

Ledger::Ledger(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;
Ledger::~Ledger() = default;

namespace {

Result<std::unique_ptr<Store>> open_store(const fs::path& path, const SigningKey* vendor,
                                          Store::IfEmpty if_empty) {
    MODELSEAL_TRY_ASSIGN(auto database, Database::open(path));
    return Store::open(std::move(database), vendor, if_empty);
}

}  // namespace

Result<Ledger> Ledger::open(const fs::path& path, const SigningKey& vendor) {
    MODELSEAL_TRY_ASSIGN(auto store, open_store(path, &vendor, Store::IfEmpty::refuse));
    return Ledger(std::make_unique<State>(State{path, std::move(store)}));
}

Result<Ledger> Ledger::open_unverified(const fs::path& path) {
    MODELSEAL_TRY_ASSIGN(auto store, open_store(path, nullptr, Store::IfEmpty::refuse));
    return Ledger(std::make_unique<State>(State{path, std::move(store)}));
}

Result<Ledger> Ledger::open_or_create(const fs::path& path, const SigningKey& vendor) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) {
        MODELSEAL_TRY(Vault::of(vendor, {}));  // a key on a token may only sign, and then no file is to be left
        // An empty file with the right mode, which the tables then come into. Another process may be as fast.
        auto file = io::AtomicFile::create(path, 0600, io::WriteMode::exclusive);
        auto made = file.ok() ? file->commit() : Result<void>(file.error());
        if (!made.ok() && !fs::exists(path, ignored)) return std::move(made).error();
    }
    MODELSEAL_TRY_ASSIGN(auto store, open_store(path, &vendor, Store::IfEmpty::make));
    return Ledger(std::make_unique<State>(State{path, std::move(store)}));
}

const fs::path& Ledger::path() const {
    return state_->path;
}
bool Ledger::verified() const {
    return state_->store->vault() != nullptr;
}
const PublicKey& Ledger::vendor() const {
    return state_->store->vendor();
}

namespace {

std::vector<Customer> customers_in(const Store::Contents& contents) {
    std::map<std::string, Customer> by_name;
    std::map<std::int64_t, Customer*> by_id;
    for (const auto& row : contents.customers) {
        by_id[row.id] = &by_name.insert_or_assign(row.name, customer_of(row)).first->second;
    }
    for (const auto& entry : contents.entries) {
        const auto whose = by_id.find(entry.customer);
        if (whose == by_id.end()) continue;
        ++(entry.kind == EntryKind::seal ? whose->second->seals : whose->second->fingerprints);
    }
    for (const auto& identity : contents.identities) {
        if (const auto whose = by_id.find(identity.customer); whose != by_id.end()) ++whose->second->identities;
    }
    std::vector<Customer> customers;
    for (auto& [name, customer] : by_name) customers.push_back(std::move(customer));
    return customers;
}

// `shown`: the ledger.
Result<std::vector<LedgerEntry>> entries_in(const Store::Contents& contents, const std::string& shown,
                                            const std::optional<std::string>& customer) {
    std::map<std::int64_t, std::string> names = {{0, ""}};
    for (const auto& row : contents.customers) names[row.id] = row.name;
    std::vector<LedgerEntry> entries;
    for (const auto& row : contents.entries) {
        const auto name = names.find(row.customer);
        if (name == names.end()) {
            return Error{
                ErrorKind::malformed,
                fmt::format("{}: damaged: row {} of entries: its customer is not in the ledger", shown, row.id),
                "restore it from a backup"};
        }
        if (!customer || *customer == name->second) entries.push_back(entry_of(row, name->second));
    }
    return entries;
}

}  // namespace

Result<std::vector<Customer>> Ledger::customers() const {
    MODELSEAL_TRY_ASSIGN(const auto contents, state_->store->read_all());
    return customers_in(contents);
}

Result<std::vector<LedgerEntry>> Ledger::entries(const std::optional<std::string>& customer) const {
    MODELSEAL_TRY_ASSIGN(const auto contents, state_->store->read_all());
    return entries_in(contents, state_->store->database().shown(), customer);
}

Result<LedgerRecords> Ledger::records() const {
    MODELSEAL_TRY_ASSIGN(const auto contents, state_->store->read_all());
    LedgerRecords records{.customers = customers_in(contents)};
    MODELSEAL_TRY_ASSIGN(records.check_keys, state_->check_keys(contents));
    MODELSEAL_TRY_ASSIGN(records.entries, entries_in(contents, state_->store->database().shown(), {}));
    return records;
}

Result<Customer> Ledger::customer(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(const auto all, customers());
    const auto found = std::ranges::find(all, name, &Customer::name);
    if (found == all.end()) return state_->nobody(name);
    return *found;
}

Result<CheckKey> Ledger::check_key(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(const auto row, state_->find(name));
    return state_->check_key(row);
}

Result<std::string> Ledger::check_key_text(const std::string& name) const {
    MODELSEAL_TRY_ASSIGN(const auto row, state_->find(name));
    MODELSEAL_TRY_ASSIGN(auto stored, state_->open_key(row));
    return std::move(stored.text);
}

Result<std::vector<CheckKey>> Ledger::check_keys() const {
    MODELSEAL_TRY_ASSIGN(const auto contents, state_->store->read_all());
    return state_->check_keys(contents);
}

Result<void> Ledger::add(const SigningKey& vendor, const std::string& name) {
    return add(vendor, std::span(&name, 1));
}

Result<void> Ledger::add(const SigningKey& vendor, std::span<const std::string> names) {
    return state_->store->change([&](ledger::State& state) -> Result<void> {
        for (const auto& name : names) {
            MODELSEAL_TRY(state_->insert_new(state, vendor, name));
        }
        return {};
    });
}

Result<void> Ledger::add_existing(const std::string& check_key_text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto key, state_->parse(check_key_text, shown));
    auto text = crypto::tidy_armor(check_key_text);
    const crypto::WipeAtEnd wiped(text);
    return state_->store->change([&](ledger::State& state) { return state_->insert(state, key, text); });
}

Result<void> Ledger::revoke(const std::string& name, const std::string& reason) {
    if (reason.size() > kMostText || util::printable(reason) != reason) {
        return Error{ErrorKind::usage,
                     fmt::format("the reason has more than {}, contains control characters, or is not UTF-8",
                                 util::counted(kMostText, "byte")),
                     {}};
    }
    return state_->store->change([&](ledger::State& state) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto before, state_->find(name));
        if (before.revoked != 0) {
            return Error{
                ErrorKind::unreadable,
                fmt::format("{}: customer '{}' was already revoked on {}", state_->store->database().shown(),
                            util::printable(name), time_of(before.revoked)),
                {}};
        }
        auto after = before;
        after.revoked = std::max<std::int64_t>(1, io::seconds_now());
        after.reason = reason;
        return state_->store->put(state, std::move(after), &before);
    });
}

Result<void> Ledger::allow(const CheckKey& key) const {
    if (key.customer.empty()) return {};
    MODELSEAL_TRY_ASSIGN(const auto row, state_->store->find_customer(key.customer));
    const auto name = util::printable(key.customer);
    if (!row) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: no customer '{}'", state_->store->database().shown(), util::printable(name)),
            "add the customer with the check key they have", Remedy::add_customer};
    }
    if (row->revoked != 0) return state_->revoked(*row);
    MODELSEAL_TRY_ASSIGN(const auto known, state_->check_key(*row));
    if (std::ranges::equal(known.secret.bytes(), key.secret.bytes())) return {};
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: has another check key for '{}'", state_->store->database().shown(),
                             util::printable(name)),
                 "name the customer, so that the key in the ledger is taken", Remedy::use_ledger_key};
}

Result<std::uint64_t> Ledger::begin(LedgerEntry entry) {
    MODELSEAL_TRY_ASSIGN(auto row, row_of(entry));
    row.finished = false;
    row.made = io::seconds_now();
    auto& store = *state_->store;
    MODELSEAL_TRY(store.change([&](ledger::State& state) -> Result<void> {
        if (!entry.customer.empty()) {
            MODELSEAL_TRY_ASSIGN(const auto customer, state_->find(entry.customer));
            if (customer.revoked != 0) return state_->revoked(customer);
            row.customer = customer.id;
        }
        MODELSEAL_TRY_ASSIGN(const auto last, store.database().number("SELECT max(id) FROM entries"));
        row.id = last + 1;
        return store.put(state, row);
    }));
    return static_cast<std::uint64_t>(row.id);
}

Result<void> Ledger::finish(std::uint64_t number) {
    return state_->store->change([&](ledger::State& state) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto before, state_->store->find_entry(static_cast<std::int64_t>(number)));
        if (!before) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: no entry {}", state_->store->database().shown(), number),
                         {}};
        }
        auto after = *before;
        after.finished = true;
        return state_->store->put(state, std::move(after), &*before);
    });
}

}  // namespace modelseal
