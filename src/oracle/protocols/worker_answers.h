// The worker's answers, as hostile input: a model file may have made it say anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle/network.h"
#include "oracle/training.h"

namespace modelseal::oracle {

// The answer to "enter": the halves of the sandbox that are in force.
struct EnteredSandbox {
    bool landlock = false;
    bool filter = false;
};
EnteredSandbox read_entered(const nlohmann::json& answer);

// The answer to "open". Texts are printable; every extent of the shape is positive, and their product fits 32
// bits.
struct OpenedNetwork {
    InputShape input;
    std::string runtime;
    std::vector<std::string> devices;  // at least one
    std::vector<std::string> warnings;
    bool alone = false;  // Network::is_run_alone()
};
// Error `malformed`: its message is the name of the part that is wrong.
Result<OpenedNetwork> read_opened(const nlohmann::json& answer);

// The answer to "classes": at least two.
std::optional<std::size_t> read_classes(const nlohmann::json& answer);

// The answer to "outputs": at least one.
std::optional<NetworkOutputs> read_outputs(const nlohmann::json& answer);

// The answer to "coverage": how many tensors there are.
std::optional<std::uint64_t> read_tensors(const nlohmann::json& answer);

// The answer to "covered": at most kCoveredAtOnce, with parts of tensors that are no larger than the whole. Empty if anything is
// wrong.
std::vector<CoveredWeights> read_covered(const nlohmann::json& answer);

// The answer to "generator_step" for this many triggers: a loss that is finite or NaN, at most `count` matched.
std::optional<GeneratorStep> read_generator_step(const nlohmann::json& answer, std::uint64_t count);
// The answer to "train": a batch of `count`.
std::optional<TrainedStep> read_trained(const nlohmann::json& answer, std::size_t count);

// The answer to "save": bytes, at least one.
std::optional<std::uint64_t> read_saved(const nlohmann::json& answer);

// The error in an answer that has one: `malformed`, `unsupported` and the like, never a mismatch, which only
// checks outside the worker can find. The text is printable.
Error read_error(const nlohmann::json& error);

}  // namespace modelseal::oracle
