// A TorchScript network: run, trained, saved again. What comes from LibTorch is thrown as std::runtime_error.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/evidence/images.h"
#include "tests/evidence/weights.h"

namespace modelseal::evidence {

struct Training {
    double rate = 1e-3;       // learning rate
    std::size_t steps = 100;  // of batches drawn at random; train_epochs() has epochs instead
    std::size_t batch = 100;
    unsigned seed = 1;  // order of the images
    std::string only;   // trains parameters whose name begins so; empty: all
    bool adam = false;  // with betas 0.9 and 0.999; false: plain SGD with momentum 0.9
    double decay = 1;   // factor of the rate after each epoch
};

class Network {
  public:
    explicit Network(const std::filesystem::path& torchscript);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    struct Entry {
        std::string name;
        std::size_t elements;
        std::size_t rank;
        std::size_t rows;  // size of the first dimension
        bool parameter;    // else a buffer
    };
    std::vector<Entry> entries() const;
    void set(const std::string& name, std::span<const float> values);
    std::vector<float> get(const std::string& name) const;

    // One row for each image: logits or probabilities.
    std::vector<float> answers(const Images& images) const;
    std::vector<int> classify(const Images& images) const;

    // Mean loss of the last ten steps. `extra`, if there are any, join every batch.
    double train(const Images& images, const Images& extra, const Training& training);

    // Each epoch takes every image once, in another order; after it `done` gets its number, from 1, and mean loss.
    using EpochDone = std::function<void(std::size_t epoch, double loss)>;
    void train_epochs(const Images& images, const Images& extra, const Training& training, std::size_t epochs,
                      const EpochDone& done);

    void save(const std::filesystem::path& path) const;

  private:
    struct Module;
    std::unique_ptr<Module> module_;
};

// Writes a network of class `name` with these parameters; `code` is the TorchScript of its forward().
void write_network(const std::filesystem::path& out, const std::string& name,
                   const std::map<std::string, Weights>& parameters, const std::string& code);

// How the names of parameters begin that `layers` stands for: "all", "last" (the last fully connected layer), or the
// beginning itself. Throws std::runtime_error if the network has no such layer.
std::string prefix_of(const Network& network, const std::string& layers);

// The name of that layer's weights.
std::string last_layer(const Network& network);

}  // namespace modelseal::evidence
