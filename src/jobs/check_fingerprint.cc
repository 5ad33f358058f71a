#include "jobs/check_fingerprint.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "fingerprint/challenge.h"
#include "fingerprint/container.h"
#include "fingerprint/judge.h"
#include "fingerprint/margin.h"
#include "fingerprint/preview.h"
#include "io/file.h"
#include "io/progress.h"
#include "oracle/connect.h"
#include "oracle/network.h"

namespace modelseal::jobs {
namespace {

using fingerprint::Fingerprint;

constexpr std::size_t kPreviewPairs = 8;
constexpr std::size_t kAskedTwice = 16;
constexpr std::size_t kAtOnce = 4u << 20;  // elements handed to an endpoint's oracle at a time: 16 MiB

// Rows of answers, filled in any order.
class Gathered {
  public:
    explicit Gathered(std::size_t rows) : rows_(rows) { all_.count = rows; }

    Result<void> put(const oracle::Answers& answers, std::span<const std::size_t> rows,
                     const std::string& who) {
        const bool values = !answers.values.empty();
        if (filled_ == 0) {
            all_.classes = answers.classes;
            values ? all_.values.resize(rows_ * answers.classes) : all_.labels.resize(rows_);
        }
        const bool same = values ? all_.classes == answers.classes && !all_.values.empty()
                                 : !all_.labels.empty() && answers.labels.size() == rows.size();
        if (!same || answers.count != rows.size()) {
            return Error{
                ErrorKind::malformed, who + ": answers change their shape from one request to the next", {}};
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (values) {
                std::copy_n(answers.values.begin() + static_cast<std::ptrdiff_t>(i * answers.classes),
                            answers.classes,
                            all_.values.begin() + static_cast<std::ptrdiff_t>(rows[i] * answers.classes));
            } else {
                all_.labels[rows[i]] = answers.labels[i];
            }
        }
        filled_ += rows.size();
        all_.rounding = std::max(all_.rounding, answers.rounding);
        return {};
    }

    oracle::Answers take() { return std::move(all_); }

  private:
    std::size_t rows_, filled_ = 0;
    oracle::Answers all_;
};

// The file is run as it was when the answers on record were made: a rung at a time, in the same batches.
Result<fingerprint::Replies> ask_file(const Model& model, const Fingerprint& print, const CheckOptions& options,
                                      io::Progress& progress) {
    MODELSEAL_TRY_ASSIGN(const auto network,
                         oracle::open_network(model, {.device = options.device,
                                                      .threads = options.jobs,
                                                      .input_name = print.input.shape.name.empty()
                                                                        ? std::nullopt
                                                                        : std::optional(print.input.shape.name),
                                                      .input_shape = print.input.shape.shape}));
    const auto batch = options.endpoint.batch == 0 ? print.batch : options.endpoint.batch;
    Gathered gathered(count_inputs(print));
    std::size_t first = 0;
    for (const auto& rung : print.rungs) {
        auto inputs = inputs_of(print, rung.pairs);
        normalise(print.input, inputs);
        std::vector<std::size_t> rows(2 * rung.pairs.size());
        std::iota(rows.begin(), rows.end(), first);
        MODELSEAL_TRY_ASSIGN(const auto answers, network->ask_as(inputs, rows.size(), {.batch = batch}));
        MODELSEAL_TRY(gathered.put(answers, rows, network->name()));
        first += rows.size();
        progress.advance(rows.size());
    }
    return fingerprint::Replies{.answers = gathered.take(),
                                .same_runtime = batch == print.batch && network->runtime() == print.runtime};
}

// The largest change of a margin between two answers to the same inputs; 0 for answers without margins.
double jitter_of(const Fingerprint& print, const oracle::Answers& all, std::span<const std::size_t> rows,
                 oracle::Answers again) {
    if (print.access == Access::label || all.values.empty()) return 0;
    oracle::Answers once{.count = rows.size(), .classes = all.classes, .rounding = all.rounding};
    for (const auto row : rows) {
        const auto begin = all.values.begin() + static_cast<std::ptrdiff_t>(row * all.classes);
        once.values.insert(once.values.end(), begin, begin + static_cast<std::ptrdiff_t>(all.classes));
    }
    const auto first = fingerprint::outputs_of(std::move(once), print.classes, {});
    const auto second = fingerprint::outputs_of(std::move(again), print.classes, {});
    if (!first || !second) return 0;  // judge() says what is wrong with them
    double jitter = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const fingerprint::Boundary boundary{print.direction, 0};
        jitter =
            std::max(jitter, std::abs(score(*first, i, boundary).margin - score(*second, i, boundary).margin));
    }
    return jitter;
}

// A service is asked in random order, so that neighbours in a request are no pairs; a few inputs are asked
// twice.
class Interview {
  public:
    Interview(oracle::Oracle& oracle, const Fingerprint& print, io::Progress& progress)
        : oracle_(oracle), print_(print), progress_(progress) {
        for (const auto& rung : print.rungs) {
            for (const int member : {0, 1}) {
                for (const auto& pair : rung.pairs) inputs_.push_back({&pair, member});
            }
        }
    }

