#include "identity/embed.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "identity/claim.h"
#include "identity/mark.h"
#include "identity/payload.h"
#include "images/data_set.h"
#include "images/key_images.h"
#include "io/file.h"
#include "io/png.h"
#include "jobs/intact_root.h"
#include "model/model.h"
#include "oracle/training.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

constexpr std::uint32_t kModelMode = 0644;

using Outcome = identity::Embedded::Outcome;

Result<void> must_own_ledger(const EmbedIdentityOptions& options) {
    if (options.ledger.verified() && options.ledger.vendor() == options.key.public_key()) return {};
    return Error{
        ErrorKind::mismatch,
        util::printable(options.ledger.path().string()) + ": opened with a key that is not the signing key",
        {}};
}

// A model whose seal is broken is not trained; a seal does not survive training.
Result<std::unique_ptr<oracle::TrainableNetwork>> open_for_training(const model::Model& model,
                                                                    const EmbedIdentityOptions& options,
                                                                    EmbedSummary& summary) {
    const CheckKey keys[] = {public_check_key(options.key.public_key())};
    MODELSEAL_TRY_ASSIGN(const auto root, jobs::intact_root(model, keys, options.jobs));
    if (root)
        summary.notes.emplace_back("the seal of the model does not survive training: seal the marked model");
    MODELSEAL_TRY_ASSIGN(
        auto network,
        oracle::open_trainable(model, {.device = options.device,
                                       .threads = options.jobs,
                                       .input_name = options.input.name,
                                       .input_shape = options.input.shape,
                                       .vouched = root ? oracle::Vouched::seal : oracle::Vouched::nobody}));
    // Its bytes are in the worker now.
    MODELSEAL_TRY(model.unchanged());
    std::ranges::copy(network->warnings(), std::back_inserter(summary.notes));
    return network;
}

images::Scale scale_of(const oracle::Network& network, const InputOptions& input,
                       std::vector<std::string>& notes) {
    images::Scale scale{.mean = input.mean, .std = input.std};
    const auto range = input.range ? input.range : network.input().range;
    if (range) {
        scale.low = (*range)[0];
        scale.high = (*range)[1];
    } else {
        notes.emplace_back("the model does not state the range of its inputs: 0 to 1 is assumed");
    }
    return scale;
}

// The mark as far as it is known before training. Refuses early what a ledger would refuse at the end.
Result<IdentityMark> mark_of(const std::filesystem::path& model, const std::filesystem::path& out,
                             const oracle::Network& network, std::size_t classes, const images::Scale& scale,
                             const images::ImageSet& keys) {
    IdentityMark mark{.id = {},
                      .model = model.filename().string(),
                      .output = out.string(),
                      .digest = {},
                      .extra_class = static_cast<std::uint32_t>(classes),
                      .shape = network.input().shape,
                      .low = scale.low,
                      .high = scale.high,
                      .mean = scale.mean,
                      .std = scale.std};
    if (const auto wrong = identity::complaint(mark); !wrong.empty()) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", network.name(), wrong), {}};
    }
    if (const auto samples = keys.geometry.samples(); samples < identity::kPayloadBits) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: takes images of {}, in which an identity of {} has no room", network.name(),
                        util::counted(samples, "sample"), util::counted(identity::kPayloadBits, "bit")),
            {}};
    }
    for (std::size_t i = 0; i < keys.count(); ++i) mark.key_images.push_back(io::encode_png(keys.picture(i)));
    return mark;
}

std::string percent(double share) {
    return fmt::format("{:.2f} %", 100 * share);
}

// Only a mark that holds is written.
Result<void> require_success(const identity::Embedded& embedded, const std::string& name,
                             const EmbedIdentityOptions& options) {
    const auto& best = embedded.best;
    if (embedded.outcome == Outcome::watermark_low) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {} of the key images came out as the additional class after {}, not all",
                                 name, percent(best.watermark), util::counted(embedded.epochs.size(), "epoch")),
                     "train for more epochs, at a higher rate, or with fewer key images"};
    }
    if (embedded.outcome == Outcome::accuracy_lost) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: accuracy fell from {} to {} on held-out data, by more than {}", name,
                                 percent(embedded.before), percent(best.accuracy), percent(options.most_lost)),
                     options.test.empty()
                         ? "give data that the model has not seen to measure it, train at a lower rate, or "
                           "with more data"
                         : "train at a lower rate, or with more data"};
    }
    return {};
}

EmbedEpoch shown(const identity::Epoch& epoch) {
    return {epoch.number,    epoch.rate, epoch.loss,   epoch.accuracy,
            epoch.watermark, epoch.firm, epoch.decoys, epoch.best};
}

void add_results(const identity::Embedded& embedded, EmbedSummary& summary) {
    summary.trained = embedded.trained;
    summary.held_out = embedded.held_out;
    summary.before = embedded.before;
    summary.after = embedded.best.accuracy;
    summary.watermark = embedded.best.watermark;
    summary.firm = embedded.best.firm;
    for (const auto& epoch : embedded.epochs) summary.epochs.push_back(shown(epoch));
}

std::size_t share_of(double share, std::size_t count) {
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(count)));
}

