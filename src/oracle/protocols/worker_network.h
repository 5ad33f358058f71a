// A network that the worker runs: modelseal's side of worker/channel.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle/network.h"
#include "oracle/oracle.h"
#include "oracle/training.h"
#include "worker/process.h"
#include "worker/shared_memory.h"

namespace modelseal::oracle {

// Nothing that comes from the worker is believed without a look: what a hostile file made of it may say
// anything (worker_answers.h).
class WorkerNetwork final : public TrainableNetwork {
  public:
    static Result<std::unique_ptr<TrainableNetwork>> open(const model::Model& files,
                                                          const NetworkOptions& options);

    const std::string& name() const override { return name_; }
    const InputShape& input() const override { return input_; }
    Result<Answers> ask(std::span<const float> inputs, std::size_t count) override;
    Result<NetworkOutputs> outputs() override;
    Result<std::size_t> classes() override;
    Result<std::vector<CoveredWeights>> coverage(const CoverageQuestion& question) override;
    Result<Answers> ask_as(std::span<const float> inputs, std::size_t count, const Runtime& runtime) override;
    Result<std::vector<float>> gradient(std::span<const float> inputs, std::size_t count,
                                        const Cotangents& cotangents) override;
    Result<ActivatedGradient> activated_gradient(std::span<const float> inputs, std::size_t count,
                                                 const Cotangents& cotangents, double weight) override;
    Result<void> begin_generator(const GeneratorOptions& options, std::span<const float> noise,
                                 std::span<const std::int64_t> labels) override;
    Result<GeneratorStep> generator_step() override;
    Result<std::vector<float>> generated() override;
    std::string runtime() const override { return runtime_; }
    std::vector<std::string> devices() const override { return devices_; }
    std::vector<std::string> warnings() const override { return warnings_; }
    bool is_run_alone() const override { return alone_; }

    // worker_training.cc
    Result<void> add_class(std::uint64_t seed) override;
    Result<void> set_training(const TrainingOptions& options) override;
    Result<TrainedStep> train(std::span<const float> inputs, std::span<const float> targets) override;
    Result<void> remember() override;
    Result<void> recall() override;
    Result<std::vector<std::byte>> save() override;

  private:
    WorkerNetwork(std::unique_ptr<worker::Process> process, const model::Model& files,
                  const NetworkOptions& options);
    Result<void> enter_sandbox(const NetworkOptions& options);
    Result<void> hand_over(const model::Model& files);
    Result<void> open_graph(const NetworkOptions& options);
    Result<nlohmann::json> exchange(const nlohmann::json& request, int descriptor = -1);
    Result<void> send(const nlohmann::json& request, int descriptor = -1);
    Result<void> share(std::span<const float> inputs, std::size_t behind);
    Result<std::size_t> output_count();
    Result<ActivatedGradient> pull_back(std::span<const float> inputs, std::size_t count,
                                        const Cotangents& cotangents, std::optional<double> weight);
    Error stopped(const std::string& how);
    Error broken(const std::string& what);
    std::string in_folder(std::string message) const;
    Error told(const nlohmann::json& error) const;

    std::unique_ptr<worker::Process> process_;
    std::string name_;
    std::string folder_;  // of the files, as given; the worker knows base names only
    std::chrono::seconds patience_;
    std::uint64_t max_bytes_;
    worker::SharedMemory memory_;
    InputShape input_;
    std::string runtime_;
    std::vector<std::string> devices_, warnings_;
    bool alone_ = false;
    NetworkOutputs outputs_;   // count 0: not asked yet
    std::size_t classes_ = 0;  // 0: not asked yet
    struct Generator {
        std::size_t triggers;
        float low, high;
    };
    std::optional<Generator> generator_;  // that the worker has
};

}  // namespace modelseal::oracle
