
#include "ledger/vault.h"

#include <algorithm>

#include "crypto/keystream.h"
#include "crypto/secret.h"
#include "formats/bytes.h"

namespace modelseal::ledger {
namespace {

// One for each version, so that the version in the file's header is under the vault as well.
constexpr std::string_view kStateLabel1 = "modelseal/1 ledger state", kStateLabel2 = "modelseal/2 ledger state";
constexpr std::string_view kKeyLabel = "modelseal/1 ledger check key";

Mac of_row(const Secret32& secret, const crypto::Digest& row, std::string_view label) {
    Mac mac;
    crypto::hkdf_sha256(secret.bytes(), row, label, mac);
    return mac;
}

}  // namespace

Result<Vault> Vault::of(const SigningKey& vendor, const LedgerName& name) {
    MODELSEAL_TRY_ASSIGN(const auto root, vendor.derive("ledger"));
    Secret32 secret;
    crypto::hkdf_sha256(root.bytes(), name, "modelseal/1 ledger", secret.writable());
    return Vault(std::move(secret));
}

Mac Vault::mac(const crypto::Digest& row) const {
    return of_row(secret_, row, "modelseal/1 ledger row");
}

Mac Vault::share(const crypto::Digest& row) const {
    return of_row(secret_, row, "modelseal/1 ledger share");
}

std::vector<std::byte> Vault::close_state(const State& state, const crypto::Salt& salt) const {
    const auto plain = formats::ByteWriter()
                           .number(state.changes)
                           .number(state.customers)
                           .number(state.entries)
                           .number(state.marks)
                           .number(state.key_images)
                           .number(state.identities)
                           .raw(state.sum)
                           .take();
    return crypto::seal_box(secret_, salt, kStateLabel2, {}, plain);
}

std::optional<State> Vault::open_state(std::span<const std::byte> box, const crypto::Salt& salt,
                                       std::int64_t version) const {
    const auto plain = crypto::open_box(secret_, salt, version == 1 ? kStateLabel1 : kStateLabel2, {}, box);
    if (!plain) return std::nullopt;
    formats::ByteReader reader(*plain);
    State state;
    state.changes = reader.number<std::uint64_t>();
    state.customers = reader.number<std::uint64_t>();
    state.entries = reader.number<std::uint64_t>();
    if (version > 1) {
        state.marks = reader.number<std::uint64_t>();
        state.key_images = reader.number<std::uint64_t>();
        state.identities = reader.number<std::uint64_t>();
    }
    reader.fill(state.sum);
    if (!reader.ok() || reader.left() != 0) return std::nullopt;
    return state;
}

std::vector<std::byte> Vault::close_key(const StoredKey& key, const crypto::Salt& salt) const {
    std::vector<std::byte> plain;
    plain.reserve(32 + key.text.size());  // no reallocation that would leave a copy of the secret
    const auto add = [&](std::span<const std::byte> bytes) {
        plain.insert(plain.end(), bytes.begin(), bytes.end());
    };
    add(key.secret.bytes());
    add(std::as_bytes(std::span(key.text)));
    auto box = crypto::seal_box(secret_, salt, kKeyLabel, {}, plain);
    crypto::wipe(plain.data(), plain.size());
    return box;
}

std::optional<Vault::StoredKey> Vault::open_key(std::span<const std::byte> box,
                                                const crypto::Salt& salt) const {
    auto plain = crypto::open_box(secret_, salt, kKeyLabel, {}, box);
    if (!plain) return std::nullopt;
    std::optional<StoredKey> key;
    if (plain->size() >= 32) {
        key.emplace();
        std::ranges::copy(std::span(*plain).first<32>(), key->secret.writable().begin());
        key->text.assign(reinterpret_cast<const char*>(plain->data()) + 32, plain->size() - 32);
    }
    crypto::wipe(plain->data(), plain->size());
    return key;
}

void add_share(State& state, const Mac& share) {
    for (std::size_t i = 0; i < share.size(); ++i) state.sum[i] ^= share[i];
}

}  // namespace modelseal::ledger