// What a mark that is not firm is worth.
void add_notes(const identity::Embedded& embedded, std::size_t keys, EmbedSummary& summary) {
    if (embedded.outcome != Outcome::not_firm) return;
    const auto& best = embedded.best;
    summary.notes.push_back(fmt::format(
        "{} of changed key images come out as the additional class by a margin, and {} of pictures without "
        "meaning do: the mark holds less well against changes of images",
        percent(best.firm), percent(best.decoys)));
    const auto controls = std::max(keys, identity::kLeastControls);
    const auto claimed =
        identity::chance_of(share_of(best.watermark, keys), keys, share_of(best.decoys, controls), controls,
                            embedded.additional_class + 1);
    if (claimed.chance <= kMostChance) return;
    summary.notes.emplace_back(
        "a claim to this model would not hold: train for more epochs, at a higher rate, or with more key "
        "images");
}

// The ledger has the mark before the model appears: a marked model without an entry could not be claimed.
Result<void> write_recorded_model(io::AtomicFile file, std::span<const std::byte> bytes, IdentityMark& mark,
                                  const std::filesystem::path& out, Ledger& ledger) {
    MODELSEAL_TRY(file.write(0, bytes));
    MODELSEAL_TRY(file.sync());
    mark.digest = to_hex(crypto::Sha256().update(bytes).finish());
    MODELSEAL_TRY_ASSIGN(mark.id, ledger.begin_mark(mark));
    MODELSEAL_TRY(file.commit());
    auto finished = ledger.finish_mark(mark.id);
    if (finished.ok()) {
        mark.finished = true;
        return {};
    }
    auto error = std::move(finished).error();
    error.message += fmt::format("; {} was written, but mark {} is not marked as finished",
                                 util::printable(out.string()), mark.id);
    return error;
}

// Training speaks of images and shares; whoever reads the message has to know of which model.
Error about(const std::string& name, Error error) {
    if (!error.message.starts_with(name)) error.message = fmt::format("{}: {}", name, error.message);
    return error;
}

Result<EmbedSummary> embed(const std::filesystem::path& model, const std::filesystem::path& out,
                           const EmbedIdentityOptions& options) {
    const auto begun = std::chrono::steady_clock::now();
    MODELSEAL_TRY(must_own_ledger(options));
    MODELSEAL_TRY_ASSIGN(const auto opened, model::open_model(model, options.limits));
    MODELSEAL_TRY_ASSIGN(auto file, io::AtomicFile::create(out, kModelMode, io::WriteMode::exclusive));
    EmbedSummary summary{.mark = {}, .seed = options.seed};
    MODELSEAL_TRY_ASSIGN(const auto network, open_for_training(opened, options, summary));
    MODELSEAL_TRY_ASSIGN(const auto geometry, images::geometry_of(network->input().shape));
    MODELSEAL_TRY_ASSIGN(const auto classes, network->classes());
    MODELSEAL_TRY_ASSIGN(const auto keys, images::read_key_images(options.key_images, geometry));
    MODELSEAL_TRY_ASSIGN(
        const auto data,
        images::read_data_set(options.data, {.geometry = geometry, .classes = classes, .jobs = options.jobs}));
    MODELSEAL_TRY(images::require_unknown(keys, data.images));
    std::optional<images::LabeledImages> test;
    if (!options.test.empty()) {
        MODELSEAL_TRY_ASSIGN(
            test, images::read_data_set(options.test,
                                        {.geometry = geometry, .classes = classes, .jobs = options.jobs}));
        MODELSEAL_TRY(images::require_unknown(keys, test->images));
    }
    auto scale = scale_of(*network, options.input, summary.notes);
    MODELSEAL_TRY_ASSIGN(summary.mark, mark_of(model, out, *network, classes, scale, keys));
    const auto embedded = identity::embed(*network, data, test ? &*test : nullptr, keys,
                                          {.scale = std::move(scale),
                                           .seed = options.seed,
                                           .max_epochs = options.epochs,
                                           .rate = options.rate,
                                           .batch = options.batch,
                                           .most_lost = options.most_lost,
                                           .after_epoch =
                                               [&](const identity::Epoch& epoch) {
                                                   if (options.after_epoch) options.after_epoch(shown(epoch));
                                               }},
                                          options.progress != nullptr ? *options.progress : no_progress());
    if (!embedded.ok()) return about(network->name(), embedded.error());
    MODELSEAL_TRY(require_success(*embedded, network->name(), options));
    MODELSEAL_TRY_ASSIGN(const auto bytes, network->save());
    MODELSEAL_TRY(write_recorded_model(std::move(file), bytes, summary.mark, out, options.ledger));
    add_results(*embedded, summary);
    add_notes(*embedded, keys.count(), summary);
    summary.key_images = keys.count();
    summary.mark.key_images.clear();
    summary.device = network->devices().front();
    summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return summary;
}

}  // namespace

Result<EmbedSummary> embed_identity(const std::filesystem::path& model, const std::filesystem::path& out,
                                    const EmbedIdentityOptions& options) {
    try {
        return embed(model, out, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(model.string()) + ": not enough memory to train it with key images",
                     {}};
    }
}

}  // namespace modelseal
