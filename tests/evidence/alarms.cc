#include "tests/evidence/alarms.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fingerprint/container.h"
#include "fingerprint/judge.h"
#include "oracle/connect.h"
#include "oracle/network.h"

namespace modelseal::evidence {
namespace {

using fingerprint::Fingerprint;

// Plain kernels are twenty times as slow on many threads and large batches.
constexpr std::size_t kMostPlain = 16;

struct Options {
    std::string fingerprint, vendor;
    std::vector<std::string> targets;
    std::vector<std::size_t> batches{1, 2, 3, 5, 8, 13, 16, 25, 32, 50, 64, 75, 100, 150};
    unsigned most_threads = 4;
};

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

struct Tally {
    std::size_t checks = 0, alarms = 0, pairs = 0, mismatched = 0;
    double largest = 0;  // shift of a margin

    void add(const FingerprintFinding& finding) {
        ++checks;
        alarms += finding.outcome == FingerprintFinding::Outcome::tampered ? 1 : 0;
        pairs += finding.pairs;
        mismatched += finding.mismatched;
        for (const auto& rung : finding.rungs) {
            for (std::size_t i = 0; i < rung.answered.size(); ++i) {
                for (const std::size_t member : {0u, 1u}) {
                    largest = std::max(largest, std::abs(rung.answered[i][member] - rung.recorded[i][member]));
                }
            }
        }
    }

    void print(const std::string& what, double floor) const {
        fmt::print(
            "{}: {} checks, {} alarms; {} pairs asked, {} mismatched; largest shift {:.2g}, floor {:.2g}\n",
            what, checks, alarms, pairs, mismatched, largest, floor);
    }
};

// Only the rung of the default verdict, so that thousands of checks take minutes.
Fingerprint fp32_alone(Fingerprint print) {
    std::erase_if(print.rungs, [](const auto& rung) { return rung.rung != Rung::fp32; });
    if (print.rungs.empty()) throw std::runtime_error("the fingerprint has no rung fp32");
    return print;
}

class Alarms {
  public:
    explicit Alarms(const Options& options)
        : options_(options),
          print_(fp32_alone(must(fingerprint::load(options.fingerprint,
                                                   public_check_key(must(load_public_key(options.vendor))),
                                                   std::time(nullptr))))),
          inputs_(inputs_of(print_, print_.rungs.front().pairs)) {
        normalise(print_.input, inputs_);
    }

    Tally file(const std::string& path) {
        Tally tally;
        const auto network = must(oracle::open_network(path, {.input_shape = print_.input.shape.shape}));
        for (unsigned threads = 1; threads <= options_.most_threads; ++threads) {
            for (const auto batch : options_.batches) {
                for (const bool channels_last : {false, true}) {
                    for (const bool plain : {false, true}) {
                        if (plain && (threads > 2 || batch > kMostPlain)) continue;
                        const oracle::Runtime runtime{.threads = threads,
                                                      .batch = batch,
                                                      .channels_last = channels_last,
                                                      .plain_kernels = plain};
                        tally.add(judged(must(network->ask_as(inputs_, count(), runtime)), path));
                    }
                }
            }
        }
        return tally;
    }

    // One check for each size of batch.
    Tally endpoint(const std::string& target) {
        Tally tally;
        for (const auto batch : options_.batches) {
            const auto oracle =
                must(oracle::connect(target, {.timeout_s = 120, .batch = batch}, print_.input.shape));
            tally.add(judged(must(oracle->ask(inputs_, count())), target));
        }
        return tally;
    }

    double floor() const { return print_.rungs.front().floor; }

  private:
    std::size_t count() const { return 2 * print_.rungs.front().pairs.size(); }
    FingerprintFinding judged(oracle::Answers answers, const std::string& who) const {
        return must(fingerprint::judge(print_, {.answers = std::move(answers)}, {}, who));
    }

    const Options& options_;
    Fingerprint print_;
    std::vector<float> inputs_;
};

void run(const Options& options) {
    Alarms alarms(options);
    for (const auto& target : options.targets) {
        const bool served = oracle::is_endpoint(target);
        (served ? alarms.endpoint(target) : alarms.file(target)).print(target, alarms.floor());
        std::fflush(stdout);
    }
}

}  // namespace

void add_alarms(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("alarms", "holds a fingerprint against the untouched model on honest runtimes");
    command->add_option("FP", options->fingerprint)->required();
    command->add_option("TARGET", options->targets)->required();
    command->add_option("--pub", options->vendor)->required();
    command->add_option("--batches", options->batches)->delimiter(',');
    command->add_option("--most-threads", options->most_threads);
    command->callback([options] { run(*options); });
}

}  // namespace modelseal::evidence
