// A way to check a query-only model: what its queries are, how they are made, and what answers to them prove.
//
// Everything around it works for any method: the file (container.h, payload.h), asking a model (interview.h),
// challenges, previews, reports. A method is one folder beside this file and one line in method.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blackbox/fingerprint.h"
#include "blackbox/margin.h"
#include "blackbox/probe.h"
#include "blackbox/replies.h"
#include "oracle/network.h"
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal::blackbox {

class PayloadReader;
class PayloadWriter;

struct Plan {
    unsigned count = 150;  // pairs on each rung, or triggers
    Access access = Access::logits;
    Grid grid = Grid::none;
    Input input;
    unsigned threads = 0;  // that the network was opened with
    bool alone = false;    // must_be_asked_alone()
    // Pictures of the vendor's own to search from, beside drawn ones: at least two or none, of as many bytes as an input has
    // elements and in their order, from 0 for the lower end of the range to 255 for the upper.
    std::vector<std::uint8_t> seeds = {};
    GeneratorTraining generator = {};
};

struct Made {
    Fingerprint fingerprint;        // but for root, names and times
    std::uint64_t evaluations = 0;  // of the model for one input; a gradient counts 3
    std::vector<std::string> notes;
    // What honest runtimes were off by, for the rungs fp32 and mixed.
    std::vector<FingerprintSummary::OnRuntime> runtimes = {};
};

// What all methods of making share. The network as it is asked, with `plan.input`, which must outlive the probe:
Probe probe_of(oracle::Network& network, const Plan& plan, std::size_t classes);
// The facts that follow from the plan and the probe; no queries yet.
Fingerprint facts_of(const Plan& plan, const Probe& probe);

// One input of a fingerprint, and what the answer to it must be.
struct Query {
    Boundary boundary;
    bool inside = true;  // on the positive side of the boundary; for labels: the class is boundary.target
    Rung rung = Rung::fp32;
    double unit = 1;  // how noisy its margin is, in relation to the others
    // Judges a label alone.
    bool fits(std::int64_t label) const {
        return (label == static_cast<std::int64_t>(boundary.target)) == inside;
    }
};

// Thread safety: objects have no state; calls are safe together.
class Method {
  public:
    virtual ~Method() = default;

    // Queries follow from `secret` and `salt`, which must be new and random, or from a seed.
    virtual Result<Made> make(oracle::Network& network, const Plan& plan, const Secret32& secret,
                              std::span<const std::byte, 32> salt, Progress& progress) const = 0;

    // All queries, rung by rung; the answers on record were made with a rung's queries together. Boundaries
    // refer to `fingerprint`.
    virtual std::vector<Query> queries(const Fingerprint& fingerprint) const = 0;
    // Appends the input of one of them to `pixels` (before mean and std).
    virtual void append_input(const Fingerprint& fingerprint, std::size_t query,
                              std::vector<float>& pixels) const = 0;

    // `replies`: answers in the order of queries(). `who` answered, for messages. `rung`: the one that must be
    // decided and agree for "intact"; by default fp32, or the finest rung besides exact. Errors: outputs of
    // another kind than this model's (number of classes, labels instead of values, NaN); `usage` for a rung
    // that the fingerprint does not have.
    virtual Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies,
                                             std::optional<Rung> rung, const std::string& who) const = 0;

    // For people: what was made, some of the queries as a picture (PNG), and the same with plots of margins.
    virtual void describe(const Fingerprint& fingerprint, FingerprintSummary& summary) const = 0;
    virtual std::vector<std::byte> preview(const Fingerprint& fingerprint, std::size_t most) const = 0;
    virtual std::vector<std::byte> preview_sheet(const Fingerprint& fingerprint, std::size_t most) const = 0;

    // Its part of the payload (payload.h): facts and tensors.
    virtual Result<void> write(const Fingerprint& fingerprint, PayloadWriter& payload) const = 0;
    virtual void read(PayloadReader& payload, Fingerprint& fingerprint) const = 0;
    // Empty if its part is well-formed, else the violation; the common facts are.
    virtual std::string complaint(const Fingerprint& fingerprint) const = 0;
};

const Method& method_of(FingerprintMethod method);
inline const Method& method_of(const Fingerprint& fingerprint) {
    return method_of(fingerprint.method());
}

// The inputs of queries `first` to `first + count`, in pixels.
std::vector<float> inputs_of(const Fingerprint& fingerprint, std::size_t first, std::size_t count);

}  // namespace modelseal::blackbox
