
#include "torch/session.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <unistd.h>

#include "formats/registry.h"
#include "io/threads.h"
#include "torch/device.h"
#include "torch/errors.h"
#include "torch/module_network.h"
#include "util/text.h"
#include "worker/sandbox.h"

namespace modelseal::libtorch {
namespace {

using nlohmann::json;

constexpr float kBeyondLabels = 1u << 24;             // every number below is exact in float32
constexpr std::uint64_t kForEachThread = 128u << 20;  // its stack and the arena of malloc(), mostly untouched

json to_json(const Error& error) {
    return {{"error",
             {{"kind", static_cast<unsigned>(error.kind)},
              {"message", error.message},
              {"hint", error.hint},
              {"remedy", static_cast<unsigned>(error.remedy)}}}};
}

Error too_small() {
    return {ErrorKind::internal, "the shared memory is too small for the request", {}};
}

// The program asks for none that this worker does not know: they are of one version.
oracle::Arithmetic arithmetic_of(const json& as) {
    const auto number = as.at("arithmetic").get<unsigned>();
    return number <= static_cast<unsigned>(oracle::kLastArithmetic) ? static_cast<oracle::Arithmetic>(number)
                                                                    : oracle::Arithmetic::usual;
}

oracle::Runtime runtime_of(const json& as) {
    return {.threads = as.at("threads").get<unsigned>(),
            .batch = as.at("batch").get<std::size_t>(),
            .channels_last = as.at("channels_last").get<bool>(),
            .plain_kernels = as.at("plain_kernels").get<bool>(),
            .arithmetic = arithmetic_of(as),
            .draw = as.at("draw").get<unsigned>(),
            .device = as.at("device").get<std::string>()};
}

std::uint64_t three_quarters_of_memory() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 4 * 3;
}

bool one_thread() {
    std::error_code failed;
    const std::filesystem::directory_iterator threads("/proc/self/task", failed);
    return !failed && std::distance(begin(threads), end(threads)) == 1;
}

// Lets libraries read facts about this machine now, on first use, without starting a thread.
void read_processor() {
    at::ones({4}).add_(1).sum().item<float>();  // too small for threads; chooses kernels for the processor
    processor(c10::Device(c10::kCPU));
    // Drawing from any generator looks at the global one, which is seeded from /dev/urandom on first use.
    at::detail::getDefaultCPUGenerator();
}

// Has the kernels of a device ready, and its threads; a GPU's driver is opened.
void wake_libraries(c10::Device device, unsigned threads) {
    const at::NoGradGuard no_gradients;
    const Switches switches(threads, false, false);
    const auto image = at::ones({2, 3, 8, 8}, at::TensorOptions(at::kFloat).device(device));
    const auto kernel = at::ones({4, 3, 3, 3}, at::TensorOptions(at::kFloat).device(device));
    const auto rows = at::conv2d(image, kernel).reshape({2, -1});
    at::matmul(rows, rows.t()).softmax(1).to(at::kCPU).sum().item<float>();
}

}  // namespace

Result<std::unique_ptr<oracle::Network>> open_by_content(model::Model files,
                                                         const oracle::NetworkOptions& options) {
    if (files.files.empty()) return Error{ErrorKind::malformed, "no file was given", {}};
    const auto& source = *files.files.front().source;
    if (source.size() > options.max_bytes) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: has {}; the limit is {}", source.name(),
                                 util::counted(source.size(), "byte"), options.max_bytes),
                     {}};
    }
    if (looks_like_torchscript(source)) return open_torchscript(source, options);
    for (const auto& format : all_formats()) {
        if (!format.recognises(source)) continue;
        if (format.name == "onnx") return open_onnx(std::move(files), options);
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: contains weights ({}), but no graph to run", source.name(), format.name),
                     oracle::kRunnable};
    }
    return Error{ErrorKind::unsupported, fmt::format("{}: this format cannot be run", source.name()),
                 oracle::kRunnable};
}

void Session::run() {
    worker::Message message;
    while (!channel_.receive(message)) {
        const auto answered = guarded("the worker", [&] { return answer(message); });
        if (answered.ok() && answered->is_null()) continue;
        if (!channel_.send(answered.ok() ? *answered : to_json(answered.error())).ok()) return;
    }
}

