// The inside of a Ledger, for the files that have its methods.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ledger/rows.h"
#include "ledger/store.h"
#include "ledger/vault.h"
#include <modelseal/ledger.h>

namespace modelseal {

struct Ledger::State {
    std::filesystem::path path;
    std::unique_ptr<ledger::Store> store;

    const std::string& shown() const { return store->database().shown(); }
    Error nobody(const std::string& name) const;
    Error revoked(const ledger::CustomerRow& row) const;
    Result<ledger::CustomerRow> find(const std::string& name) const;
    Result<ledger::Vault::StoredKey> open_key(const ledger::CustomerRow& row) const;
    Result<CheckKey> check_key(const ledger::CustomerRow& row) const;
    Result<std::vector<CheckKey>> check_keys(const ledger::Store::Contents& contents) const;
    // Refuses a name that exists, inside the transaction, so that only one of two processes gets it.
    Result<void> insert(ledger::State& state, const CheckKey& key, const std::string& text);
    // With a new check key.
    Result<void> insert_new(ledger::State& state, const SigningKey& vendor, const std::string& name);
    // Of the vendor whose ledger it is.
    Result<CheckKey> parse(const std::string& check_key_text, const std::string& shown) const;
};

}  // namespace modelseal
