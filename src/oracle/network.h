// A model file that is run here: an oracle that can also be differentiated, and run in other ways.
//
// It runs in a process of its own, modelseal-worker, in a sandbox (worker/sandbox.h): LibTorch and whatever a
// model file makes it do never see a key, a file or the network. src/torch is the inside of that process.
// Thread safety: one call at a time on one object.
#pragma once

#include <functional>
#include <optional>

#include "model/model.h"
#include "oracle/arithmetic.h"
#include "oracle/coverage.h"
#include "oracle/generator.h"
#include "oracle/oracle.h"

namespace modelseal::oracle {

// One honest way to evaluate the same network. Runtimes differ in rounding only.
struct Runtime {
    unsigned threads = 0;        // 0: as many as the network was opened with
    std::size_t batch = 0;       // inputs at a time; 0: all that are given
    bool channels_last = false;  // memory format of 4-D inputs and weights
    bool plain_kernels = false;  // without oneDNN on the CPU, without cuDNN on a GPU
    Arithmetic arithmetic = Arithmetic::usual;
    unsigned draw = 0;         // of what is random in that arithmetic
    std::string device;        // "cpu", "cuda:0"; empty: the one that the network was opened on
    std::string name() const;  // for progress and reports: "4 threads, batch 1, channels last"
};

// Fills `cotangents` (count x classes, zero before), the derivative of the objective with respect to each
// output, for `outputs` of the same layout.
using Cotangents = std::function<void(std::span<const float> outputs, std::span<float> cotangents)>;

struct ActivatedGradient {
    std::vector<float> gradient;    // count x elements
    std::vector<float> activation;  // count
};

// The hint for a file that is not a network.
inline constexpr const char* kRunnable = "give a TorchScript file (torch.jit.save) or an ONNX file";

// How many numbers there are for each input, at least one, all finite. A classifier has one row of at least two; of other
// networks they are those of all outputs of real numbers, in order, if each has the same number for each input.
struct NetworkOutputs {
    std::size_t count = 0;
    bool classifies = false;
};

class Network : public Oracle {
  public:
    // Here: of a classifier.
    virtual Result<NetworkOutputs> outputs();

    // The number of classes, or an error if the output is not that of a classifier.
    virtual Result<std::size_t> classes() = 0;

    // As ask(), but evaluated as in `runtime`. Error `unsupported` for a runtime that this machine does not
    // have.
    virtual Result<Answers> ask_as(std::span<const float> inputs, std::size_t count,
                                   const Runtime& runtime) = 0;

    // The vector-Jacobian product: count x elements, the derivative of sum(cotangents * outputs) with respect
    // to each input. One forward and one backward pass. Error `unsupported` if the network has no gradient.
    virtual Result<std::vector<float>> gradient(std::span<const float> inputs, std::size_t count,
                                                const Cotangents& cotangents) = 0;

    // As gradient(), of the objective plus `weight` times the activation of every input: the mean output of the
    // rectified units that it passes (Relu, LeakyRelu, PRelu, ThresholdedRelu, Clip from 0), negative ones
    // counted as 0. Error `unsupported` too for a network without such units, or one that hides them, as
    // TorchScript does.
    virtual Result<ActivatedGradient> activated_gradient(std::span<const float> inputs, std::size_t count,
                                                         const Cotangents& cotangents, double weight);

    // One pass forward and one back for each input. A change is taken to work in proportion to the gradient. One entry for each
    // tensor of weights that can be trained. Error `unsupported` for a network without a gradient, or more than kMostCovered
    // weights; here.
    static constexpr std::uint64_t kMostCovered = 20'000'000;
    virtual Result<std::vector<CoveredWeights>> coverage(const CoverageQuestion& question);

    // Begins to train a generator of triggers against this network (generator.h), in place of an earlier one.
    // `noise`: kGeneratorNoise values from N(0, 1) for each label. After an error there is none. Errors: those
    // of check_generator(); `unsupported` if the network is not a classifier or has no gradient, or the
    // generator takes too much memory.
    virtual Result<void> begin_generator(const GeneratorOptions& options, std::span<const float> noise,
                                         std::span<const std::int64_t> labels);

    // One step of it on all triggers.
    virtual Result<GeneratorStep> generator_step();

    // The images as they are now: count x elements in [low, high], before mean and std, in the layout of the
    // network's inputs. Error `unsupported` if the training has diverged.
    virtual Result<std::vector<float>> generated();

    // Everything that the last bits of answers depend on besides `Runtime`: engine and version, the kind of
    // file, processor, device, threads. Two networks of equal runtime() and equal weights give the same bits.
    virtual std::string runtime() const = 0;

    // Devices of this machine that the network could be run on, the one it was opened on first.
    virtual std::vector<std::string> devices() const = 0;

    // Warnings about how it runs, as sentences.
    virtual std::vector<std::string> warnings() const { return {}; }

    // It takes batches of any size, and is run on one input at a time, because other inputs of a batch change answers. False says
    // nothing about others that would.
    virtual bool is_run_alone() const { return false; }
};

// The reason to trust a file that LibTorch runs.
enum class Vouched {
    nobody,  // run only in a complete sandbox
    seal,    // an intact seal, checked on the very descriptors: run with a warning where the kernel has no
             // Landlock
};

struct NetworkOptions {
    std::string device = "auto";  // auto (a GPU if there is one), cpu, cuda, cuda:N
    unsigned threads = 0;         // 0: all processors
    // For facts that the file lacks, or states otherwise: TorchScript has no shapes, ONNX may have symbols in
    // them.
    std::optional<std::string> input_name = {};
    std::vector<std::int64_t> input_shape = {};  // without the batch dimension; empty: from the model
    std::vector<InputPart> input_parts = {};     // every input of a network that has several, fixed ones too
    std::uint64_t max_bytes = 8ull << 30;        // cap on the file and on any one tensor of its graph
    std::uint64_t max_memory = 0;                // of the worker, in bytes; 0: three quarters of the machine's
    unsigned max_seconds = 600;  // for opening it, and for each question; then the worker is stopped
    Vouched vouched = Vouched::nobody;
};

// Opens a TorchScript or ONNX file (recognized by content) through the descriptors of `files`, which need not
// outlive the network. Its weights are in the worker's memory when this returns, so a later files.unchanged()
// proves that the file that runs is the file that was read. For TorchScript every operator of every method is
// compared with a list, then the __setstate__ of its classes is run; asking runs forward(). Errors:
// `unreadable`, `malformed`, `unsupported` (an operator by name; a network of several inputs; no input shape,
// with a hint for the option; a worker that is not installed, crashed, took too long or was refused
// something; no Landlock and no trust).
Result<std::unique_ptr<Network>> open_network(const model::Model& files, const NetworkOptions& options);

// The same for the path of a file.
Result<std::unique_ptr<Network>> open_network(const std::string& path, const NetworkOptions& options);

}  // namespace modelseal::oracle
