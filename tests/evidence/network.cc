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
    const auto& shape = images.shape;
    // LibTorch takes no const memory, and does not write into it here.
    auto* begin = const_cast<float*>(images.pixels.data()) + first * static_cast<std::int64_t>(shape.pixels());
    return torch::from_blob(
        begin, {count, static_cast<std::int64_t>(shape.channels), static_cast<std::int64_t>(shape.height),
                static_cast<std::int64_t>(shape.width)});
}

torch::Tensor all_pixels(const Images& images) {
    return pixels_of(images, 0, static_cast<std::int64_t>(images.size()));
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

// Steps of training; afterwards the parameters need no gradients again.
class Trainer {
  public:
    Trainer(torch::jit::Module& script, const Images& images, const Images& extra, const Training& training)
        : script_(script), rate_(training.rate), pixels_(all_pixels(images)), labels_(labels_of(images)) {
        for (const auto& one : script.named_parameters()) {
            if (one.name.starts_with(training.only)) trained_.push_back(one.value.set_requires_grad(true));
        }
        if (trained_.empty()) throw std::runtime_error("no parameter begins with '" + training.only + "'");
        if (extra.size() > 0) {
            more_ = all_pixels(extra);
            wanted_ = labels_of(extra);
        }
        if (training.adam) {
            optimiser_ = std::make_unique<torch::optim::Adam>(trained_, torch::optim::AdamOptions(rate_));
        } else {
            optimiser_ =
                std::make_unique<torch::optim::SGD>(trained_, torch::optim::SGDOptions(rate_).momentum(0.9));
        }
        torch::manual_seed(training.seed);
    }
    ~Trainer() {
        for (auto& tensor : trained_) tensor.set_requires_grad(false);
    }
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    // Returns the loss before the step, on the images of those numbers.
    double step(const torch::Tensor& chosen) {
        auto batch = pixels_.index_select(0, chosen), targets = labels_.index_select(0, chosen);
        if (more_.defined()) {
            batch = torch::cat({batch, more_});
            targets = torch::cat({targets, wanted_});
        }
        optimiser_->zero_grad();
        const auto loss = rethrowing([&] {
            auto value = torch::nn::functional::cross_entropy(script_.forward({batch}).toTensor(), targets);
            value.backward();
            return value.item<double>();
        });
        optimiser_->step();
        return loss;
    }

    void multiply_rate(double factor) {
        rate_ *= factor;
        for (auto& group : optimiser_->param_groups()) group.options().set_lr(rate_);
    }

  private:
    torch::jit::Module& script_;
    double rate_;
    std::vector<torch::Tensor> trained_;
    torch::Tensor pixels_, labels_, more_, wanted_;
    std::unique_ptr<torch::optim::Optimizer> optimiser_;
};

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

std::vector<float> Network::answers(const Images& images) const {
    torch::NoGradGuard no_gradient;
    std::vector<float> answers;
    const auto total = static_cast<std::int64_t>(images.size());
    for (std::int64_t first = 0; first < total; first += kAtOnce) {
        const auto count = std::min(kAtOnce, total - first);
        const auto rows = rethrowing(
            [&] { return module_->script.forward({pixels_of(images, first, count)}).toTensor().contiguous(); });
        answers.insert(answers.end(), rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
    }
    return answers;
}

std::vector<int> Network::classify(const Images& images) const {
    const auto rows = answers(images);
    std::vector<int> classes;
    if (images.size() == 0) return classes;
    const auto width = static_cast<std::ptrdiff_t>(rows.size() / images.size());
    for (auto row = rows.begin(); row != rows.end(); row += width) {
        classes.push_back(static_cast<int>(std::max_element(row, row + width) - row));
    }
    return classes;
}

double Network::train(const Images& images, const Images& extra, const Training& training) {
    Trainer trainer(module_->script, images, extra, training);
    double last_losses = 0;
    for (std::size_t step = 0; step < training.steps; ++step) {
        const auto loss =
            trainer.step(torch::randint(static_cast<std::int64_t>(images.size()),
                                        {static_cast<std::int64_t>(training.batch)}, torch::kLong));
        if (step + 10 >= training.steps)
            last_losses += loss / static_cast<double>(std::min<std::size_t>(10, training.steps));
    }
    return last_losses;
}

void Network::train_epochs(const Images& images, const Images& extra, const Training& training,
                           std::size_t epochs, const EpochDone& done) {
    Trainer trainer(module_->script, images, extra, training);
    const auto batch = static_cast<std::int64_t>(training.batch);
    for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
        const auto batches =
            torch::randperm(static_cast<std::int64_t>(images.size()), torch::kLong).split(batch);
        double losses = 0;
        for (const auto& chosen : batches) losses += trainer.step(chosen);
        done(epoch, losses / static_cast<double>(batches.size()));
        trainer.multiply_rate(training.decay);
    }
}

void Network::save(const std::filesystem::path& path) const {
    rethrowing([&] {
        module_->script.save(path.string());
        return 0;
    });
}

void write_network(const std::filesystem::path& out, const std::string& name,
                   const std::map<std::string, Weights>& parameters, const std::string& code) {
    rethrowing([&] {
        torch::jit::Module module(name);
        for (const auto& [path, weights] : parameters) {
            const std::vector<std::int64_t> shape(weights.shape.begin(), weights.shape.end());
            module.register_parameter(path, torch::tensor(weights.values).reshape(shape), false);
        }
        module.define(code);
        module.eval();
        module.save(out.string());
        return 0;
    });
}

std::string last_layer(const Network& network) {
    // The last parameter of two dimensions: the others are convolutions and vectors.
    std::string name;
    for (const auto& entry : network.entries()) {
        if (entry.parameter && entry.rank == 2) name = entry.name;
    }
    if (name.empty()) throw std::runtime_error("the network has no fully connected layer");
    return name;
}

std::string prefix_of(const Network& network, const std::string& layers) {
    if (layers == "all") return {};
    if (layers != "last") return layers;
    const auto name = last_layer(network);
    return name.substr(0, name.rfind("weight"));
}

}  // namespace modelseal::evidence