Result<json> Session::answer(worker::Message& message) {
    const auto& request = message.body;
    const auto what = request.at("do").get<std::string>();
    if (what == "enter") return enter(request);
    if (!entered_) return Error{ErrorKind::internal, "the worker is not in its sandbox yet", {}};
    if (what == "file") {
        const auto path = request.at("name").get<std::string>();
        MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::adopt(message.descriptor.release(), {}, path));
        files_.files.push_back({path, std::move(source), {}});
        return json();
    }
    if (what == "memory") {
        MODELSEAL_TRY_ASSIGN(memory_, worker::SharedMemory::open(std::move(message.descriptor),
                                                                 request.at("floats").get<std::size_t>()));
        return json();
    }
    if (what == "open") return open(request);
    if (network_ == nullptr) return Error{ErrorKind::internal, "no network has been opened", {}};
    if (what == "outputs") {
        MODELSEAL_TRY_ASSIGN(const auto outputs, network_->outputs());
        return json({{"count", outputs.count}, {"classifies", outputs.classifies}});
    }
    if (what == "classes") {
        MODELSEAL_TRY_ASSIGN(const auto classes, network_->classes());
        return json({{"classes", classes}});
    }
    if (what == "ask") return ask(request);
    if (what == "gradient") return gradient(request);
    if (what == "coverage") return coverage(request);
    if (what == "covered") return covered(request);
    if (what == "generator") return generator(request);
    if (what == "generator_step") return generator_step();
    if (what == "generated") return generated();
    if (TrainingRequests::know(what)) {
        // Every network that is opened here is one.
        return training_.answer(what, message, dynamic_cast<oracle::TrainableNetwork&>(*network_), memory_);
    }
    return Error{ErrorKind::internal, "an unknown request", {}};
}

Result<json> Session::enter(const json& request) {
    options_.device = request.at("device").get<std::string>();
    options_.threads = request.at("threads").get<unsigned>();
    const auto threads = options_.threads == 0 ? io::default_jobs() : options_.threads;
    auto memory = request.at("memory").get<std::uint64_t>();
    if (memory == 0) memory = three_quarters_of_memory();
    // Landlock is entered by one thread and inherited by those that it starts; a GPU's driver needs its files,
    // and its threads, before.
    const auto devices = devices_here();
    const bool gpu = devices.size() > 1;
    read_processor();
    for (std::size_t i = 1; i < devices.size(); ++i) wake_libraries(c10::Device(devices[i]), threads);
    worker::Cage cage;
    if (one_thread() || gpu) cage.landlock = worker::enter_landlock();
    wake_libraries(c10::Device(c10::kCPU), threads);
    MODELSEAL_TRY(worker::limit_process(memory + threads * kForEachThread));
    cage.seccomp = worker::enter_seccomp(gpu ? worker::Devices::gpu : worker::Devices::cpu);
    entered_ = true;
    return json({{"landlock", cage.landlock}, {"seccomp", cage.seccomp}});
}

namespace {

InputPart part_in(const json& part) {
    InputPart read{.name = part.at("name").get<std::string>(),
                   .shape = part.at("shape").get<std::vector<std::int64_t>>(),
                   .range = part.at("range").get<std::array<float, 2>>()};
    if (!part.at("fixed").is_null()) read.fixed = part.at("fixed").get<double>();
    return read;
}

}  // namespace

Result<json> Session::open(const json& request) {
    if (!request.at("input_name").is_null()) options_.input_name = request.at("input_name").get<std::string>();
    options_.input_shape = request.at("input_shape").get<std::vector<std::int64_t>>();
    options_.max_bytes = request.at("max_bytes").get<std::uint64_t>();
    for (const auto& part : request.at("input_parts")) options_.input_parts.push_back(part_in(part));
    const auto name = files_.files.empty() ? std::string() : files_.files.front().source->name();
    MODELSEAL_TRY_ASSIGN(network_, guarded(name, [&] { return open_by_content(std::move(files_), options_); }));
    json opened = {{"input_name", network_->input().name},
                   {"input_shape", json::array()},
                   {"input_range", nullptr},
                   {"runtime", network_->runtime()},
                   {"devices", network_->devices()},
                   {"warnings", network_->warnings()},
                   {"alone", network_->is_run_alone()}};
    for (const auto extent : network_->input().shape) {
        opened["input_shape"].push_back(static_cast<std::uint64_t>(extent));
    }
    if (network_->input().range) opened["input_range"] = *network_->input().range;
    return opened;
}

Result<std::span<const float>> Session::inputs(std::size_t count, std::size_t behind) const {
    const auto numbers = count * network_->input().elements();
    if (numbers + behind > memory_.floats().size()) {
        return too_small();
    }
    return std::span<const float>(memory_.floats().first(numbers));
}

Result<json> Session::ask(const json& request) {
    const auto count = request.at("count").get<std::size_t>();
    MODELSEAL_TRY_ASSIGN(const auto outputs, network_->outputs());
    MODELSEAL_TRY_ASSIGN(const auto given, inputs(count, count * outputs.count));
    MODELSEAL_TRY_ASSIGN(const auto answers, network_->ask_as(given, count, runtime_of(request.at("as"))));
    std::ranges::copy(answers.values, memory_.floats().subspan(given.size()).begin());
    return json::object();
}

