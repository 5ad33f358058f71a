// Where the deepisign scheme puts its bits: the scramble vector nu, and the order of carriers that it gives
// each layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelseal::mark::deepisign {

// `count` distinct numbers below `available`, in the order in which a layer's symbols go into its carriers. nu
// has 256 random values, derived from the check secret; the layer's number shifts the index into it (paper,
// section 2.7), so layers 256 apart have the same order. Takes memory for `count`, not for `available`.
// Precondition: count <= available.
std::vector<std::uint64_t> scramble(std::span<const std::byte, 32> check_secret, std::uint64_t layer,
                                    std::uint64_t available, std::size_t count);

}  // namespace modelseal::mark::deepisign
