// A TorchScript network: run, trained a little further, saved again. What comes from LibTorch is thrown as
// std::runtime_error.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/evidence/cifar10.h"

namespace modelseal::evidence {

struct Training {
    double rate = 1e-3;  // learning rate of plain SGD with momentum 0.9
    std::size_t steps = 100;
    std::size_t batch = 100;
    unsigned seed = 1;  // order of the images
    std::string only;   // trains parameters whose name begins so; empty: all
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

    std::vector<int> classify(const Images& images) const;
    // Mean loss of the last ten steps. `extra`, if there are any, join every batch.
    double train(const Images& images, const Images& extra, const Training& training);
    void save(const std::filesystem::path& path) const;

  private:
    struct Module;
    std::unique_ptr<Module> module_;
};

}  // namespace modelseal::evidence
