#include "tests/evidence/cnn.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/evidence/network.h"

namespace modelseal::evidence {
namespace {

constexpr ImageShape kInput{1, 28, 28};

constexpr const char* kForward = R"(
def forward(self, x: Tensor) -> Tensor:
    x = torch.relu(torch.conv2d(x, self.conv1_weight, self.conv1_bias, [1, 1], [1, 1], [1, 1], 1))
    x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
    x = torch.relu(torch.conv2d(x, self.conv2_weight, self.conv2_bias, [1, 1], [1, 1], [1, 1], 1))
    x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
    x = torch.flatten(x, 1, -1)
    x = torch.relu(torch.addmm(self.fc1_bias, x, torch.t(self.fc1_weight)))
    return torch.addmm(self.fc2_bias, x, torch.t(self.fc2_weight))
)";

struct Options {
    std::string out, data, test;
    std::size_t epochs = 12;
    Training training{.rate = 1e-3, .batch = 64, .seed = 1, .only = {}, .adam = true, .decay = 0.8};
};

// Normal values of variance 2 / fan-in, as before a ReLU (He et al. 2015); biases are zero.
std::map<std::string, Weights> initial_weights(unsigned seed) {
    const std::map<std::string, std::vector<std::uint64_t>> shapes{{"conv1_weight", {16, 1, 3, 3}},
                                                                   {"conv2_weight", {32, 16, 3, 3}},
                                                                   {"fc1_weight", {48, 32 * 7 * 7}},
                                                                   {"fc2_weight", {10, 48}}};
    std::mt19937_64 random(seed);
    std::map<std::string, Weights> weights;
    for (const auto& [name, shape] : shapes) {
        std::uint64_t fan_in = 1;
        for (const auto extent : std::span(shape).subspan(1)) fan_in *= extent;
        std::normal_distribution<float> normal(0, std::sqrt(2.0f / static_cast<float>(fan_in)));
        Weights values{.shape = shape, .values = std::vector<float>(fan_in * shape[0])};
        for (auto& value : values.values) value = normal(random);
        weights[name] = std::move(values);
        const auto bias = name.substr(0, name.rfind("weight")) + "bias";
        weights[bias] = {.shape = {shape[0]}, .values = std::vector<float>(shape[0])};
    }
    return weights;
}

double accuracy_of(const Network& network, const Images& images) {
    const auto classes = network.classify(images);
    const auto correct = std::inner_product(classes.begin(), classes.end(), images.labels.begin(),
                                            std::size_t{0}, std::plus<>(), std::equal_to<>());
    return 100.0 * static_cast<double>(correct) / static_cast<double>(images.size());
}

void train(const Options& options) {
    const auto images = load_images(options.data);
    const auto test = options.test.empty() ? Images{} : load_images(options.test);
    if (images.shape.pixels() != kInput.pixels() || images.shape.channels != kInput.channels) {
        throw std::runtime_error(options.data + ": not images of 1 x 28 x 28");
    }
    write_network(options.out, "SmallCnn", initial_weights(options.training.seed), kForward);
    Network network(options.out);
    network.train_epochs(images, {}, options.training, options.epochs, [&](std::size_t epoch, double loss) {
        fmt::print("epoch {}: loss {:.4f}", epoch, loss);
        if (test.size() > 0)
            fmt::print(", {:.2f} % of {} test images", accuracy_of(network, test), test.size());
        fmt::print("\n");
        std::fflush(stdout);
    });
    network.save(options.out);
}

}  // namespace

void add_training(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* sub = app.add_subcommand("train", "a small network for images of 1 x 28 x 28, as TorchScript");
    sub->add_option("OUT", options->out)->required();
    sub->add_option("--data", options->data, "training images, IDX")->required();
    sub->add_option("--test", options->test, "test images, IDX");
    sub->add_option("--epochs", options->epochs)->capture_default_str();
    sub->add_option("--rate", options->training.rate, "learning rate of the first epoch")
        ->capture_default_str();
    sub->add_option("--seed", options->training.seed)->capture_default_str();
    sub->callback([options] { train(*options); });
}

}  // namespace modelseal::evidence
