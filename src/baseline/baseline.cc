
#include "baseline/baseline.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "baseline/deepisign.h"
#include "baseline/deepisign_stamp.h"
#include "baseline/published_pairs.h"
#include "baseline/single_samples.h"
#include "blackbox/probe.h"
#include "blackbox/triggers/record.h"
#include "mark/frame_scan.h"
#include "util/text.h"

namespace modelseal::baseline {
namespace {

SealFinding finding_of(const model::Model& model, const PublicKey& vendor, const DeepisignReading& reading,
                       bool all) {
    SealFinding finding{.scheme = "deepisign"};
    finding.outcome = reading.intact() ? SealFinding::Outcome::intact : SealFinding::Outcome::tampered;
    finding.frame_detail = "not covered by this scheme";
    parse_stamp(model, vendor, reading.stamp, finding);
    double wrong = 0, carriers = 0;
    std::size_t changed = 0;
    for (const auto& layer : reading.layers) {
        const auto tensor = std::ranges::lower_bound(model.tensors, layer.tensor, {}, &Tensor::name);
        wrong += layer.bit_error_rate * static_cast<double>(layer.carriers);
        carriers += static_cast<double>(layer.carriers);
        changed += layer.hash_matches ? 0 : 1;
        if (!all && layer.hash_matches) continue;
        finding.tensors.push_back(
            {.name = layer.tensor,
             .dtype = std::string(info(tensor->dtype).name),
             .shape = tensor->shape,
             .outcome = layer.hash_matches ? TensorFinding::Outcome::intact : TensorFinding::Outcome::changed,
             .bit_error_rate = layer.bit_error_rate});
    }
    finding.bit_error_rate = carriers > 0 ? wrong / carriers : 0;
    finding.weights_intact = reading.intact() && finding.stamp_authentic;
    if (!finding.stamp_authentic) finding.outcome = SealFinding::Outcome::tampered;
    finding.detail =
        changed == 0
            ? fmt::format("the secrets of all {} marked layers are intact", reading.layers.size())
            : fmt::format("the secrets of {} of {} marked layers changed", changed, reading.layers.size());
    if (!finding.stamp_authentic) finding.detail += "; the stamp is not signed by the vendor";
    if (!reading.unmarked.empty()) {
        finding.detail += fmt::format("; {} are not covered", util::counted(reading.unmarked.size(), "tensor"));
    }
    return finding;
}

// A mark that cannot be read back is refused: rounding to the tensor's type may have lost it.
Result<void> must_read_back(const model::Model& model, const model::ModelOutput& output,
                            const SealOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto found, check(output.as_model(), {&options.check, 1}, false));
    if (found.outcome == SealFinding::Outcome::intact) return {};
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: the written marks cannot be read back: {}", util::printable(model.path.string()),
                    found.detail),
        "the weights are too large or too small for four decimals; the modelseal scheme has no such limit",
        Remedy::use_modelseal_scheme};
}

}  // namespace

Result<MarkedCopy> seal(const model::Model& model, const std::filesystem::path& out, const mark::Stamp& stamp,
                        const SealOptions& options, Progress& progress) {
    if (options.receipt) {
        return Error{ErrorKind::usage, "deepisign does not support receipts: it rewrites entire layers",
                     "keep the original, or seal with the modelseal scheme", Remedy::use_modelseal_scheme};
    }
    MODELSEAL_TRY(check_names(stamp));
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(const auto text, stamp_text(model, stamp, options.key));
    MODELSEAL_TRY_ASSIGN(const auto frame, mark::scan_frame(model, options.jobs, no_progress()));
    MODELSEAL_TRY_ASSIGN(auto output, model::ModelOutput::copy(model, out, options.jobs, progress));
    std::atomic<std::uint64_t> bytes_written = 0;
    const auto patch = [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
        bytes_written += bytes.size();
        return output.write(file, offset, bytes);
    };
    MODELSEAL_TRY_ASSIGN(const auto embedding,
                         deepisign_embed(model, options.check.secret.bytes(), text, patch));
    MODELSEAL_TRY(mark::renew_checksums(model, frame, options.jobs, output));
    MODELSEAL_TRY(model.unchanged());
    MODELSEAL_TRY(must_read_back(model, output, options));
    return MarkedCopy{std::move(output), embedding.layers, bytes_written / sizeof(float)};
}

