
#include "tests/support/models/small_fingerprint.h"

#include <array>
#include <fstream>
#include <stdexcept>

#include "blackbox/container/container.h"

namespace modelseal::test {

blackbox::Fingerprint small_fingerprint() {
    blackbox::Fingerprint made;
    made.root = std::string(60, 'a') + "0123";
    made.sealed = true;
    made.model = "net";
    made.created = "2026-11-21T00:00:00Z";
    made.runtime = "by hand";
    made.grid = Grid::u8;
    made.input = {.shape = {.name = "x", .shape = {2, 3, 3}}, .low = 0, .high = 1, .mean = {}, .std = {}};
    made.unit = 1.0 / 255;
    made.classes = 3;
    made.batch = 2;
    made.pairs().direction = {0.8, -0.6, -0.2};
    for (int path = 0; path < 2; ++path) {
        blackbox::Path row;
        for (int i = 0; i < 18; ++i) {
            row.base.push_back(static_cast<float>(20 + 11 * i + path));
            row.direction.push_back(static_cast<float>((i + path) % 3 - 1));
        }
        made.pairs().paths.push_back(row);
    }
    blackbox::RungOfPairs exact{.rung = Rung::exact, .noise = 0, .scale = 0, .floor = 0};
    exact.pairs.push_back({.path = 1, .target = 2, .member = {{0, -1e-7, 0}, {1, 2e-7, 1}}});
    blackbox::RungOfPairs fp32{.rung = Rung::fp32, .noise = 1e-5, .scale = 1e-6, .floor = 3e-4, .drift = 2e-6};
    fp32.pairs.push_back({.path = 0, .target = 0, .member = {{0, -3e-4, 1}, {1, 3.5e-4, 2}}});
    fp32.pairs.push_back({.path = 1, .target = 1, .member = {{0, -4e-4, 0}, {1, 5e-4, 0}}});
    made.pairs().rungs = {exact, fp32};
    return made;
}

blackbox::Fingerprint small_fingerprint_of_levels() {
    auto made = small_fingerprint();
    auto& pairs = made.pairs();
    pairs.direction.clear();
    for (std::size_t i = 0; i < pairs.paths.size(); ++i) {
        auto& path = pairs.paths[i];
        path.weights = i == 0 ? std::vector{0.8, -0.6, -0.2} : std::vector{-0.5, -0.3, 0.8};
        path.offset = i == 0 ? 1.25 : -3;
        path.noise = i == 0 ? 1e-6 : 3e-6;
    }
    pairs.shifts = {.beyond = {160, 65, 22, 1, 0}, .counted = 500};
    pairs.coverage = {.change = 0.01,
                      .all = {.name = {}, .weights = 110, .noticed = 73, .dead = 9},
                      .tensors = {{.name = "conv.weight", .weights = 100, .noticed = 70, .dead = 9},
                                  {.name = "conv.bias", .weights = 10, .noticed = 3, .dead = 0}}};
    for (auto& rung : pairs.rungs) {
        rung.drift = 0;
        for (auto& pair : rung.pairs) pair.unit = pair.path == 0 ? 0.5 : 1.1;
    }
    return made;
}

blackbox::Fingerprint small_triggers() {
    auto made = small_fingerprint();
    blackbox::Triggers triggers{.width = 64, .arm = Arm::both, .steps = 120};
    triggers.rungs = {{Rung::fp32, 1e-5, 1e-6, 3e-4}, {Rung::mixed, 1e-3, 1e-4, 8e-3}};
    for (const int label : {2, 0}) {
        blackbox::Trigger trigger{.label = label, .margin = label == 2 ? 0.25 : 1e-3};
        for (int i = 0; i < 18; ++i) {
            trigger.pixels.push_back(blackbox::pixel_of(made.input, made.unit, 14 * i + label));
        }
        triggers.triggers.push_back(std::move(trigger));
    }
    made.queries = std::move(triggers);
    return made;
}

CheckKey customer_key(const SigningKey& vendor, const std::string& name, unsigned seed) {
    std::array<std::byte, 32> secret;
    secret.fill(static_cast<std::byte>(seed));
    return {vendor.public_key(), name, Secret32(secret)};
}

std::string write_fingerprint(const blackbox::Fingerprint& print, const SigningKey& vendor,
                              const CheckKey& check, const std::filesystem::path& out) {
    const auto made = blackbox::encode(print, vendor, check);
    if (!made.ok()) throw std::runtime_error(made.error().message);
    std::ofstream(out, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(made->bytes.data()),
               static_cast<std::streamsize>(made->bytes.size()));
    return made->id;
}

}  // namespace modelseal::test
