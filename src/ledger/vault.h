// Protects a ledger with the vendor's key: hides the check keys, and detects changes by anybody without the
// key.
//
// Every row has a MAC over all of it and over the name of its ledger, so that rows can neither be forged, nor
// moved, nor taken from another ledger. The state, which nobody without the key can read or make, has the
// number of rows and a sum over the MACs of all of them, so that no row can be left out, or put back as it
// was earlier. What remains possible without the key: to put back a complete earlier ledger.
#pragma once

#include <optional>

#include "crypto/sealed_box.h"
#include "ledger/rows.h"
#include <modelseal/keys.h>

namespace modelseal::ledger {

using LedgerName = std::array<std::byte, 32>;  // random; distinguishes ledgers

// A summary of the complete ledger.
struct State {
    std::uint64_t changes = 0;  // transactions that wrote
    std::uint64_t customers = 0, entries = 0;
    std::uint64_t marks = 0, key_images = 0, identities = 0;  // 0 in a ledger of version 1
    std::array<std::byte, 32> sum{};                          // exclusive or of Vault::share() over all rows
};

// Thread safety: const calls are safe together.
class Vault {
  public:
    // `unsupported` if the key is on a token that can only sign.
    static Result<Vault> of(const SigningKey& vendor, const LedgerName& name);

    Mac mac(const crypto::Digest& row) const;
    // The summand of a row; never stored.
    Mac share(const crypto::Digest& row) const;

    std::vector<std::byte> close_state(const State& state, const crypto::Salt& salt) const;
    // `version`: of the ledger; close_state() writes the latest.
    std::optional<State> open_state(std::span<const std::byte> box, const crypto::Salt& salt,
                                    std::int64_t version) const;

    // The secret and the text of a NAME.check file. The caller wipes the result.
    struct StoredKey {
        Secret32 secret;
        std::string text;
    };
    std::vector<std::byte> close_key(const StoredKey& key, const crypto::Salt& salt) const;
    std::optional<StoredKey> open_key(std::span<const std::byte> box, const crypto::Salt& salt) const;

  private:
    explicit Vault(Secret32 secret) : secret_(std::move(secret)) {}
    Secret32 secret_;
};

void add_share(State& state, const Mac& share);

}  // namespace modelseal::ledger
