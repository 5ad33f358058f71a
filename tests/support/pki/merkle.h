// Merkle trees as RFC 6962 defines them, the plain way: from the leaves up.
#pragma once

#include <span>
#include <vector>

#include "crypto/hash.h"

namespace modelseal::test {

using Leaf = std::vector<std::byte>;

inline Leaf merkle_hash(std::byte kind, const Leaf& a, const Leaf& b = {}) {
    const auto digest = crypto::Sha256().update({&kind, 1}).update(a).update(b).finish();
    return {digest.begin(), digest.end()};
}

// How many of the leaves are below the left child.
inline std::size_t merkle_left(std::size_t count) {
    std::size_t left = 1;
    while (left * 2 < count) left *= 2;
    return left;
}

inline Leaf merkle_root(std::span<const Leaf> leaves) {
    if (leaves.size() == 1) return merkle_hash(std::byte{0}, leaves[0]);
    const auto left = merkle_left(leaves.size());
    return merkle_hash(std::byte{1}, merkle_root(leaves.first(left)), merkle_root(leaves.subspan(left)));
}

// The sibling hashes on the path from a leaf to the root, lowest first.
inline std::vector<Leaf> merkle_path(std::span<const Leaf> leaves, std::size_t leaf) {
    if (leaves.size() == 1) return {};
    const auto left = merkle_left(leaves.size());
    const bool in_left = leaf < left;
    auto path =
        in_left ? merkle_path(leaves.first(left), leaf) : merkle_path(leaves.subspan(left), leaf - left);
    path.push_back(merkle_root(in_left ? leaves.subspan(left) : leaves.first(left)));
    return path;
}

}  // namespace modelseal::test
