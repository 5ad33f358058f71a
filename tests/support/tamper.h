// Damage to the weights of a safetensors file of f32, in stretches as large as a seal's blocks.
#pragma once

#include <cstdint>
#include <string>

namespace modelseal::test {

enum class Damage {
    random_blocks,  // nine blocks in ten, chosen by chance, are overwritten
    front,          // the first nine tenths are overwritten
    back,           // the last nine tenths
    some_values,    // in every block one value in 512 changes its lowest bit
    all,            // everything is overwritten
};

// `file` with damage of this kind; `block` is in elements. The header stays.
std::string damaged(std::string file, Damage damage, std::uint64_t block, unsigned seed);

}  // namespace modelseal::test