    Result<fingerprint::Replies> run() {
        std::vector<std::size_t> order(inputs_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::random_device seed;
        std::shuffle(order.begin(), order.end(), std::mt19937_64(seed()));
        Gathered gathered(order.size());
        const auto step = std::max<std::size_t>(1, kAtOnce / print_.input.shape.elements());
        for (std::size_t first = 0; first < order.size(); first += step) {
            const auto rows = std::span(order).subspan(first, std::min(step, order.size() - first));
            MODELSEAL_TRY_ASSIGN(const auto answers, ask(rows));
            MODELSEAL_TRY(gathered.put(answers, rows, oracle_.name()));
            progress_.advance(rows.size());
        }
        const auto again = std::span(order).first(std::min({kAskedTwice, step, order.size()}));
        MODELSEAL_TRY_ASSIGN(auto second, ask(again));
        fingerprint::Replies replies{.answers = gathered.take()};
        replies.jitter = jitter_of(print_, replies.answers, again, std::move(second));
        return replies;
    }

  private:
    struct Input {
        const fingerprint::Pair* pair;
        int member;
    };

    Result<oracle::Answers> ask(std::span<const std::size_t> rows) {
        std::vector<float> inputs;
        for (const auto row : rows) append_input(print_, *inputs_[row].pair, inputs_[row].member, inputs);
        normalise(print_.input, inputs);
        return oracle_.ask(inputs, rows.size());
    }

    oracle::Oracle& oracle_;
    const Fingerprint& print_;
    io::Progress& progress_;
    std::vector<Input> inputs_;
};

Result<fingerprint::Replies> ask(const std::string& target, const Model* model, const Fingerprint& print,
                                 const CheckOptions& options, std::string& who) {
    auto& progress = options.progress != nullptr ? *options.progress : io::no_progress();
    progress.total(count_inputs(print));
    if (options.responses) {
        who = options.responses->string();
        for (const auto& key : options.keys) {
            auto answers = answers_of_responses(print, key, *options.responses);
            if (answers) return fingerprint::Replies{.answers = std::move(*answers)};
            if (answers.error().kind != ErrorKind::mismatch || &key == &options.keys.back())
                return answers.error();
        }
    }
    who = target;
    if (model != nullptr) return ask_file(*model, print, options, progress);
    MODELSEAL_TRY_ASSIGN(const auto oracle, oracle::connect(target, options.endpoint, print.input.shape));
    return Interview(*oracle, print, progress).run();
}

}  // namespace

Result<OpenedFingerprint> open_fingerprint(const CheckOptions& options) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    MODELSEAL_TRY_ASSIGN(const auto source,
                         io::FileSource::open(*options.fingerprint, options.fingerprint->string()));
    std::optional<Error> refused;
    for (const auto& key : options.keys) {
        auto print = fingerprint::load(*source, key, now);
        if (print) {
            MODELSEAL_TRY_ASSIGN(const auto shown, fingerprint::show(*source));
            return OpenedFingerprint{std::move(*print), shown.id, shown.vendor_key};
        }
        refused = print.error();
        if (refused->kind != ErrorKind::mismatch) break;
    }
    return refused.value_or(Error{ErrorKind::usage, "no key to open the fingerprint with", {}});
}

Result<FingerprintFinding> check_fingerprint(const std::string& target, const Model* model,
                                             const OpenedFingerprint& opened, const CheckOptions& options) {
    const auto& print = opened.print;
    std::string who;
    MODELSEAL_TRY_ASSIGN(auto replies, ask(target, model, print, options, who));
    MODELSEAL_TRY_ASSIGN(auto finding, fingerprint::judge(print, std::move(replies), options.rung, who));
    finding.id = opened.id;
    finding.vendor_key = opened.vendor_key;
    finding.root = print.root;
    finding.customer = print.customer;
    finding.created = print.created;
    finding.expires = print.expires;
    finding.model = print.model;
    finding.queries = count_inputs(print);
    finding.preview = fingerprint::preview_png(print, kPreviewPairs);
    return finding;
}

}  // namespace modelseal::jobs
