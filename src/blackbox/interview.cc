
#include "blackbox/interview.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "blackbox/margin.h"
#include "blackbox/method.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

constexpr std::size_t kAskedTwice = 32;
constexpr std::size_t kDoubted = 16, kTimes = 16;  // labels that are queried again, and how often
constexpr std::size_t kAtOnce = 4u << 20;          // elements handed to an oracle at a time: 16 MiB

Error changed_shape(const std::string& who) {
    return {ErrorKind::malformed, who + ": the shape of the answers changes between requests", {}};
}

// Answers to all inputs, filled in any order.
class Gathered {
  public:
    Gathered(std::size_t rows, std::size_t classes) : rows_(rows), classes_(classes) { all_.count = rows; }

    // Answer i belongs to row rows[i].
    Result<void> put(const oracle::Answers& answers, std::span<const std::size_t> rows,
                     const std::string& who) {
        const bool values = !answers.values.empty();
        if (values && answers.classes != classes_) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: {} per input, {} expected", who,
                                     util::counted(answers.classes, "output"), classes_),
                         "check that this is the model of the fingerprint"};
        }
        const bool changed = values ? !all_.labels.empty() : !all_.values.empty();
        if (changed || answers.count != rows.size() || (!values && answers.labels.size() != rows.size())) {
            return changed_shape(who);
        }
        values ? put_values(answers, rows) : put_labels(answers, rows);
        all_.rounding = std::max(all_.rounding, answers.rounding);
        all_.significand = std::min(all_.significand, answers.significand);
        return {};
    }

    oracle::Answers take() { return std::move(all_); }

  private:
    void put_values(const oracle::Answers& answers, std::span<const std::size_t> rows) {
        all_.classes = classes_;
        all_.values.resize(rows_ * classes_);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto from = std::span(answers.values).subspan(i * classes_, classes_);
            std::ranges::copy(from, all_.values.begin() + static_cast<std::ptrdiff_t>(rows[i] * classes_));
        }
    }
    void put_labels(const oracle::Answers& answers, std::span<const std::size_t> rows) {
        all_.labels.resize(rows_);
        for (std::size_t i = 0; i < rows.size(); ++i) all_.labels[rows[i]] = answers.labels[i];
    }

    std::size_t rows_, classes_;
    oracle::Answers all_;
};

// The largest change between two answers to the same input, beyond what their rounding explains.
void note_jitter(Replies& replies, const Fingerprint& fingerprint, const oracle::Answers& answers,
                 std::span<const Query> queries, std::span<const std::size_t> repeated) {
    const auto outputs = outputs_of(answers, fingerprint.classes, {}, fingerprint.answers_of());
    if (!outputs) return;  // judge() reports the error
    for (std::size_t i = 0; i < repeated.size(); ++i) {
        const auto& boundary = queries[repeated[i]].boundary;
        const auto first = score(*outputs, repeated[i], boundary);
        const auto again = score(*outputs, queries.size() + i, boundary);
        const double change =
            (std::abs(first.margin - again.margin) - first.doubt - again.doubt) / queries[repeated[i]].unit;
        replies.jitter = std::max(replies.jitter, change);
        const auto before = outputs->row(repeated[i]), after = outputs->row(queries.size() + i);
        for (std::size_t at = 0; at < before.size(); ++at) {
            const double moved = std::abs(static_cast<double>(before[at]) - static_cast<double>(after[at]));
            const double explained = rounding_of(*outputs, before[at]) + rounding_of(*outputs, after[at]);
            replies.value_jitter = std::max(replies.value_jitter, moved - explained);
        }
    }
}

// Labels show no margins: a change of side, other than between neighboring floats, may be of any size.
double jitter_of_labels(const oracle::Answers& answers, std::span<const Query> queries,
                        std::span<const std::size_t> repeated) {
    for (std::size_t i = 0; i < repeated.size(); ++i) {
        const auto& query = queries[repeated[i]];
        const bool first = query.fits(answers.labels[repeated[i]]);
        const bool again = query.fits(answers.labels[queries.size() + i]);
        if (query.rung != Rung::exact && first != again) return std::numeric_limits<double>::infinity();
    }
    return 0;
}

class Interview {
  public:
    Interview(oracle::Oracle& oracle, const Fingerprint& fingerprint, Progress& progress)
        : oracle_(oracle),
          fingerprint_(fingerprint),
          progress_(progress),
          queries_(method_of(fingerprint).queries(fingerprint)) {}

    Result<Replies> run() {
        plan();
        progress_.total(asked_.size());
        oracle_.begin({.inputs = asked_.size(),
                       .classes = fingerprint_.classes,
                       .answered = [this](std::size_t answers) { progress_.advance(answers); }});
        Gathered gathered(asked_.size(), fingerprint_.classes);
        const auto step = std::max<std::size_t>(1, kAtOnce / fingerprint_.input.shape.elements());
        for (std::size_t first = 0; first < asked_.size(); first += step) {
            const auto rows = std::span(asked_).subspan(first, std::min(step, asked_.size() - first));
            MODELSEAL_TRY_ASSIGN(const auto answers, oracle_.ask(inputs_of_rows(rows), rows.size()));
            MODELSEAL_TRY(gathered.put(answers, rows, oracle_.name()));
        }
        auto answers = gathered.take();
        MODELSEAL_TRY(doubt_labels(answers));
        return with_jitter(fingerprint_, std::move(answers), repeated_);
    }

