// Fingerprints: check whether a query-only model is still the one that was sealed.
//
// A fingerprint has queries and the answers of the sealed model to them. By method they are pairs of inputs on
// both sides of a decision boundary that follows from a customer's check key; the smallest change of the
// weights moves the boundary across one of them (sensitive sample pairing, arXiv 2404.07572, with keyed
// zero-sum directions and measured noise). Or they are triggers: images of a generator that was trained
// against the model until each is answered with a keyed class, near the others (arXiv 2208.07585). A
// fingerprint is signed by the vendor, encrypted for the check key and bound to the sealed model. Format:
// modelseal-fingerprint(5).
//
// Making one runs the model (LibTorch, loaded on demand). Checking one is part of check_model() in check.h.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/progress.h>
#include <modelseal/result.h>

namespace modelseal {

// The kind of queries.
enum class FingerprintMethod { pairs, generator };

// The kind of answers of the service. The first three are a classifier's; `values` are the outputs of any other network.
enum class Access { logits, probabilities, label, values };

// `none`: any float32. `u8`: gray levels of 8 bits; such inputs survive PNG.
enum class Grid { none, u8 };

// How close to the boundary the members of a pair are, and so which runtimes may answer.
// - exact: neighboring floats; the same runtime
// - fp32: at least 8 times the largest noise among honest float32 runtimes
// - mixed: the same for TF32 and half precision
enum class Rung { exact, fp32, mixed };

// `keyed`: modelseal's own search, for pairs sign steps and a bisection, seconds. The others are published ones,
// for comparison: of pairs `paper` (stages 0 to 2 of arXiv 2404.07572, hours), of triggers `dbi` (arXiv 2305.09684)
// and `aid` (DAC 2021), which have no generator.
enum class Schedule { keyed, paper, dbi, aid };

// The terms of the loss that a generator is trained for, as in the ablation of its paper: the cross-entropy of
// the keyed classes, and the variance of all outputs. Without the classes, the labels on record are those that
// the model gives. `none`: the generator is not trained. Only `both` is meant for use.
enum class Arm { both, classification, variance, none };

// How the generator of triggers is trained.
struct GeneratorTraining {
    unsigned width = 0;    // channels of its layers, 1 to 1024; 0: 64 on a CPU, 512 (the paper's) on a GPU
    unsigned steps = 300;  // at most, of all triggers at once
    Arm arm = Arm::both;
};

// The names of the enumerators, as in files and on the command line. Nullopt for any other word.
std::string_view name_of(Access access);
std::string_view name_of(Grid grid);
std::string_view name_of(Schedule schedule);
std::string_view name_of(Rung rung);
std::string_view name_of(FingerprintMethod method);
std::string_view name_of(Arm arm);
std::optional<Access> access_of(std::string_view name);
std::optional<Grid> grid_of(std::string_view name);
std::optional<Schedule> schedule_of(std::string_view name);
std::optional<Rung> rung_of(std::string_view name);
std::optional<FingerprintMethod> method_of(std::string_view name);
std::optional<Arm> arm_of(std::string_view name);

// One of several inputs of a network. Such a network is asked about one set of inputs at a time, and shapes are whole, since a
// dimension for batches may be anywhere in them.
struct InputPart {
    std::string name;
    std::vector<std::int64_t> shape;  // empty: a single number
    std::array<float, 2> range = {0,
                                  1};  // of its elements, which are drawn; those of integer types are rounded
    std::optional<double> fixed = {};  // the value of every element instead
};

// How pixels become inputs: pairs are made in [low, high]; the model is given (x - mean) / std, per channel.
struct InputOptions {
    std::optional<std::string> name;
    std::vector<std::int64_t> shape;                 // without the batch dimension; empty: from the model
    std::optional<std::array<float, 2>> range = {};  // empty: from the model's metadata, else [0, 1]
    std::vector<float> mean, std;                    // one value, or one per channel; empty: 0 and 1
    std::vector<InputPart> parts = {};  // all inputs of a network that has several, instead of the others here
};

// How to reach an endpoint.
struct EndpointOptions {
    std::string token = {};    // bearer token, RFC 6750; empty: none
    std::string ca_file = {};  // PEM; trusted instead of the system's anchors
    // Further header fields of each request, names and values; Host may be among them. Like a token, all but Host are sent
    // over TLS or to this machine only, and no redirect takes them to another server.
    std::vector<std::pair<std::string, std::string>> headers = {};
    // Shown to a server that asks for one; PEM. No key: it is in the file of the certificate.
    std::string client_cert = {}, client_key = {};
    std::string client_key_passphrase = {};
    unsigned timeout_s = 30;     // of each request, from connecting to the last byte
    unsigned max_seconds = 600;  // for all requests, retries and pauses of a check together
    unsigned retries = 4;        // of requests that may succeed later: no connection, 429, 502, 503, 504
    std::size_t batch = 0;       // most inputs per request; 0: starts large and halves when refused
    enum class Tensors {
        automatic,
        json,
        binary
    } tensors = Tensors::automatic;  // OIP: JSON or binary extension
    std::string output = {};         // output to use; empty: the only one
    // Called with a line of text before each pause after which a request is sent again, from the thread that checks.
    std::function<void(const std::string&)> notice = {};
};

class Ledger;  // ledger.h

struct FingerprintOptions {
    SigningKey key;
    CheckKey check;  // public_check_key(), or a customer's; must be bound to `key`
    FingerprintMethod method = FingerprintMethod::pairs;
    unsigned pairs = 150;     // on each rung; 1 to 10,000
    unsigned triggers = 100;  // of the generator; 1 to 10,000
    GeneratorTraining generator = {};
    Access access = Access::logits;
    Grid grid = Grid::none;
    Schedule schedule = Schedule::keyed;
    InputOptions input = {};
    // A folder of PNG or JPEG pictures of the input's size, at least two: pairs are searched from them as well, and cover more
    // of the weights that such pictures use. Pairs contain mixtures of two of them, which the customer can see. For keyed pairs.
    std::optional<std::filesystem::path> seeds = {};
    std::string device = "auto";                        // auto, cpu, cuda, cuda:N
    EndpointOptions endpoint = {};                      // if a served model is asked
    std::string expires = {};                           // RFC 3339 date and time; empty: never
    std::optional<std::filesystem::path> preview = {};  // PNG: the pairs as images, the margins as a plot
    // Makes the same queries again, of the same model, for the same check key, on the same runtime. Empty: they
    // are new each time.
    std::optional<std::uint64_t> seed = {};
    Ledger* ledger = nullptr;  // records the fingerprint; see SealOptions
    // Affects performance only.
    unsigned jobs = 0;
    Progress* progress = nullptr;
    Limits limits = {};
};

struct FingerprintSummary {
    std::string id;    // hex, names this fingerprint
    std::string root;  // hex, of the sealed model; of the file if it carries no seal
    bool sealed = false;
    std::size_t classes = 0;
    FingerprintMethod method = FingerprintMethod::pairs;
    struct OnRung {
        Rung rung = Rung::exact;
        std::size_t count = 0;  // of pairs, or of triggers
        double noise = 0;       // largest seen among the honest runtimes of this rung, in units of the margin
        double floor = 0;       // no input is closer to the boundary
    };
    std::vector<OnRung> rungs;
    // An honest runtime that was tried, and by how much its margins differed from those of the model's own runtime.
    struct OnRuntime {
        Rung rung = Rung::fp32;
        std::string name;
        double largest = 0, mean = 0;  // absolute difference
        double drift = 0;              // mean difference
    };
    std::vector<OnRuntime> runtimes;
    struct Training {
        unsigned width = 0, steps = 0;
        Arm arm = Arm::both;
    };
    std::optional<Training> training;  // of a generator
    // Which weights the pairs cover: a change of one of them by `change` of it is noticed on the rung fp32, as far as it works in
    // proportion to the gradient. Weights that are 0 do not count.
    struct Covered {
        std::string name;  // of a tensor; empty: of all
        std::uint64_t weights = 0, noticed = 0;
        std::uint64_t dead = 0;  // no pair depends on them
    };
    struct Coverage {
        double change = 0.01;
        Covered all;
        std::vector<Covered> tensors;
    };
    std::optional<Coverage> coverage;  // none: not of pairs for values, or the network has no gradient
    std::uint64_t evaluations = 0;     // of the model for one input; a gradient step counts 3
    double seconds = 0;
    std::string device;
    std::vector<std::string> notes;  // assumptions that were made
};

// Makes a fingerprint of `model` (TorchScript or ONNX, or the address of a served model; as a target of check_model()) and writes it to `out`, completely or not at all. `out` empty: writes and
// records nothing. A served model is taken for what the vendor serves: the fingerprint is bound to its answers.
Result<FingerprintSummary> fingerprint_model(const std::filesystem::path& model,
                                             const std::filesystem::path& out,
                                             const FingerprintOptions& options);

struct ChallengeSummary {
    std::size_t inputs = 0;
    std::string format;  // "png" or "npy"
};

// Writes the inputs of a fingerprint to the new folder `out`, in shuffled order, with a manifest, to be
// answered elsewhere.
Result<ChallengeSummary> write_challenge(const std::filesystem::path& fingerprint, const CheckKey& key,
                                         const std::filesystem::path& out);

}  // namespace modelseal
