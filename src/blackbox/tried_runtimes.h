// How much was tried before the noise of a rung was taken as known.
#pragma once

#include <cstdint>

namespace modelseal::blackbox {

struct TriedRuntimes {
    std::uint64_t runtimes = 0;     // honest ones; 0: not known
    std::uint64_t evaluations = 0;  // of one input by one of them
};

}  // namespace modelseal::blackbox
