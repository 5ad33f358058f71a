#include "torch/training_requests.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

namespace modelseal::libtorch {
namespace {

using nlohmann::json;

// JSON has neither NaN nor infinities.
json number_or_word(double value) {
    if (std::isfinite(value)) return value;
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Result<json> train(const json& request, oracle::TrainableNetwork& network, std::span<const float> memory) {
    const auto count = request.at("count").get<std::size_t>();
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    const auto each = network.input().elements();
    if (count > memory.size() / (each + classes)) {
        return Error{ErrorKind::internal, "the shared memory is too small for the request", {}};
    }
    MODELSEAL_TRY_ASSIGN(const auto step, network.train(memory.first(count * each),
                                                        memory.subspan(count * each, count * classes)));
    return json({{"loss", number_or_word(step.loss)}, {"matched", step.matched}});
}

}  // namespace

bool TrainingRequests::know(const std::string& what) {
    for (const auto* one : {"add_class", "training", "train", "remember", "recall", "save", "fetch"}) {
        if (what == one) return true;
    }
    return false;
}

Result<json> TrainingRequests::answer(const std::string& what, worker::Message& message,
                                      oracle::TrainableNetwork& network, const worker::SharedMemory& memory) {
    const auto& request = message.body;
    if (what == "train") return train(request, network, memory.floats());
    if (what == "fetch") return fetch(message);
    if (what == "save") {
        MODELSEAL_TRY_ASSIGN(saved_, network.save());
        return json({{"bytes", saved_.size()}});
    }
    if (what == "add_class") MODELSEAL_TRY(network.add_class(request.at("seed").get<std::uint64_t>()));
    if (what == "training") {
        MODELSEAL_TRY(network.set_training({.rate = request.at("rate").get<double>(),
                                            .momentum = request.at("momentum").get<double>(),
                                            .weight_decay = request.at("weight_decay").get<double>(),
                                            .average_over = request.at("average_over").get<double>()}));
    }
    if (what == "remember") MODELSEAL_TRY(network.remember());
    if (what == "recall") MODELSEAL_TRY(network.recall());
    return json::object();
}

Result<json> TrainingRequests::fetch(worker::Message& message) {
    const auto saved = std::exchange(saved_, {});
    const auto floats = message.body.at("floats").get<std::size_t>();
    MODELSEAL_TRY_ASSIGN(const auto memory, worker::SharedMemory::open(std::move(message.descriptor), floats));
    const auto room = std::as_writable_bytes(memory.floats());
    if (saved.size() > room.size()) {
        return Error{ErrorKind::internal, "the shared memory is too small for the file", {}};
    }
    std::ranges::copy(saved, room.begin());
    return json::object();
}

}  // namespace modelseal::libtorch
