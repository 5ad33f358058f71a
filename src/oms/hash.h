// The hashes of OpenSSF model signatures.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace modelseal::oms {

enum class HashType {
    sha256,
    blake2b,  // BLAKE2b-512 (RFC 7693), not keyed
};

std::string_view name_of(HashType type);  // "sha256"
std::optional<HashType> hash_named(std::string_view name);
std::size_t digest_bytes(HashType type);

// Incremental. Not thread-safe; reusable after finish().
class Hasher {
  public:
    explicit Hasher(HashType type);
    Hasher(Hasher&&) noexcept;
    ~Hasher();
    Hasher& update(std::span<const std::byte> bytes);
    std::vector<std::byte> finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::oms
