
#include "oms/hash.h"

#include <variant>

#include "crypto/hash.h"

namespace modelseal::oms {

std::string_view name_of(HashType type) {
    return type == HashType::sha256 ? "sha256" : "blake2b";
}

std::optional<HashType> hash_named(std::string_view name) {
    if (name == "sha256") return HashType::sha256;
    if (name == "blake2b") return HashType::blake2b;
    return std::nullopt;
}

std::size_t digest_bytes(HashType type) {
    return type == HashType::sha256 ? 32 : 64;
}

struct Hasher::State {
    std::variant<crypto::Sha256, crypto::Blake2b> hash;
    explicit State(HashType type) {
        if (type == HashType::blake2b) hash.emplace<crypto::Blake2b>();
    }
};

Hasher::Hasher(HashType type) : state_(std::make_unique<State>(type)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Hasher& Hasher::update(std::span<const std::byte> bytes) {
    std::visit([&](auto& hash) { hash.update(bytes); }, state_->hash);
    return *this;
}

std::vector<std::byte> Hasher::finish() {
    return std::visit(
        [](auto& hash) {
            const auto digest = hash.finish();
            return std::vector<std::byte>(digest.begin(), digest.end());
        },
        state_->hash);
}

}  // namespace modelseal::oms
