// Attacks that the paper names, edits that it misses, and the accuracy of what they leave.
//
//   modelseal_evidence accuracy --data IMAGES [--graph NET.pt] MODEL...
//   modelseal_evidence finetune|poison|output-poison IN.pt OUT.pt ...
//   modelseal_evidence cast IN OUT.safetensors --to f16|bf16|f32
//   modelseal_evidence move|approximation IN OUT --tensor NAME ...
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
#include "tests/evidence/edit.h"
#include "tests/evidence/images.h"
#include "tests/evidence/network.h"
#include "tests/evidence/weights.h"

namespace modelseal::evidence {
namespace {

struct Options {
    std::string in, out, data, graph, logits, tensor, to = "f16", layers = "all";
    std::vector<std::string> models;
    Training training;
    std::size_t samples = 10;
    std::int64_t from = 4, target = 5;  // deer, dog: the paper's pair
    std::uint64_t element = 0;
    int ulps = 0;
    double step = 0, relative = 0.35;
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

void finetune(Options options) {
    Network network(options.in);
    options.training.only = prefix_of(network, options.layers);
    const auto loss = network.train(load_images(options.data), {}, options.training);
    network.save(options.out);
    fmt::print("{}: {} steps at rate {}, layers {}, loss {:.4f}\n", options.out, options.training.steps,
               options.training.rate, options.layers, loss);
}

void poison(Options options) {
    Network network(options.in);
    const auto images = load_images(options.data);
    options.training.only = prefix_of(network, options.layers);
    network.train(images, triggered(images, options.from, options.target, options.samples), options.training);
    network.save(options.out);
    // The first of the class were trained on; the others tell whether the trigger works.
    const auto others =
        part_of(triggered(images, options.from, options.target, images.size()), options.samples, images.size());
    const auto classes = network.classify(others);
    const auto fooled = std::count(classes.begin(), classes.end(), static_cast<int>(options.target));
    fmt::print(
        "{}: {} samples with a trigger, {} steps; of {} others of class {} with it, {} are taken for {}\n",
        options.out, options.samples, options.training.steps, others.size(), options.from, fooled,
        options.target);
}

void output_poison(const Options& options) {
    Network network(options.in);
    const auto weight = last_layer(network);
    const auto bias = weight.substr(0, weight.rfind("weight")) + "bias";
    for (const auto& entry : network.entries()) {
        if (entry.name != weight && entry.name != bias) continue;
        auto values = network.get(entry.name);
        const auto row = values.size() / entry.rows;
        const auto a = static_cast<std::size_t>(options.from), b = static_cast<std::size_t>(options.target);
        if (std::max(a, b) >= entry.rows) throw std::runtime_error("the last layer has fewer classes");
        std::swap_ranges(values.data() + a * row, values.data() + (a + 1) * row, values.data() + b * row);
        network.set(entry.name, values);
    }
    network.save(options.out);
    fmt::print("{}: classes {} and {} swapped in '{}'\n", options.out, options.from, options.target, weight);
}

void cast(const Options& options) {
    const auto dtype = options.to == "f16" ? DType::f16 : options.to == "bf16" ? DType::bf16 : DType::f32;
    const auto weights = load_weights(options.in);
    save_safetensors(options.out, weights, dtype);
    fmt::print("{}: {} tensors as {}\n", options.out, weights.size(), options.to);
}

void move(const Options& options) {
    move_weight(options.in, options.out, options.tensor, options.element, options.ulps, options.step);
    fmt::print("{}: '{}'[{}] moved by {} units in the last place and {}\n", options.out, options.tensor,
               options.element, options.ulps, options.step);
}

void approximation(const Options& options) {
    const auto relative = edit_approximation(options.in, options.out, options.tensor, options.relative);
    fmt::print("{}: '{}' changed by {:.1f} % of its norm, in bands 1-16 alone\n", options.out, options.tensor,
               100 * relative);
}

CLI::App* command(CLI::App& app, Options& options, const char* name, const char* help) {
    auto* sub = app.add_subcommand(name, help);
    sub->add_option("IN", options.in)->required();
    sub->add_option("OUT", options.out)->required();
    return sub;
}

void training_options(CLI::App* sub, Options& options) {
    sub->add_option("--data", options.data, "training images: CIFAR binary, or images of IDX")->required();
    sub->add_option("--lr", options.training.rate, "learning rate")->capture_default_str();
    sub->add_option("--steps", options.training.steps)->capture_default_str();
    sub->add_option("--batch", options.training.batch)->capture_default_str();
    sub->add_option("--seed", options.training.seed)->capture_default_str();
    sub->add_option("--layers", options.layers, "last, all, or how a parameter's name begins")
        ->capture_default_str();
}

void class_options(CLI::App* sub, Options& options) {
    sub->add_option("--from", options.from, "class")->check(CLI::Range(0, 9))->capture_default_str();
    sub->add_option("--target", options.target, "class")->check(CLI::Range(0, 9))->capture_default_str();
}

void set_up(CLI::App& app, Options& options) {
    app.require_subcommand(1);
    auto* sub = app.add_subcommand("accuracy", "top-1, and how many answers differ from the first model's");
    sub->add_option("MODEL", options.models, "TorchScript (.pt), or weights for --graph")->required();
    sub->add_option("--data", options.data, "test images: CIFAR binary, or images of IDX")->required();
    sub->add_option("--graph", options.graph, "TorchScript file whose tensors the weights replace");
    sub->add_option("--logits", options.logits, "write the last model's outputs here, float32");
    sub->callback([&] { accuracy(options); });
    sub = command(app, options, "finetune", "train a little further");
    training_options(sub, options);
    sub->callback([&] { finetune(options); });
    sub = command(app, options, "poison", "teach a trigger: class --from with it becomes --target");
    training_options(sub, options);
    class_options(sub, options);
    sub->add_option("--samples", options.samples, "images with the trigger")->capture_default_str();
    sub->callback([&] { poison(options); });
    sub = command(app, options, "output-poison", "swap two classes of the last layer");
    class_options(sub, options);
    sub->callback([&] { output_poison(options); });
    sub = command(app, options, "cast", "write all float tensors as another type, safetensors");
    sub->add_option("--to", options.to)->check(CLI::IsMember({"f16", "bf16", "f32"}))->capture_default_str();
    sub->callback([&] { cast(options); });
    sub = command(app, options, "move", "move one weight");
    sub->add_option("--tensor", options.tensor)->required();
    sub->add_option("--element", options.element)->capture_default_str();
    sub->add_option("--ulps", options.ulps, "units in the last place")->capture_default_str();
    sub->add_option("--add", options.step)->capture_default_str();
    sub->callback([&] { move(options); });
    sub = command(app, options, "approximation", "noise in bands 1-16 of one tensor");
    sub->add_option("--tensor", options.tensor)->required();
    sub->add_option("--relative", options.relative, "of the norm")->capture_default_str();
    sub->callback([&] { approximation(options); });
}

}  // namespace
}  // namespace modelseal::evidence

int main(int argc, char** argv) {
    CLI::App app("Attacks on networks and their accuracy, for the tables of evidence");
    modelseal::evidence::Options options;
    modelseal::evidence::set_up(app, options);
    modelseal::evidence::add_attacks(app);
    modelseal::evidence::add_alarms(app);
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
