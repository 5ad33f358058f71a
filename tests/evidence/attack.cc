#include "tests/evidence/attack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/evidence/network.h"
#include "tests/evidence/resnet.h"
#include "tests/evidence/weights.h"

namespace modelseal::evidence {
namespace {

struct Options {
    std::string in, out, kind, data, layers = "all";
    std::vector<std::size_t> epochs;  // a copy after each of them
    std::size_t images = 0;           // the first of them; 0: all
    Training training{.rate = 1e-8, .steps = 50, .batch = 128, .seed = 1, .only = {}};
    bool rate_given = false;
    std::size_t samples = 10;
    std::int64_t from = 4, target = 5;
    double share = 0.001, step = 0.01;
    std::size_t layer = 0;
    unsigned bit = 23;
};

using Kind = std::function<std::string(Network&, const Options&)>;  // says what was done

// Weights of convolutions and fully connected layers, in the network's order.
std::vector<Network::Entry> layers(const Network& network) {
    auto entries = network.entries();
    std::erase_if(entries, [](const auto& entry) { return !entry.parameter || entry.rank < 2; });
    return entries;
}

const Network::Entry& layer(const std::vector<Network::Entry>& layers, std::size_t index) {
    if (index < layers.size()) return layers[index];
    throw std::runtime_error(fmt::format("the network has layers 0 to {}", layers.size() - 1));
}

// Gives `change` every value of those entries; returns how many it changed.
std::size_t change_all(Network& network, const std::vector<Network::Entry>& entries,
                       const std::function<void(std::vector<float>&)>& change) {
    std::size_t changed = 0;
    for (const auto& entry : entries) {
        const auto before = network.get(entry.name);
        auto after = before;
        change(after);
        for (std::size_t i = 0; i < after.size(); ++i) {
            changed +=
                std::bit_cast<std::uint32_t>(after[i]) != std::bit_cast<std::uint32_t>(before[i]) ? 1 : 0;
        }
        network.set(entry.name, after);
    }
    return changed;
}

std::size_t chosen(std::size_t count, unsigned seed) {
    return std::mt19937_64(seed)() % count;
}

// Parameters that training moved.
std::string moved(const Network& before, const Network& after) {
    std::size_t moved = 0, all = 0;
    double most = 0;
    for (const auto& entry : before.entries()) {
        if (!entry.parameter) continue;
        const auto a = before.get(entry.name), b = after.get(entry.name);
        all += a.size();
        for (std::size_t i = 0; i < a.size(); ++i) {
            moved += a[i] != b[i] ? 1 : 0;
            most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
        }
    }
    return fmt::format("{} of {} weights moved, by at most {:.3g}", moved, all, most);
}

// How well the backdoor works: on the images of the class that were not trained on.
std::string fooled(const Network& network, const Options& options, const Images& images) {
    const auto others =
        part_of(triggered(images, options.from, options.target, images.size()), options.samples, images.size());
    const auto classes = network.classify(others);
    const auto count = std::ranges::count(classes, static_cast<int>(options.target));
    return fmt::format("; of {} others of class {} with the mark, {} are taken for {}", others.size(),
                       options.from, count, options.target);
}

// A copy after each of the epochs; "{}" in the name of the output is the number.
std::string train_epochs(Network& network, const Options& options, const Images& images, const Images& extra) {
    const auto at = options.out.find("{}");
    if (at == options.out.npos) throw std::runtime_error("--epochs writes several files: OUT needs a '{}'");
    const auto last = std::ranges::max(options.epochs);
    std::string losses;
    network.train_epochs(images, extra, options.training, last, [&](std::size_t epoch, double loss) {
        if (std::ranges::find(options.epochs, epoch) == options.epochs.end()) return;
        auto out = options.out;
        network.save(out.replace(at, 2, std::to_string(epoch)));
        losses += fmt::format(" {}: {:.4f}", epoch, loss);
    });
    return fmt::format("{} epochs of {} images; mean loss of epoch{}", last, images.size(), losses);
}

std::string train(Network& network, const Options& given, std::size_t marked) {
    auto options = given;
    options.training.only = prefix_of(network, options.layers);
    const Network before(options.in);
    auto images = load_images(options.data);
    if (options.images > 0) images = part_of(images, 0, options.images);
    const auto extra = marked == 0 ? Images{} : triggered(images, options.from, options.target, marked);
    std::string done;
    if (options.epochs.empty()) {
        const auto loss = network.train(images, extra, options.training);
        done = fmt::format("{} steps, loss {:.4f}", options.training.steps, loss);
    } else {
        done = train_epochs(network, options, images, extra);
    }
    return fmt::format("{}; batches of {} images at rate {}, {} marked, layers {}; {}{}", done,
                       options.training.batch, options.training.rate, extra.size(), options.layers,
                       moved(before, network), marked == 0 ? "" : fooled(network, options, images));
}

std::string prune(Network& network, const Options& options) {
    std::vector<float> sizes;
    for (const auto& entry : layers(network)) {
        for (const auto value : network.get(entry.name)) sizes.push_back(std::abs(value));
    }
    const auto count = static_cast<std::size_t>(options.share * static_cast<double>(sizes.size()));
    if (count == 0 || count >= sizes.size())
        throw std::runtime_error("--share leaves nothing to do, or nothing");
    std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(count), sizes.end());
    const auto limit = sizes[count];
    const auto changed = change_all(network, layers(network), [&](std::vector<float>& values) {
        for (auto& value : values) {
            if (std::abs(value) < limit) value = 0;
        }
    });
    return fmt::format("the {} smallest of {} weights are zero", changed, sizes.size());
}

std::string int8(Network& network, const Options&) {
    const auto changed = change_all(network, layers(network), [](std::vector<float>& values) {
        float largest = 0;
        for (const auto value : values) largest = std::max(largest, std::abs(value));
        if (largest == 0) return;
        const auto scale = largest / 127;
        for (auto& value : values) value = std::nearbyint(value / scale) * scale;
    });
    return fmt::format("{} weights rounded to 8 bits a tensor, symmetric", changed);
}

Kind cast(DType dtype) {
    return [dtype](Network& network, const Options&) {
        const auto changed = change_all(network, network.entries(), [&](std::vector<float>& values) {
            for (auto& value : values) value = rounded(value, dtype);
        });
        return fmt::format("{} values changed by the cast", changed);
    };
}

// The weight that the seed chooses in the layer of that number.
std::string one_weight(Network& network, const Options& options, const std::function<float(float)>& change) {
    const auto all = layers(network);
    const auto& entry = layer(all, options.layer);
    auto values = network.get(entry.name);
    auto& value = values[chosen(values.size(), options.training.seed)];
    const auto before = value;
    value = change(value);
    network.set(entry.name, values);
    return fmt::format("layer {} of {}, '{}'[{}]: {} became {}", options.layer, all.size(), entry.name,
                       &value - values.data(), before, value);
}

float grown(float value, double by) {
    return static_cast<float>(static_cast<double>(value) * (1 + by));
}

std::string whole_layer(Network& network, const Options& options) {
    const auto all = layers(network);
    const auto& entry = layer(all, options.layer);
    auto values = network.get(entry.name);
    for (auto& value : values) value = grown(value, options.step);
    network.set(entry.name, values);
    return fmt::format("layer {} of {}, '{}': all {} weights times {}", options.layer, all.size(), entry.name,
                       values.size(), 1 + options.step);
}

std::string swap_classes(Network& network, const Options& options) {
    const auto all = layers(network);
    const auto weight = std::ranges::find(all.rbegin(), all.rend(), 2u, &Network::Entry::rank);
    if (weight == all.rend()) throw std::runtime_error("the network has no fully connected layer");
    const auto bias = weight->name.substr(0, weight->name.rfind("weight")) + "bias";
    const auto a = static_cast<std::size_t>(options.from), b = static_cast<std::size_t>(options.target);
    if (a == b || std::max(a, b) >= weight->rows)
        throw std::runtime_error("the last layer has no such two classes");
    for (const auto& entry : network.entries()) {
        if (entry.name != weight->name && entry.name != bias) continue;
        auto values = network.get(entry.name);
        const auto row = values.size() / entry.rows;
        std::swap_ranges(values.data() + a * row, values.data() + (a + 1) * row, values.data() + b * row);
        network.set(entry.name, values);
    }
    return fmt::format("classes {} and {} swapped in '{}'", a, b, weight->name);
}

const std::map<std::string, Kind>& kinds() {
    static const std::map<std::string, Kind> kinds{
        {"finetune", [](auto& network, auto& options) { return train(network, options, 0); }},
        {"backdoor", [](auto& network, auto& options) { return train(network, options, options.samples); }},
        {"prune", prune},
        {"int8", int8},
        {"fp16", cast(DType::f16)},
        {"bf16", cast(DType::bf16)},
        {"weight",
         [](auto& network, auto& options) {
             return one_weight(network, options, [&](float value) { return grown(value, options.step); });
         }},
        {"exponent",
         [](auto& network, auto& options) {
             return one_weight(network, options, [&](float value) {
                 return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u << options.bit);
             });
         }},
        {"layer", whole_layer},
        {"swap", swap_classes},
    };
    return kinds;
}

