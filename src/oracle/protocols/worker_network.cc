#include "oracle/protocols/worker_network.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "io/file.h"
#include "oracle/protocols/worker_answers.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;
using worker::Channel;

json to_json(const Runtime& runtime) {
    return {{"threads", runtime.threads},
            {"batch", runtime.batch},
            {"channels_last", runtime.channels_last},
            {"plain_kernels", runtime.plain_kernels},
            {"arithmetic", static_cast<unsigned>(runtime.arithmetic)},
            {"draw", runtime.draw},
            {"device", runtime.device}};
}

std::size_t elements_of(const InputPart& part) {
    std::size_t numbers = 1;
    for (const auto extent : part.shape) numbers *= static_cast<std::size_t>(std::max<std::int64_t>(0, extent));
    return numbers;
}

// The name of a file as the worker may know it: without the folders that lead to the model.
std::string name_for_worker(const model::Model& files, const model::ModelFile& file) {
    return file.path.empty() ? files.path.filename().string() : file.path;
}

}  // namespace

WorkerNetwork::WorkerNetwork(std::unique_ptr<worker::Process> process, const model::Model& files,
                             const NetworkOptions& options)
    : process_(std::move(process)),
      name_(util::printable(files.path.string())),
      folder_(files.path.has_parent_path() ? util::printable((files.path.parent_path() / "").string()) : ""),
      patience_(options.max_seconds),
      max_bytes_(options.max_bytes) {}

Result<std::unique_ptr<TrainableNetwork>> WorkerNetwork::open(const model::Model& files,
                                                              const NetworkOptions& options) {
    if (files.folder && std::filesystem::is_directory(files.path)) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: a folder cannot be run", util::printable(files.path.string())),
                     "give the graph's file in the folder"};
    }
    MODELSEAL_TRY_ASSIGN(auto process, worker::Process::start());
    std::unique_ptr<WorkerNetwork> network(new WorkerNetwork(std::move(process), files, options));
    MODELSEAL_TRY(network->enter_sandbox(options));
    MODELSEAL_TRY(network->hand_over(files));
    MODELSEAL_TRY(network->open_graph(options));
    return std::unique_ptr<TrainableNetwork>(std::move(network));
}

// Before it gets anything of the model, the worker enters its sandbox and reports the result.
Result<void> WorkerNetwork::enter_sandbox(const NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "enter"},
                                                      {"device", options.device},
                                                      {"threads", options.threads},
                                                      {"memory", options.max_memory}}));
    const auto entered = read_entered(answer);
    if (entered.landlock && entered.filter) return {};
    const auto missing = fmt::format("this kernel has no {}, which the sandbox for models needs",
                                     entered.landlock ? "seccomp filter"
                                     : entered.filter ? "Landlock"
                                                      : "Landlock and no seccomp filter");
    if (options.vouched == Vouched::seal) {
        warnings_.push_back(
            fmt::format("{}: {}; the model was run because its seal is intact", name_, missing));
        return {};
    }
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: not run: {}, and the model has no intact seal", name_, missing),
                 "use a kernel with Landlock (Linux 5.13) and seccomp, or a sealed model"};
}

Result<void> WorkerNetwork::hand_over(const model::Model& files) {
    for (const auto& file : files.files) {
        const auto* source = dynamic_cast<const io::FileSource*>(file.source.get());
        if (source == nullptr) return Error{ErrorKind::internal, name_ + ": only files on disk can be run", {}};
        MODELSEAL_TRY(send({{"do", "file"}, {"name", name_for_worker(files, file)}}, source->descriptor()));
    }
    return {};
}

