
#include "tests/evidence/alarms.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "blackbox/challenge.h"
#include "blackbox/container/container.h"
#include "blackbox/interview.h"
#include "blackbox/method.h"
#include "blackbox/pairs/inputs.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "oracle/network.h"
#include "oracle/precision.h"

namespace modelseal::evidence {
namespace {

using blackbox::Fingerprint;

// Plain kernels are twenty times as slow on many threads and large batches.
constexpr std::size_t kMostPlain = 16;

struct Options {
    std::string fingerprint, vendor, only;
    std::vector<std::string> targets;
    std::vector<std::size_t> batches{1, 2, 3, 5, 8, 13, 16, 25, 32, 50, 64, 75, 100, 150};
    unsigned most_threads = 4;
    bool by_runtime = false;
};

// Ways to compute in float32 that making a fingerprint does not try: other batches, and other draws.
struct Elsewhere {
    std::string row;
    oracle::Runtime runtime;
};
std::vector<Elsewhere> other_runtimes() {
    using oracle::Arithmetic;
    std::vector<Elsewhere> all;
    for (const std::size_t batch : {2u, 3u, 11u, 64u}) {
        all.push_back({"LibTorch", {.threads = 1, .batch = batch}});
        all.push_back({"LibTorch", {.threads = 4, .batch = batch}});
        all.push_back({"channels last", {.threads = 1, .batch = batch, .channels_last = true}});
    }
    for (const std::size_t batch : {2u, 11u}) {
        all.push_back({"without oneDNN", {.threads = 1, .batch = batch, .plain_kernels = true}});
        for (const auto arithmetic :
             {Arithmetic::one_term, Arithmetic::winograd2, Arithmetic::winograd4, Arithmetic::winograd6})
            all.push_back(
                {std::string(name_of(arithmetic)), {.threads = 2, .batch = batch, .arithmetic = arithmetic}});
    }
    for (const auto arithmetic :
         {Arithmetic::permuted, Arithmetic::rounded_weights, Arithmetic::rounded_steps}) {
        for (unsigned draw = 100; draw < 104; ++draw)
            all.push_back({std::string(name_of(arithmetic)),
                           {.threads = 2, .batch = 9, .arithmetic = arithmetic, .draw = draw}});
    }
    return all;
}

// Ways to compute in less than float32.
std::vector<Elsewhere> narrower_runtimes() {
    using oracle::Arithmetic;
    std::vector<Elsewhere> all;
    for (const auto& [name, arithmetic] :
         {std::pair{"TF32", Arithmetic::tf32}, std::pair{"float16", Arithmetic::half},
          std::pair{"bfloat16", Arithmetic::bfloat16}}) {
        for (const std::size_t batch : {2u, 11u})
            all.push_back({name, {.threads = 2, .batch = batch, .arithmetic = arithmetic}});
    }
    return all;
}

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

struct Tally {
    std::size_t checks = 0, alarms = 0, inconclusive = 0, mismatched = 0;
    double largest = 0;  // shift of a margin on rung fp32

    // A finding that says that less than float32 looks like this is no alarm.
    void add(const FingerprintFinding& finding) {
        ++checks;
        const bool alarm = finding.outcome == FingerprintFinding::Outcome::tampered;
        alarms += alarm && !finding.reduced_precision_possible ? 1 : 0;
        inconclusive += finding.outcome == FingerprintFinding::Outcome::inconclusive ? 1 : 0;
        mismatched += finding.mismatched;
        if (const auto* triggers = std::get_if<FingerprintFinding::Triggers>(&finding.details)) {
            for (std::size_t i = 0; i < triggers->answered.size(); ++i)
                note(triggers->answered[i] - triggers->recorded[i]);
        } else if (const auto& rungs = std::get<FingerprintFinding::Pairs>(finding.details).rungs;
                   !rungs.empty()) {
            const auto& rung = rungs.front();
            for (std::size_t i = 0; i < rung.answered.size(); ++i) {
                for (const std::size_t member : {0u, 1u})
                    note(rung.answered[i][member] - rung.recorded[i][member]);
            }
        }
    }
    void note(double shift) { largest = std::max(largest, std::abs(shift)); }
};

// Without the rung exact, which decides nothing on other runtimes, so that thousands of checks take minutes.
Fingerprint without_exact(Fingerprint print) {
    if (print.method() != FingerprintMethod::pairs) return print;
    std::erase_if(print.pairs().rungs, [](const auto& rung) { return rung.rung == Rung::exact; });
    if (print.pairs().rungs.empty() || print.pairs().rungs.front().rung != Rung::fp32) {
        throw std::runtime_error("the fingerprint has no rung fp32");
    }
    return print;
}

// In a format with so many bits of significand.
oracle::Answers narrowed(oracle::Answers answers, int bits) {
    for (auto& value : answers.values) {
        int exponent = 0;
        const float fraction = std::frexp(value, &exponent);
        value = std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
    }
    return answers;
}

oracle::Answers with_decimals(oracle::Answers answers, int decimals) {
    for (auto& value : answers.values) {
        value = std::strtof(fmt::format("{:.{}f}", value, decimals).c_str(), nullptr);
    }
    return answers;
}

// The verdict on answers from a server, without repeated queries.
blackbox::Replies received(oracle::Answers answers) {
    note_precision(answers);
    return {.answers = std::move(answers)};
}

class Alarms {
  public:
    explicit Alarms(const Options& options)
        : options_(options),
          print_(without_exact(must(
              blackbox::load(*must(io::FileSource::open(options.fingerprint, options.fingerprint)),
                             public_check_key(must(load_public_key(options.vendor))), std::time(nullptr))))) {
        inputs_ = inputs_of(print_, 0, count_inputs(print_));
        normalise(print_.input, inputs_);
    }

