// The half of WorkerNetwork that changes the network.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "oracle/protocols/worker_answers.h"
#include "oracle/protocols/worker_network.h"
#include "util/text.h"

namespace modelseal::oracle {

using nlohmann::json;

Result<void> WorkerNetwork::add_class(std::uint64_t seed) {
    MODELSEAL_TRY_ASSIGN(const auto before, classes());
    MODELSEAL_TRY(exchange({{"do", "add_class"}, {"seed", seed}}));
    classes_ = 0;
    outputs_ = {};
    MODELSEAL_TRY_ASSIGN(const auto after, classes());
    if (after != before + 1) return broken("classes");
    return {};
}

Result<void> WorkerNetwork::set_training(const TrainingOptions& options) {
    MODELSEAL_TRY(validate(options));
    MODELSEAL_TRY(exchange({{"do", "training"},
                            {"rate", options.rate},
                            {"momentum", options.momentum},
                            {"weight_decay", options.weight_decay},
                            {"average_over", options.average_over}}));
    return {};
}

Result<TrainedStep> WorkerNetwork::train(std::span<const float> inputs, std::span<const float> targets) {
    MODELSEAL_TRY_ASSIGN(const auto columns, classes());
    MODELSEAL_TRY_ASSIGN(const auto count, check_targets(name_, targets, columns));
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY(share(inputs, targets.size()));
    std::ranges::copy(targets, memory_.floats().subspan(inputs.size()).begin());
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "train"}, {"count", count}}));
    const auto step = read_trained(answer, count);
    if (!step) return broken("the loss");
    return *step;
}

Result<void> WorkerNetwork::remember() {
    MODELSEAL_TRY(exchange({{"do", "remember"}}));
    return {};
}

Result<void> WorkerNetwork::recall() {
    MODELSEAL_TRY(exchange({{"do", "recall"}}));
    return {};
}

// The worker says how large the file is, and gets that much memory to put it in.
Result<std::vector<std::byte>> WorkerNetwork::save() {
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "save"}}));
    const auto bytes = read_saved(answer);
    if (!bytes) return broken("the size of the file");
    if (*bytes > max_bytes_) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the new file has {}; the limit is {}", name_,
                                 util::counted(*bytes, "byte"), max_bytes_),
                     {}};
    }
    const auto floats = static_cast<std::size_t>((*bytes + sizeof(float) - 1) / sizeof(float));
    MODELSEAL_TRY_ASSIGN(const auto memory, worker::SharedMemory::create(floats));
    MODELSEAL_TRY(exchange({{"do", "fetch"}, {"floats", floats}}, memory.descriptor()));
    std::vector<std::byte> file(static_cast<std::size_t>(*bytes));
    std::memcpy(file.data(), memory.floats().data(), file.size());
    return file;
}

}  // namespace modelseal::oracle