Result<void> WorkerNetwork::open_graph(const NetworkOptions& options) {
    json request = {{"do", "open"},
                    {"input_name", nullptr},
                    {"input_shape", options.input_shape},
                    {"input_parts", json::array()},
                    {"max_bytes", options.max_bytes}};
    if (options.input_name) request["input_name"] = util::printable(*options.input_name);
    std::size_t numbers = 0;
    for (const auto& part : options.input_parts) {
        request["input_parts"].push_back(
            {{"name", part.name}, {"shape", part.shape}, {"range", part.range}, {"fixed", nullptr}});
        if (part.fixed) request["input_parts"].back()["fixed"] = *part.fixed;
        if (!part.fixed) numbers += elements_of(part);
    }
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange(request));
    auto opened = read_opened(answer);
    if (!opened.ok()) return broken(opened.error().message);
    input_ = std::move(opened->input);
    if (!options.input_parts.empty() && input_.elements() != numbers) return broken("the number of elements");
    input_.parts = options.input_parts;
    runtime_ = std::move(opened->runtime);
    devices_ = std::move(opened->devices);
    alone_ = opened->alone;
    for (auto& warning : opened->warnings) warnings_.push_back(in_folder(std::move(warning)));
    return {};
}

Error WorkerNetwork::stopped(const std::string& how) {
    return {ErrorKind::unsupported, fmt::format("{}: the run failed: the worker {}", name_, how), {}};
}

Error WorkerNetwork::broken(const std::string& what) {
    process_->end();
    return {ErrorKind::malformed, fmt::format("{}: the worker broke its protocol ({})", name_, what), {}};
}

// The worker names files without the folder that they lie in.
std::string WorkerNetwork::in_folder(std::string message) const {
    const auto base = std::string_view(name_).substr(folder_.size());
    if (!folder_.empty() && message.starts_with(base)) message.insert(0, folder_);
    return message;
}

Error WorkerNetwork::told(const json& error) const {
    auto read = read_error(error);
    read.message = in_folder(std::move(read.message));
    return read;
}

Result<void> WorkerNetwork::send(const json& request, int descriptor) {
    if (process_->channel().send(request, descriptor).ok()) return {};
    return stopped(process_->end());
}

Result<json> WorkerNetwork::exchange(const json& request, int descriptor) {
    MODELSEAL_TRY(send(request, descriptor));
    worker::Message message;
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    const auto failure = process_->channel().receive(message, deadline);
    if (failure == Channel::Failure::gone) return stopped(process_->end());
    if (failure == Channel::Failure::malformed) return broken("an invalid message");
    if (failure == Channel::Failure::late) {
        process_->end();
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the run was stopped after the limit of {} s", name_, patience_.count()),
                     {}};
    }
    const auto error = message.body.find("error");
    if (error == message.body.end()) return std::move(message.body);
    if (!error->is_object()) return broken("an error without a message");
    return told(*error);
}

// Copies the inputs to the shared memory, with room for this many numbers after them.
Result<void> WorkerNetwork::share(std::span<const float> inputs, std::size_t behind) {
    const auto needed = inputs.size() + behind;
    if (memory_.floats().size() < needed) {
        MODELSEAL_TRY_ASSIGN(memory_, worker::SharedMemory::create(needed));
        MODELSEAL_TRY(send({{"do", "memory"}, {"floats", needed}}, memory_.descriptor()));
    }
    std::ranges::copy(inputs, memory_.floats().begin());
    return {};
}

Result<NetworkOutputs> WorkerNetwork::outputs() {
    if (outputs_.count > 0) return outputs_;
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "outputs"}}));
    const auto found = read_outputs(answer);
    if (!found) return broken("outputs");
    return outputs_ = *found;
}

Result<std::size_t> WorkerNetwork::classes() {
    if (classes_ > 0) return classes_;
    MODELSEAL_TRY_ASSIGN(const auto answer, exchange({{"do", "classes"}}));
    const auto found = read_classes(answer);
    if (!found) return broken("classes");
    return classes_ = *found;
}

Result<std::size_t> WorkerNetwork::output_count() {
    MODELSEAL_TRY_ASSIGN(const auto all, outputs());
    return all.count;
}

Result<Answers> WorkerNetwork::ask(std::span<const float> inputs, std::size_t count) {
    return ask_as(inputs, count, {});
}