    void file(const std::string& path) {
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
                        judge_all(must(network->ask_as(inputs_, count(), runtime)), path);
                    }
                }
            }
        }
        for (const auto batch : options_.batches) {
            judge_half(must(network->ask_as(inputs_, count(),
                                            {.batch = batch, .arithmetic = oracle::Arithmetic::half_weights})),
                       path);
        }
    }

    // Answers of each way as they are, and written with 4 to 7 decimals.
    void by_runtime(const std::string& path) {
        const auto network = must(oracle::open_network(path, {.input_shape = print_.input.shape.shape}));
        for (auto [row, runtime] : other_runtimes()) {
            if (!options_.only.empty() && row != options_.only) continue;
            if (print_.alone) runtime.batch = 1;
            const auto answers = must(network->ask_as(inputs_, count(), runtime));
            judge(row, received(answers), path);
            for (const int decimals : {4, 5, 6, 7})
                judge("4 to 7 decimals", received(with_decimals(answers, decimals)), path);
        }
        const bool wide = std::visit(
            [](const auto& queries) {
                return std::ranges::any_of(queries.rungs,
                                           [](const auto& one) { return one.rung == Rung::mixed; });
            },
            print_.queries);
        for (auto [row, runtime] : narrower_runtimes()) {
            if (!options_.only.empty()) break;
            if (print_.alone) runtime.batch = 1;
            const auto answers = must(network->ask_as(inputs_, count(), runtime));
            judge(row, received(answers), path);
            if (wide) judge(row + ", rung mixed", received(answers), path, Rung::mixed);
        }
    }

    // One run for each size of batch.
    void endpoint(const std::string& target) {
        for (const auto batch : options_.batches) {
            const auto oracle =
                must(oracle::connect(target, {.timeout_s = 120, .batch = batch}, print_.input.shape));
            judge_all(must(oracle->ask(inputs_, count())), target);
        }
    }

    void print_table(const std::string& target) {
        fmt::print("{}, floor {:.2g}\n", target, floor());
        for (const auto& [row, tally] : rows_) {
            fmt::print("  {:32} {:5} checks, {} alarms, {} inconclusive; {} mismatched; largest shift {:.2g}\n",
                       row, tally.checks, tally.alarms, tally.inconclusive, tally.mismatched, tally.largest);
        }
        rows_.clear();
    }

  private:
    std::size_t count() const { return count_inputs(print_); }

    // Of the rung fp32.
    double floor() const {
        return print_.method() == FingerprintMethod::pairs ? print_.pairs().rungs.front().floor
                                                           : print_.triggers().rungs.front().floor;
    }
    void judge(const std::string& row, blackbox::Replies replies, const std::string& who,
               std::optional<Rung> rung = {}) {
        rows_[row].add(must(blackbox::method_of(print_).judge(print_, std::move(replies), rung, who)));
    }

    // The answers of one honest run, and what services make of such answers.
    void judge_all(const oracle::Answers& answers, const std::string& who) {
        judge("as they are", received(answers), who);
        for (const int decimals : {3, 4, 5, 6}) {
            judge(fmt::format("{} decimals", decimals), received(with_decimals(answers, decimals)), who);
        }
        judge("values in half precision", received(narrowed(answers, 11)), who);
        judge("values in bfloat16", received(narrowed(answers, 8)), who);
        for (const double floors : {0.01, 0.03, 0.1, 0.2, 0.3, 1.0, 10.0, 100.0}) {
            judge(fmt::format("noise of {} floors", floors), noisy(answers, floors), who);
        }
    }

    void judge_half(const oracle::Answers& answers, const std::string& who) {
        judge("half precision", received(narrowed(answers, 11)), who);
        judge("half precision, 3 decimals", received(with_decimals(narrowed(answers, 11), 3)), who);
        judge("half precision, rung mixed", received(narrowed(answers, 11)), who, Rung::mixed);
        judge("weights in half, rung mixed", received(answers), who, Rung::mixed);
    }

    blackbox::Replies noisy(oracle::Answers answers, double floors) {
        std::vector<std::size_t> all(count()), repeated;
        std::iota(all.begin(), all.end(), std::size_t{0});
        std::sample(all.begin(), all.end(), std::back_inserter(repeated), 32, random_);
        for (const auto row : repeated) {
            for (std::size_t at = 0; at < answers.classes; ++at) {
                answers.values.push_back(answers.values[row * answers.classes + at]);
            }
        }
        answers.count += repeated.size();
        std::normal_distribution<double> noise(0, floors * floor());
        for (auto& value : answers.values) value += static_cast<float>(noise(random_));
        note_precision(answers);
        return with_jitter(print_, std::move(answers), repeated);
    }

    const Options& options_;
    Fingerprint print_;
    std::vector<float> inputs_;
    std::map<std::string, Tally> rows_;
    std::mt19937 random_{1};
};

void run(const Options& options) {
    Alarms alarms(options);
    for (const auto& target : options.targets) {
        if (oracle::is_endpoint(target))
            alarms.endpoint(target);
        else
            options.by_runtime ? alarms.by_runtime(target) : alarms.file(target);
        alarms.print_table(target);
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
    command->add_option("--only", options->only, "of the rows by runtime this one");
    command->add_flag("--by-runtime", options->by_runtime, "files: a row for each way to compute");
    command->callback([options] { run(*options); });
}

}  // namespace modelseal::evidence
