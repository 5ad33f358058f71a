#include "fingerprint/judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "fingerprint/challenge.h"
#include "fingerprint/margin.h"

namespace modelseal::fingerprint {
namespace {

constexpr double kJitterFactor = 8;  // margins within so many jitters of the boundary are not told

// One rung, as answered.
struct Told {
    FingerprintFinding::RungFinding finding;
    std::vector<double> chances;  // of a false mismatch, for each pair that could be told
    std::vector<double> shifts;   // |answered - recorded|, of every member
    double shift_sum = 0;         // answered - recorded
    double doubt = 0;             // largest, of the margins answered
    double most_drift = 0;        // on record
    double drift() const { return shifts.empty() ? 0 : shift_sum / static_cast<double>(shifts.size()); }
    // All margins moved together, further than any honest runtime moves them.
    bool drifted() const { return most_drift > 0 && std::abs(drift()) > most_drift + doubt; }
    bool enough() const { return finding.untold <= finding.pairs; }
};

// Either side of the boundary, or neither.
enum class Side { negative, positive, untold };

Side side_of(const Scored& scored, double jitter) {
    const double doubt = scored.doubt + kJitterFactor * jitter;
    if (doubt > 0 && !(std::abs(scored.margin) > doubt)) return Side::untold;
    return scored.margin > 0 ? Side::positive : Side::negative;
}

double chance_of_flip(const RungOfPairs& rung, const Pair& pair) {
    if (rung.rung == Rung::exact) return 0;
    const double scale = kStranger * std::max(rung.scale, 1e-12 * rung.floor);
    return 0.5 * std::exp(-std::abs(pair.member[0].margin) / scale) +
           0.5 * std::exp(-std::abs(pair.member[1].margin) / scale);
}

class Reader {
  public:
    Reader(const Fingerprint& print, const Outputs* outputs, std::span<const std::int64_t> labels,
           double jitter)
        : print_(print), outputs_(outputs), labels_(labels), jitter_(jitter) {}

    Told read(const RungOfPairs& rung, std::size_t first) const {
        Told told;
        told.finding.name = name_of(rung.rung);
        told.finding.noise = rung.noise;
        told.finding.floor = rung.floor;
        told.most_drift = rung.drift;
        for (std::size_t i = 0; i < rung.pairs.size(); ++i) {
            const std::size_t rows[2] = {first + i, first + rung.pairs.size() + i};
            take(told, rung, rung.pairs[i], rows);
        }
        return told;
    }

  private:
    void take(Told& told, const RungOfPairs& rung, const Pair& pair, const std::size_t (&rows)[2]) const {
        bool untold = false, flipped = false, differs = false;
        std::array<double, 2> recorded{}, answered{};
        for (const int which : {0, 1}) {
            const auto& member = pair.member[which];
            const auto expected = which == 0 ? Side::negative : Side::positive;
            if (print_.access == Access::label) {
                const auto label = outputs_ != nullptr ? score(*outputs_, rows[which], {{}, pair.target}).label
                                                       : labels_[rows[which]];
                const bool inside = label == static_cast<std::int64_t>(pair.target);
                flipped |= inside != (which == 1);
                continue;
            }
            const auto scored = score(*outputs_, rows[which], {print_.direction, pair.target});
            const auto side = side_of(scored, jitter_);
            untold |= side == Side::untold;
            flipped |= side != expected && side != Side::untold;
            // On the very same runtime answers are the very same.
            if (rung.rung == Rung::exact && print_.schedule == Schedule::keyed) {
                differs |= side != Side::untold && scored.margin != member.margin;
            }
            recorded[static_cast<std::size_t>(which)] = member.margin;
            answered[static_cast<std::size_t>(which)] = scored.margin;
            told.shifts.push_back(std::abs(scored.margin - member.margin));
            told.shift_sum += scored.margin - member.margin;
            told.doubt = std::max(told.doubt, scored.doubt + kJitterFactor * jitter_);
        }
        auto& finding = told.finding;
        if (print_.access != Access::label) {
            finding.recorded.push_back(recorded);
            finding.answered.push_back(answered);
        }
        if (untold && !flipped && !differs) {
            ++finding.untold;
            return;
        }
        ++finding.pairs;
        finding.flipped += flipped ? 1 : 0;
        finding.mismatched += flipped || differs ? 1 : 0;
        told.chances.push_back(chance_of_flip(rung, pair));
    }

