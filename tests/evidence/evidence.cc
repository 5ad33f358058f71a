// Attacks that papers name, and the accuracy of what they leave.
//
//   modelseal_evidence accuracy --data IMAGES [--graph NET.pt] MODEL...
//   modelseal_evidence deepisign ...: levels.h
//   modelseal_evidence attack|resnet ...: attack.h
//   modelseal_evidence train ...: cnn.h
//   modelseal_evidence alarms ...: alarms.h
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/evidence/alarms.h"
#include "tests/evidence/attack.h"
#include "tests/evidence/cnn.h"
#include "tests/evidence/images.h"
#include "tests/evidence/levels.h"
#include "tests/evidence/network.h"
#include "tests/evidence/weights.h"

namespace modelseal::evidence {
namespace {

struct Options {
    std::string data, graph, logits;
    std::vector<std::string> models;
};

// TorchScript names have '_' where state dictionaries have '.'.
std::string in_graph(std::string name) {
    std::ranges::replace(name, '.', '_');
    return name;
}

std::unique_ptr<Network> load(const std::string& path, const std::string& graph) {
    if (path.ends_with(".pt") || graph.empty()) return std::make_unique<Network>(path);
    auto network = std::make_unique<Network>(graph);
    std::size_t placed = 0;
    const auto entries = network->entries();
    for (const auto& [name, weights] : load_weights(path)) {
        const auto known = std::ranges::find(entries, in_graph(name), &Network::Entry::name);
        if (known == entries.end()) continue;
        network->set(known->name, weights.values);
        ++placed;
    }
    const auto parameters = std::ranges::count_if(entries, [](const auto& entry) { return entry.parameter; });
    if (placed < static_cast<std::size_t>(parameters)) {
        throw std::runtime_error(fmt::format("{}: {} of the graph's {} parameters", path, placed, parameters));
    }
    return network;
}

// Float32, little-endian, a row for each image.
void write_answers(const std::string& path, const std::vector<float>& answers) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(answers.data()),
               static_cast<std::streamsize>(answers.size() * sizeof(float)));
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

void accuracy(const Options& options) {
    const auto images = load_images(options.data);
    std::vector<int> reference;
    fmt::print("{:<44} {:>7} {:>7} {:>8} {:>9} {:>7}\n", "model", "correct", "of", "top-1 %", "differing", "s");
    for (const auto& path : options.models) {
        const auto begin = std::chrono::steady_clock::now();
        const auto network = load(path, options.graph);
        const auto classes = network->classify(images);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        std::size_t correct = 0, differing = 0;
        if (reference.empty()) reference = classes;
        if (!options.logits.empty()) write_answers(options.logits, network->answers(images));
        for (std::size_t i = 0; i < classes.size(); ++i) {
            if (classes[i] == images.labels[i]) ++correct;
            if (classes[i] != reference[i]) ++differing;
        }
        fmt::print("{:<44} {:>7} {:>7} {:>8.2f} {:>9} {:>7.1f}\n", path, correct, classes.size(),
                   100.0 * static_cast<double>(correct) / static_cast<double>(classes.size()), differing,
                   took.count());
        std::fflush(stdout);
    }
}

void set_up(CLI::App& app, Options& options) {
    app.require_subcommand(1);
    auto* sub = app.add_subcommand("accuracy", "top-1, and how many answers differ from the first model's");
    sub->add_option("MODEL", options.models, "TorchScript (.pt), or weights for --graph")->required();
    sub->add_option("--data", options.data, "test images: CIFAR binary, or images of IDX")->required();
    sub->add_option("--graph", options.graph, "TorchScript file whose tensors the weights replace");
    sub->add_option("--logits", options.logits, "write the last model's outputs here, float32");
    sub->callback([&] { accuracy(options); });
}

}  // namespace
}  // namespace modelseal::evidence

int main(int argc, char** argv) {
    CLI::App app("Attacks on networks and their accuracy, for the tables of evidence");
    modelseal::evidence::Options options;
    modelseal::evidence::set_up(app, options);
    modelseal::evidence::add_attacks(app);
    modelseal::evidence::add_alarms(app);
    modelseal::evidence::add_deepisign(app);
    modelseal::evidence::add_training(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "modelseal_evidence: {}\n", error.what());
        return 3;
    }
    return 0;
}
