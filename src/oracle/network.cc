#include "oracle/network.h"

#include <fmt/format.h>

#include "oracle/protocols/worker_network.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

Error trains_no_generator(const std::string& name) {
    return {ErrorKind::unsupported, name + ": cannot train a generator of triggers", {}};
}

}  // namespace

Result<NetworkOutputs> Network::outputs() {
    MODELSEAL_TRY_ASSIGN(const auto classes, this->classes());
    return NetworkOutputs{classes, true};
}

Result<std::vector<CoveredWeights>> Network::coverage(const CoverageQuestion&) {
    return Error{ErrorKind::unsupported, name() + ": does not show which weights its outputs depend on", {}};
}

Result<ActivatedGradient> Network::activated_gradient(std::span<const float>, std::size_t, const Cotangents&,
                                                      double) {
    return Error{ErrorKind::unsupported, name() + ": does not show its activations", {}};
}

Result<void> Network::begin_generator(const GeneratorOptions&, std::span<const float>,
                                      std::span<const std::int64_t>) {
    return trains_no_generator(name());
}

Result<GeneratorStep> Network::generator_step() {
    return trains_no_generator(name());
}

Result<std::vector<float>> Network::generated() {
    return trains_no_generator(name());
}

Result<std::unique_ptr<Network>> open_network(const model::Model& files, const NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto network, WorkerNetwork::open(files, options));
    return std::unique_ptr<Network>(std::move(network));
}

Result<std::unique_ptr<Network>> open_network(const std::string& path, const NetworkOptions& options) {
    const auto files = model::open_model(path);
    if (files) return open_network(*files, options);
    auto error = files.error();
    if (error.kind == ErrorKind::unsupported && error.hint.empty()) error.hint = kRunnable;
    return error;
}

std::string Runtime::name() const {
    std::string name;
    const auto add = [&](const std::string& part) { name += (name.empty() ? "" : ", ") + part; };
    if (!device.empty()) add(util::printable(device));
    if (threads > 0) add(util::counted(threads, "thread"));
    if (batch > 0) add(fmt::format("batch {}", batch));
    if (channels_last) add("channels last");
    if (plain_kernels) add("plain kernels");
    if (arithmetic != Arithmetic::usual) add(std::string(name_of(arithmetic)));
    if (draw > 0) add(fmt::format("draw {}", draw));
    return name.empty() ? "as opened" : name;
}

}  // namespace modelseal::oracle