    const Fingerprint& print_;
    const Outputs* outputs_;
    std::span<const std::int64_t> labels_;
    double jitter_;
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

const Told* find_rung(std::span<const Told> rungs, Rung rung) {
    const auto at = std::ranges::find(rungs, name_of(rung), [](const Told& t) { return t.finding.name; });
    return at == rungs.end() ? nullptr : &*at;
}

// The rung that was asked for; else fp32, or the next wider one that can be told; else whatever there is.
// Where the very runtime of the record answered otherwise than on record, that is the verdict.
const Told* choose(std::span<const Told> rungs, std::optional<Rung> wanted, bool same_runtime) {
    if (wanted) return find_rung(rungs, *wanted);
    const auto* exact = find_rung(rungs, Rung::exact);
    if (same_runtime && exact != nullptr && exact->finding.noise == 0 && exact->finding.mismatched > 0)
        return exact;
    const Told* first = nullptr;
    for (const auto rung : {Rung::fp32, Rung::mixed, Rung::exact}) {
        const auto* told = find_rung(rungs, rung);
        if (told == nullptr) continue;
        if (first == nullptr) first = told;
        if (rung != Rung::exact && told->enough()) return told;
    }
    return first;
}

std::string sentence(const FingerprintFinding& finding, bool only_exact) {
    using Outcome = FingerprintFinding::Outcome;
    switch (finding.outcome) {
        case Outcome::intact:
            return fmt::format("all answers are on their side of the boundary, {} pairs", finding.pairs);
        case Outcome::other_runtime:
            return fmt::format(
                "{} of {} pairs differ: no more than another runtime rounds otherwise; the very same "
                "answers would take the runtime of the fingerprint",
                finding.mismatched, finding.pairs);
        case Outcome::tampered:
            return fmt::format("{} of {} pairs are on the other side of the boundary{}", finding.mismatched,
                               finding.pairs,
                               only_exact ? ", or not answered bit by bit as by this very runtime before" : "");
        case Outcome::error:
            break;
    }
    return "answers are too coarse, or vary too much, to tell most pairs";
}

void conclude(FingerprintFinding& finding, const Told& chosen, std::span<const Told> rungs) {
    using Outcome = FingerprintFinding::Outcome;
    finding.rung = chosen.finding.name;
    finding.pairs = chosen.finding.pairs;
    finding.mismatched = chosen.finding.mismatched;
    const auto threshold = threshold_of(chosen.chances);
    finding.threshold = threshold.mismatches;
    finding.false_alarm_bound = threshold.bound;
    const bool only_exact = chosen.finding.name == name_of(Rung::exact);
    const bool flips = std::ranges::any_of(rungs, [](const Told& told) { return told.finding.mismatched > 0; });
    const bool drifted = finding.mismatched < finding.threshold && chosen.drifted();
    if (finding.mismatched >= finding.threshold || drifted) {
        finding.outcome = Outcome::tampered;
    } else if (!chosen.enough()) {
        finding.outcome = Outcome::error;
    } else {
        finding.outcome = flips ? Outcome::other_runtime : Outcome::intact;
    }
    finding.detail = sentence(finding, only_exact);
    if (drifted) {
        finding.detail = fmt::format(
            "the margins of all pairs moved together, by {:.1e} on average; honest runtimes "
            "stay within {:.1e}",
            std::abs(chosen.drift()), chosen.most_drift);
    }
    if (finding.rung == name_of(Rung::mixed) && finding.outcome != Outcome::tampered) {
        finding.detail += "; on the mixed rung, which only larger changes cross";
    }
}

}  // namespace

// Independent flips with chances q: P(at least k) <= (sum q)^k / k!, and for k = 1 without independence.
Threshold threshold_of(std::span<const double> chances) {
    const double sum = std::accumulate(chances.begin(), chances.end(), 0.0);
    Threshold threshold{.mismatches = 1, .bound = std::min(1.0, sum)};
    while (threshold.bound > kFalseAlarms && threshold.mismatches <= chances.size()) {
        ++threshold.mismatches;
        threshold.bound *= sum / static_cast<double>(threshold.mismatches);
    }
    return threshold;
}

Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                 const std::string& who) {
    const auto rows = count_inputs(fingerprint);
    if (replies.answers.count != rows) {
        return Error{ErrorKind::malformed,
                     fmt::format("{}: {} answers to {} inputs", who, replies.answers.count, rows),
                     {}};
    }
    std::optional<Outputs> outputs;
    auto labels = std::move(replies.answers.labels);
    if (fingerprint.access != Access::label || labels.empty()) {
        MODELSEAL_TRY_ASSIGN(outputs, outputs_of(std::move(replies.answers), fingerprint.classes, who));
    } else if (labels.size() != rows) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: {} labels for {} inputs", who, labels.size(), rows), {}};
    }
    const Reader reader(fingerprint, outputs ? &*outputs : nullptr, labels, replies.jitter);
    std::vector<Told> rungs;
    std::size_t first = 0;
    for (const auto& one : fingerprint.rungs) {
        rungs.push_back(reader.read(one, first));
        first += 2 * one.pairs.size();
    }
    const auto* chosen = choose(rungs, rung, replies.same_runtime);
    if (chosen == nullptr) {
        return Error{
            ErrorKind::usage, fmt::format("the fingerprint has no pairs on the rung '{}'", name_of(*rung)), {}};
    }
    FingerprintFinding finding;
    finding.access = name_of(fingerprint.access);
    if (!chosen->shifts.empty()) {
        finding.shift = median(chosen->shifts);
        finding.drift = chosen->drift();
        finding.most_drift = chosen->most_drift;
    }
    conclude(finding, *chosen, rungs);
    for (auto& told : rungs) finding.rungs.push_back(std::move(told.finding));
    return finding;
}

}  // namespace modelseal::fingerprint