Result<Answers> WorkerNetwork::ask_as(std::span<const float> inputs, std::size_t count,
                                      const Runtime& runtime) {
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY_ASSIGN(const auto columns, output_count());
    MODELSEAL_TRY(share(inputs, count * columns));
    MODELSEAL_TRY(exchange({{"do", "ask"}, {"count", count}, {"as", to_json(runtime)}}));
    const auto outputs = memory_.floats().subspan(inputs.size(), count * columns);
    return Answers{
        .count = count, .classes = columns, .values = {outputs.begin(), outputs.end()}, .labels = {}};
}

Result<std::vector<CoveredWeights>> WorkerNetwork::coverage(const CoverageQuestion& question) {
    MODELSEAL_TRY(check_size(question.inputs, question.count));
    const auto limits = question.count * question.ways.size();
    MODELSEAL_TRY(share(question.inputs, question.cotangents.size() + limits));
    auto behind = memory_.floats().subspan(question.inputs.size());
    std::ranges::copy(question.cotangents, behind.begin());
    behind = behind.subspan(question.cotangents.size());
    std::vector<std::uint64_t> needed;
    for (const auto& way : question.ways) {
        std::ranges::copy(way.limits, behind.begin());
        behind = behind.subspan(question.count);
        needed.push_back(way.needed);
    }
    MODELSEAL_TRY_ASSIGN(
        const auto answer,
        exchange(
            {{"do", "coverage"}, {"count", question.count}, {"change", question.change}, {"needed", needed}}));
    const auto tensors = read_tensors(answer);
    if (!tensors) return broken("the number of tensors");
    std::vector<CoveredWeights> all;
    while (all.size() < *tensors) {
        MODELSEAL_TRY_ASSIGN(const auto more, exchange({{"do", "covered"}, {"from", all.size()}}));
        auto some = read_covered(more);
        if (some.empty() || some.size() > *tensors - all.size()) return broken("what is covered");
        std::ranges::move(some, std::back_inserter(all));
    }
    return all;
}

Result<std::vector<float>> WorkerNetwork::gradient(std::span<const float> inputs, std::size_t count,
                                                   const Cotangents& cotangents) {
    MODELSEAL_TRY_ASSIGN(auto found, pull_back(inputs, count, cotangents, std::nullopt));
    return std::move(found.gradient);
}

Result<ActivatedGradient> WorkerNetwork::activated_gradient(std::span<const float> inputs, std::size_t count,
                                                            const Cotangents& cotangents, double weight) {
    return pull_back(inputs, count, cotangents, weight);
}

// One pass forward and one back: between them the worker shows the outputs and waits for the cotangents.
Result<ActivatedGradient> WorkerNetwork::pull_back(std::span<const float> inputs, std::size_t count,
                                                   const Cotangents& cotangents, std::optional<double> weight) {
    MODELSEAL_TRY(check_size(inputs, count));
    MODELSEAL_TRY_ASSIGN(const auto columns, output_count());
    const auto rows = count * columns, activations = weight ? count : 0;
    MODELSEAL_TRY(share(inputs, 2 * rows + inputs.size() + activations));
    json request = {{"do", "gradient"}, {"count", count}, {"activation", nullptr}};
    if (weight) request["activation"] = *weight;
    MODELSEAL_TRY_ASSIGN(const auto forward, exchange(request));
    if (!forward.contains("outputs")) return broken("a gradient without outputs");
    const auto behind = memory_.floats().subspan(inputs.size());
    const std::vector<float> outputs(behind.begin(), behind.begin() + static_cast<std::ptrdiff_t>(rows));
    std::vector<float> wanted(rows);
    cotangents(outputs, wanted);
    std::ranges::copy(wanted, behind.subspan(rows).begin());
    MODELSEAL_TRY(exchange({{"do", "cotangents"}}));
    const auto derivative = behind.subspan(2 * rows, inputs.size());
    const auto activation = behind.subspan(2 * rows + inputs.size(), activations);
    return ActivatedGradient{{derivative.begin(), derivative.end()}, {activation.begin(), activation.end()}};
}

}  // namespace modelseal::oracle
