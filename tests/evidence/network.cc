#include "tests/evidence/network.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include <torch/script.h>
#include <torch/torch.h>

namespace modelseal::evidence {
namespace {

constexpr std::int64_t kAtOnce = 250;  // images a forward pass

torch::Tensor pixels_of(const Images& images, std::int64_t first, std::int64_t count) {
    const auto side = static_cast<std::int64_t>(kSide);
    // LibTorch takes no const memory, and does not write into it here.
    auto* begin = const_cast<float*>(images.pixels.data()) + first * static_cast<std::int64_t>(kPixels);
    return torch::from_blob(begin, {count, 3, side, side});
}

torch::Tensor labels_of(const Images& images) {
    return torch::tensor(images.labels, torch::kLong);
}

template <class Work>
auto rethrowing(Work work) {
    try {
        return work();
    } catch (const c10::Error& error) {
        throw std::runtime_error(error.what_without_backtrace());
    }
}

}  // namespace

struct Network::Module {
    torch::jit::Module script;

    torch::Tensor find(const std::string& name) const {
        for (const auto& one : script.named_parameters()) {
            if (one.name == name) return one.value;
        }
        for (const auto& one : script.named_buffers()) {
            if (one.name == name) return one.value;
        }
        throw std::runtime_error("the network has no tensor '" + name + "'");
    }
};

Network::Network(const std::filesystem::path& torchscript) {
    module_ =
        rethrowing([&] { return std::make_unique<Module>(Module{torch::jit::load(torchscript.string())}); });
    module_->script.eval();
}

Network::~Network() = default;

std::vector<Network::Entry> Network::entries() const {
    std::vector<Entry> entries;
    const auto add = [&](const std::string& name, const torch::Tensor& value, bool parameter) {
        entries.push_back({name, static_cast<std::size_t>(value.numel()), static_cast<std::size_t>(value.dim()),
                           value.dim() == 0 ? 0 : static_cast<std::size_t>(value.size(0)), parameter});
    };
    for (const auto& one : module_->script.named_parameters()) add(one.name, one.value, true);
    for (const auto& one : module_->script.named_buffers()) add(one.name, one.value, false);
    return entries;
}

void Network::set(const std::string& name, std::span<const float> values) {
    torch::NoGradGuard no_gradient;
    auto tensor = module_->find(name);
    if (static_cast<std::size_t>(tensor.numel()) != values.size()) {
        throw std::runtime_error("tensor '" + name + "' has another size in the network");
    }
    tensor.copy_(torch::from_blob(const_cast<float*>(values.data()), tensor.sizes()));
}

std::vector<float> Network::get(const std::string& name) const {
    const auto tensor = module_->find(name).detach().to(torch::kFloat).contiguous();
    return {tensor.data_ptr<float>(), tensor.data_ptr<float>() + tensor.numel()};
}

std::vector<int> Network::classify(const Images& images) const {
    torch::NoGradGuard no_gradient;
    std::vector<int> classes;
    const auto total = static_cast<std::int64_t>(images.size());
    for (std::int64_t first = 0; first < total; first += kAtOnce) {
        const auto count = std::min(kAtOnce, total - first);
        const auto logits =
            rethrowing([&] { return module_->script.forward({pixels_of(images, first, count)}).toTensor(); });
        const auto best = logits.argmax(1).contiguous();
        for (std::int64_t i = 0; i < count; ++i)
            classes.push_back(static_cast<int>(best.data_ptr<std::int64_t>()[i]));
    }
    return classes;
}

double Network::train(const Images& images, const Images& extra, const Training& training) {
    std::vector<torch::Tensor> trained;
    for (const auto& one : module_->script.named_parameters()) {
        if (one.name.starts_with(training.only)) trained.push_back(one.value.set_requires_grad(true));
    }
    if (trained.empty()) throw std::runtime_error("no parameter begins with '" + training.only + "'");
    torch::optim::SGD optimiser(trained, torch::optim::SGDOptions(training.rate).momentum(0.9));
    const auto pixels = pixels_of(images, 0, static_cast<std::int64_t>(images.size())),
               labels = labels_of(images);
    const auto more = pixels_of(extra, 0, static_cast<std::int64_t>(extra.size())), wanted = labels_of(extra);
    torch::manual_seed(training.seed);
    double last_losses = 0;
    for (std::size_t step = 0; step < training.steps; ++step) {
        const auto chosen = torch::randint(static_cast<std::int64_t>(images.size()),
                                           {static_cast<std::int64_t>(training.batch)}, torch::kLong);
        const auto batch = torch::cat({pixels.index_select(0, chosen), more});
        const auto targets = torch::cat({labels.index_select(0, chosen), wanted});
        optimiser.zero_grad();
        const auto loss = rethrowing([&] {
            auto value =
                torch::nn::functional::cross_entropy(module_->script.forward({batch}).toTensor(), targets);
            value.backward();
            return value.item<double>();
        });
        optimiser.step();
        if (step + 10 >= training.steps)
            last_losses += loss / static_cast<double>(std::min<std::size_t>(10, training.steps));
    }
    for (auto& tensor : trained) tensor.set_requires_grad(false);
    return last_losses;
}

void Network::save(const std::filesystem::path& path) const {
    rethrowing([&] {
        module_->script.save(path.string());
        return 0;
    });
}

}  // namespace modelseal::evidence
