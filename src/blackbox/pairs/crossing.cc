#include "blackbox/pairs/crossing.h"

namespace modelseal::blackbox {
namespace {

// Starts and steps lie on a lattice, so that a path is whole numbers, which a container keeps in one or two
// bytes an element, and every runtime computes the same pixels from them (pixel_of).
constexpr unsigned kFineLevels = 513;
constexpr unsigned kGrayLevels = 256;
constexpr double kPart = 31.0 / 128, kPartOfGray = 1.0 / 64;

}  // namespace

Lattice lattice_of(const Input& input, Grid grid) {
    const unsigned levels = grid == Grid::u8 ? kGrayLevels : kFineLevels;
    const double range = static_cast<double>(input.high) - static_cast<double>(input.low);
    return {levels, range / (levels - 1), grid == Grid::u8 ? kPartOfGray : kPart};
}

std::vector<float> pixels_at(const Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                             std::span<const double> positions) {
    std::vector<float> pixels;
    pixels.reserve(crossings.size() * probe.elements());
    for (std::size_t row = 0; row < crossings.size(); ++row) {
        const auto& base = crossings[row].path.base;
        const auto& direction = crossings[row].path.direction;
        for (std::size_t i = 0; i < base.size(); ++i) {
            const double units =
                static_cast<double>(base[i]) + positions[row] * static_cast<double>(direction[i]);
            pixels.push_back(pixel_of(probe.input(), lattice.unit, units));
        }
    }
    return pixels;
}

Boundary boundary_of(const Crossing& crossing) {
    const auto& path = crossing.path;
    return {path.weights, crossing.target, path.outputs, path.offset};
}

std::vector<Boundary> boundaries_of(std::span<const Crossing> crossings) {
    std::vector<Boundary> boundaries;
    for (const auto& crossing : crossings) boundaries.push_back(boundary_of(crossing));
    return boundaries;
}

}  // namespace modelseal::blackbox