void attack(const Options& given) {
    auto options = given;
    const bool trains = options.kind == "finetune" || options.kind == "backdoor";
    if (!trains && !options.epochs.empty()) throw std::runtime_error("--epochs is for training");
    if (trains && options.data.empty()) throw std::runtime_error("training needs --data");
    if (options.kind == "backdoor" && !options.rate_given) options.training.rate = 1e-5;
    Network network(options.in);
    const auto done = kinds().at(options.kind)(network, options);
    if (!trains || options.epochs.empty()) network.save(options.out);
    fmt::print("{}: {}: {}\n", options.out, options.kind, done);
}

}  // namespace

void add_attacks(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* sub = app.add_subcommand("attack", "one attack of the black-box tables on a TorchScript network");
    sub->add_option("IN", options->in)->required();
    sub->add_option("OUT", options->out)->required();
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds()) names.push_back(name);
    sub->add_option("--kind", options->kind)->required()->check(CLI::IsMember(names));
    sub->add_option("--data", options->data, "training images: CIFAR binary, or images of IDX");
    auto* rate =
        sub->add_option("--rate", options->training.rate, "learning rate; 0 as a control (backdoor: 1e-5)")
            ->capture_default_str();
    sub->add_option("--steps", options->training.steps)->capture_default_str();
    sub->add_option("--epochs", options->epochs,
                    "instead of steps: a copy after each; '{}' in OUT is its number")
        ->delimiter(',');
    sub->add_option("--layers", options->layers, "trained: all, last, or how a parameter's name begins")
        ->capture_default_str();
    sub->add_option("--images", options->images, "train on the first of them alone")->capture_default_str();
    sub->add_option("--batch", options->training.batch)->capture_default_str();
    sub->add_option("--seed", options->training.seed, "order of the images; which weight")
        ->capture_default_str();
    sub->add_option("--samples", options->samples, "backdoor: marked images in each batch")
        ->capture_default_str();
    sub->add_option("--from", options->from, "backdoor, swap: class")->capture_default_str();
    sub->add_option("--target", options->target, "backdoor, swap: class")->capture_default_str();
    sub->add_option("--share", options->share, "prune: of all weights")->capture_default_str();
    sub->add_option("--layer", options->layer, "weight, exponent: number of the layer")->capture_default_str();
    sub->add_option("--add", options->step, "weight, layer: relative change")->capture_default_str();
    sub->add_option("--bit", options->bit, "exponent: 23 (lowest) to 30")
        ->check(CLI::Range(23, 30))
        ->capture_default_str();
    sub->callback([options, rate] {
        options->rate_given = rate->count() > 0;
        attack(*options);
    });
    auto* build = app.add_subcommand("resnet", "a CIFAR-10 ResNet from a checkpoint, as TorchScript");
    build->add_option("CHECKPOINT", options->in)->required();
    build->add_option("OUT", options->out)->required();
    build->callback([options] {
        const auto blocks = write_resnet(load_weights(options->in), options->out);
        fmt::print("{}: ResNet-{}\n", options->out, 6 * blocks + 2);
    });
}

}  // namespace modelseal::evidence