  private:
    // A label that is wrong only sometimes counts as much as one that always is, and the few inputs that are
    // sent twice may not reveal it: some inputs on the wrong side are sent many more times.
    Result<void> doubt_labels(oracle::Answers& answers) {
        if (answers.labels.empty()) return {};
        std::vector<std::size_t> doubted;
        for (std::size_t row = 0; row < queries_.size() && doubted.size() < kDoubted; ++row) {
            const auto& query = queries_[row];
            if (query.rung != Rung::exact && !query.fits(answers.labels[row])) doubted.push_back(row);
        }
        for (const auto row : doubted) {
            const std::vector<std::size_t> rows(kTimes, row);
            MODELSEAL_TRY_ASSIGN(const auto more, oracle_.ask(inputs_of_rows(rows), rows.size()));
            if (more.labels.size() != rows.size()) return changed_shape(oracle_.name());
            answers.labels.insert(answers.labels.end(), more.labels.begin(), more.labels.end());
            repeated_.insert(repeated_.end(), rows.begin(), rows.end());
        }
        answers.count = answers.labels.size();
        return {};
    }

    // Rows of answers in the order of the queries: one for each input, then the repetitions.
    void plan() {
        std::mt19937_64 random{std::random_device{}()};
        std::vector<std::size_t> all(queries_.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        std::sample(all.begin(), all.end(), std::back_inserter(repeated_), kAskedTwice, random);
        asked_.resize(queries_.size() + repeated_.size());
        std::iota(asked_.begin(), asked_.end(), std::size_t{0});
        std::shuffle(asked_.begin(), asked_.end(), random);
    }

    std::vector<float> inputs_of_rows(std::span<const std::size_t> rows) const {
        std::vector<float> inputs;
        inputs.reserve(rows.size() * fingerprint_.input.shape.elements());
        for (const auto row : rows) {
            const auto query = row < queries_.size() ? row : repeated_[row - queries_.size()];
            method_of(fingerprint_).append_input(fingerprint_, query, inputs);
        }
        normalise(fingerprint_.input, inputs);
        return inputs;
    }

    oracle::Oracle& oracle_;
    const Fingerprint& fingerprint_;
    Progress& progress_;
    std::vector<Query> queries_;
    std::vector<std::size_t> repeated_, asked_;
};

}  // namespace

Result<Replies> ask_file(oracle::Network& network, const Fingerprint& fingerprint, std::size_t batch,
                         Progress& progress) {
    const auto queries = method_of(fingerprint).queries(fingerprint);
    progress.total(queries.size());
    Gathered gathered(queries.size(), fingerprint.classes);
    for (std::size_t first = 0; first < queries.size();) {
        const auto other = [&](const Query& query) { return query.rung != queries[first].rung; };
        const auto end =
            std::find_if(queries.begin() + static_cast<std::ptrdiff_t>(first), queries.end(), other);
        const auto count = static_cast<std::size_t>(end - queries.begin()) - first;
        auto inputs = inputs_of(fingerprint, first, count);
        normalise(fingerprint.input, inputs);
        std::vector<std::size_t> rows(count);
        std::iota(rows.begin(), rows.end(), first);
        MODELSEAL_TRY_ASSIGN(const auto answers, network.ask_as(inputs, count, {.batch = batch}));
        MODELSEAL_TRY(gathered.put(answers, rows, network.name()));
        first += count;
        progress.advance(count);
    }
    return Replies{.answers = gathered.take(),
                   .queries = queries.size(),
                   .local = true,
                   .same_runtime = batch == fingerprint.batch && network.runtime() == fingerprint.runtime};
}

Result<Replies> ask_service(oracle::Oracle& oracle, const Fingerprint& fingerprint, Progress& progress) {
    return Interview(oracle, fingerprint, progress).run();
}

Replies with_jitter(const Fingerprint& fingerprint, oracle::Answers answers,
                    std::span<const std::size_t> repeated) {
    const auto queries = method_of(fingerprint).queries(fingerprint);
    Replies replies{.queries = queries.size() + repeated.size()};
    if (answers.values.empty()) {
        replies.jitter = jitter_of_labels(answers, queries, repeated);
    } else {
        note_jitter(replies, fingerprint, answers, queries, repeated);
    }
    answers.count = queries.size();
    answers.values.resize(answers.values.empty() ? 0 : queries.size() * answers.classes);
    answers.labels.resize(answers.labels.empty() ? 0 : queries.size());
    replies.answers = std::move(answers);
    return replies;
}

}  // namespace modelseal::blackbox