Result<SealFinding> check(const model::Model& model, std::span<const CheckKey> keys, bool all) {
    for (const auto& key : keys) {
        MODELSEAL_TRY_ASSIGN(const auto reading, deepisign_read(model, key.secret.bytes()));
        if (reading.found) return finding_of(model, key.vendor, reading, all);
    }
    return SealFinding();
}

Result<blackbox::Made> make_pairs(oracle::Network& network, const blackbox::Plan& plan, const Secret32& secret,
                                  std::span<const std::byte, 32> salt, Progress& progress, unsigned steps) {
    if (plan.access == Access::label || plan.grid != Grid::none) {
        return Error{
            ErrorKind::usage,
            "the published schedule needs output values (logits or probabilities), and does not support a grid",
            "make it for logits or probabilities, without a grid", Remedy::use_output_values};
    }
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    const blackbox::Keyed keyed(secret, salt);
    auto probe = blackbox::probe_of(network, plan, classes);
    progress.total(steps + std::uint64_t{plan.count});
    MODELSEAL_TRY_ASSIGN(auto published, published_pairs(probe, keyed, plan.count, steps, progress));

    blackbox::Made made{.fingerprint = blackbox::facts_of(plan, probe)};
    auto& print = made.fingerprint;
    auto& pairs = print.pairs();
    pairs.schedule = Schedule::paper;
    pairs.direction = std::move(published.direction);
    pairs.paths = std::move(published.paths);
    print.unit = 1;
    // Paths are kept as distances from the lowest value of an input (pixel_of).
    for (auto& path : pairs.paths) {
        for (auto& pixel : path.base) pixel -= print.input.low;
    }
    blackbox::RungOfPairs rung{.rung = Rung::exact};
    for (std::uint32_t path = 0; path < pairs.paths.size(); ++path) {
        blackbox::Pair pair{.path = path};
        pair.member[1].position = 1;
        rung.pairs.push_back(pair);
    }
    if (rung.pairs.empty()) {
        return Error{ErrorKind::unsupported, "the published schedule did not change any label", {}};
    }
    MODELSEAL_TRY(blackbox::add_rung(probe, plan, std::move(rung), made));
    progress.advance(plan.count);
    made.evaluations = probe.evaluations();
    return made;
}

Result<blackbox::Made> make_single_samples(oracle::Network& network, const blackbox::Plan& plan,
                                           Schedule schedule, const Secret32& secret,
                                           std::span<const std::byte, 32> salt, Progress& progress) {
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    const blackbox::Keyed keyed(secret, salt);
    auto probe = blackbox::probe_of(network, plan, classes);
    const SamplePlan search{.count = plan.count, .steps = plan.generator.steps};
    progress.total(search.steps);
    MODELSEAL_TRY_ASSIGN(const auto samples, schedule == Schedule::dbi
                                                 ? dbi_samples(probe, keyed, search, progress)
                                                 : aid_samples(probe, keyed, search, progress));
    blackbox::Made made{.fingerprint = blackbox::facts_of(plan, probe)};
    made.fingerprint.queries = blackbox::Triggers{
        .schedule = schedule, .arm = Arm::none, .steps = search.steps, .rungs = {}, .triggers = {}};
    const auto before = probe.evaluations();
    MODELSEAL_TRY(blackbox::record_triggers(probe, plan.threads, samples.pixels, samples.labels, made));
    made.evaluations = samples.evaluations + probe.evaluations() - before;
    return made;
}

}  // namespace modelseal::baseline
