// What the vendor's key does for a ledger: it hides the check keys, and notices what somebody without the key
// changed.
//
// Every row has a MAC over all of it and over the name of its ledger, so that rows are neither forged, nor
// moved, nor taken from another ledger. The state, which nobody without the key can read or make, has the
// number of rows and a sum over the MACs of all of them, so that none can be left out, or put back as it was
// earlier. What remains to who can write the file: to put back a whole earlier ledger.
#pragma once

#include <optional>

#include "crypto/sealed_box.h"
#include "ledger/rows.h"
#include <modelseal/keys.h>

namespace modelseal::ledger {

using LedgerName = std::array<std::byte, 32>;  // random; tells one ledger from another

// The whole of a ledger in a few bytes.
struct State {
    std::uint64_t changes = 0;  // transactions that wrote
    std::uint64_t customers = 0, entries = 0;
    std::array<std::byte, 32> sum{};  // exclusive or over all rows of what Vault::share() gives
};

// Thread safety: const calls are safe together.
class Vault {
  public:
    // `unsupported` where the key is in a token that does nothing but sign.
    static Result<Vault> of(const SigningKey& vendor, const LedgerName& name);

    Mac mac(const crypto::Digest& row) const;
    // What a row adds to the sum; never stored.
    Mac share(const crypto::Digest& row) const;

    std::vector<std::byte> close_state(const State& state, const crypto::Salt& salt) const;
    std::optional<State> open_state(std::span<const std::byte> box, const crypto::Salt& salt) const;

    // The secret and the text of a NAME.check file. The caller wipes what it is given.
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