Result<json> Session::gradient(const json& request) {
    const auto count = request.at("count").get<std::size_t>();
    MODELSEAL_TRY_ASSIGN(const auto outputs, network_->outputs());
    const auto rows = count * outputs.count;
    const auto& activation = request.at("activation");
    const auto numbers = count * network_->input().elements();
    MODELSEAL_TRY_ASSIGN(const auto given,
                         inputs(count, 2 * rows + numbers + (activation.is_null() ? 0 : count)));
    const auto behind = memory_.floats().subspan(given.size());
    const auto cotangents = [&](std::span<const float> seen, std::span<float> wanted) {
        std::ranges::copy(seen, behind.begin());
        if (auto waited = wait_for_cotangents(); !waited.ok()) throw Refused(waited.error());
        std::ranges::copy(behind.subspan(rows, rows), wanted.begin());
    };
    oracle::ActivatedGradient found;
    if (activation.is_null()) {
        MODELSEAL_TRY_ASSIGN(found.gradient, network_->gradient(given, count, cotangents));
    } else {
        MODELSEAL_TRY_ASSIGN(found,
                             network_->activated_gradient(given, count, cotangents, activation.get<double>()));
    }
    std::ranges::copy(found.gradient, behind.subspan(2 * rows).begin());
    std::ranges::copy(found.activation, behind.subspan(2 * rows + numbers).begin());
    return json::object();
}

// Behind the inputs are the cotangents, then the limits of each way.
Result<json> Session::coverage(const json& request) {
    const auto count = request.at("count").get<std::size_t>();
    const auto needed = request.at("needed").get<std::vector<std::uint64_t>>();
    MODELSEAL_TRY_ASSIGN(const auto outputs, network_->outputs());
    const auto rows = count * outputs.count;
    MODELSEAL_TRY_ASSIGN(const auto given, inputs(count, rows + count * needed.size()));
    const auto behind = memory_.floats().subspan(given.size());
    std::vector<oracle::Noticing> ways;
    for (std::size_t i = 0; i < needed.size(); ++i) {
        const auto limits = behind.subspan(rows + i * count, count);
        ways.push_back({.limits = {limits.begin(), limits.end()}, .needed = needed[i]});
    }
    MODELSEAL_TRY_ASSIGN(covered_, network_->coverage({.inputs = given,
                                                       .cotangents = behind.first(rows),
                                                       .count = count,
                                                       .change = request.at("change").get<double>(),
                                                       .ways = ways}));
    return json({{"tensors", covered_.size()}});
}

Result<json> Session::covered(const json& request) {
    const auto from = request.at("from").get<std::size_t>();
    json some = json::array();
    for (auto i = from; i < covered_.size() && i < from + oracle::kCoveredAtOnce; ++i) {
        const auto& one = covered_[i];
        some.push_back(
            {{"name", util::printable(std::string_view(one.name).substr(0, oracle::kMostCoveredName))},
             {"weights", one.weights},
             {"noticed", one.noticed},
             {"dead", one.dead}});
    }
    return json({{"covered", some}});
}

Result<json> Session::generator(const json& request) {
    const auto rest = memory_.floats();
    const auto count = request.at("count").get<std::size_t>();
    const auto means = request.at("means").get<std::size_t>(), stds = request.at("stds").get<std::size_t>();
    if (count > rest.size() / (oracle::kGeneratorNoise + 1) || means > rest.size() || stds > rest.size() ||
        count * (oracle::kGeneratorNoise + 1) + means + stds > rest.size())
        return too_small();
    const auto noise = rest.first(count * oracle::kGeneratorNoise);
    const auto given = rest.subspan(noise.size());
    std::vector<std::int64_t> labels;
    for (const float label : given.first(count)) {
        if (!(label >= 0 && label < kBeyondLabels))
            return Error{ErrorKind::internal, "a label is not a number of a class", {}};
        labels.push_back(static_cast<std::int64_t>(label));
    }
    const auto mean = given.subspan(count, means), std = given.subspan(count + means, stds);
    const oracle::GeneratorOptions options{.width = request.at("width").get<std::size_t>(),
                                           .classification = request.at("classification").get<double>(),
                                           .variance = request.at("variance").get<double>(),
                                           .rate = request.at("rate").get<double>(),
                                           .seed = request.at("seed").get<std::uint64_t>(),
                                           .low = request.at("low").get<float>(),
                                           .high = request.at("high").get<float>(),
                                           .mean = {mean.begin(), mean.end()},
                                           .std = {std.begin(), std.end()}};
    MODELSEAL_TRY(network_->begin_generator(options, noise, labels));
    return json::object();
}

Result<json> Session::generator_step() {
    MODELSEAL_TRY_ASSIGN(const auto step, network_->generator_step());
    return json({{"loss", step.loss}, {"matched", step.matched}});  // a loss that is not finite becomes null
}

Result<json> Session::generated() {
    MODELSEAL_TRY_ASSIGN(const auto images, network_->generated());
    if (images.size() > memory_.floats().size()) return too_small();
    std::ranges::copy(images, memory_.floats().begin());
    return json::object();
}

Result<void> Session::wait_for_cotangents() {
    MODELSEAL_TRY(channel_.send({{"outputs", true}}));
    worker::Message message;
    if (channel_.receive(message) || message.body.value("do", "") != "cotangents") {
        return Error{ErrorKind::internal, "the cotangents are missing", {}};
    }
    return {};
}

}  // namespace modelseal::libtorch
