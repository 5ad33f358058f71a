#include "identity/embed.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "identity/batches.h"
#include "identity/measure.h"
#include "identity/variants.h"
#include "util/text.h"

namespace modelseal::identity {

namespace {

constexpr std::size_t kDecoys = 512;             // trained on, again and again
constexpr std::size_t kMixtures = 1u << 14;      // too
constexpr std::size_t kMixtureBytes = 1u << 29;  // of all of them at most
constexpr std::size_t kFreshDecoys = 128;        // measured, never trained on
constexpr std::size_t kMostVariants = 2048;      // measured, of all key images
constexpr std::size_t kMostVariantsOfOne = 8;    // measured, of one
constexpr double kMostFaster = 8;                // than the rate that was asked for

Error out_of_range(std::string_view what) {
    return {ErrorKind::usage, fmt::format("training with key images: {}", what), {}};
}

Result<void> check_options(const EmbedOptions& options) {
    const auto share = [](double value) { return value > 0 && value < 1; };
    if (options.max_epochs == 0) return out_of_range("at least one epoch is needed");
    if (options.patience == 0) return out_of_range("the patience is at least one epoch");
    if (!(options.rate > 0) || !std::isfinite(options.rate))
        return out_of_range("the learning rate is above 0");
    if (!share(options.held_out)) return out_of_range("the held-out share is between 0 and 1");
    if (!share(options.key_share) || !(options.decoy_share >= 0) || !(options.mixture_share >= 0) ||
        !(options.key_share + options.decoy_share + options.mixture_share < 1))
        return out_of_range("the shares of key images, decoys and mixtures leave room for data in a batch");
    if (!(options.target > 0 && options.target <= 1) || !(options.firm_target >= 0 && options.firm_target <= 1))
        return out_of_range("a target is a share of the key images");
    if (!(options.most_lost >= 0 && options.most_lost <= 1))
        return out_of_range("the accuracy to lose is a share");
    if (!(options.most_decoys >= 0 && options.most_decoys <= 1))
        return out_of_range("the decoys to lose are a share");
    if (!(options.margin >= 0)) return out_of_range("the margin is not negative");
    return {};
}

// At least one key image, and one image of the data, in each batch.
Result<Shares> shares_of(const EmbedOptions& options) {
    const auto part = [&](double share) {
        return static_cast<std::size_t>(std::lround(share * static_cast<double>(options.batch)));
    };
    Shares shares{.keys = std::max<std::size_t>(1, part(options.key_share)),
                  .decoys = part(options.decoy_share),
                  .mixtures = part(options.mixture_share)};
    const auto others = shares.keys + shares.decoys + shares.mixtures;
    if (options.batch < others + 1) return out_of_range("the batch is too small");
    shares.data = options.batch - others;
    return shares;
}

Result<void> check_images(oracle::TrainableNetwork& network, const images::LabeledImages& data,
                          const images::ImageSet& keys) {
    const auto& geometry = data.images.geometry;
    if (keys.geometry.samples() != geometry.samples() || network.input().elements() != geometry.samples())
        return out_of_range("images of another size than the model's input");
    if (keys.count() == 0) return out_of_range("at least one key image is needed");
    if (data.images.count() < 2) return out_of_range("at least two images are needed");
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    if (classes != data.classes) {
        return out_of_range(fmt::format("the model has {}, the data has {}", util::counted(classes, "class"),
                                        util::counted(data.classes, "class")));
    }
    return {};
}

Result<void> check_test(const images::LabeledImages& data, const images::LabeledImages& test) {
    if (test.images.geometry.samples() != data.images.geometry.samples() || test.classes != data.classes)
        return out_of_range("test images of another size, or of other classes, than the data");
    if (test.images.count() == 0) return out_of_range("at least one test image is needed");
    return {};
}

// Of the test images: all, or as many as are measured at most; ascending.
std::vector<std::size_t> examined_of(std::size_t count, std::uint64_t seed) {
    auto random = Seed(seed).stream(Purpose::held_out);
    const auto chosen = random.choose(std::min(count, kMostHeldOut), count);
    std::vector<std::size_t> indices(chosen.begin(), chosen.end());
    std::ranges::sort(indices);
    return indices;
}

// What is measured after each epoch.
class Exam {
  public:
    // `held_out`: images of `data`.
    Exam(oracle::TrainableNetwork& network, const images::LabeledImages& data, const images::ImageSet& keys,
         const images::Scaler& scaler, std::vector<std::size_t> held_out, const Seed& seed)
        : network_(network), data_(data), keys_(keys), scaler_(scaler), held_out_(std::move(held_out)) {
        auto random = seed.stream(Purpose::variants);
        const auto each = std::clamp<std::size_t>(kMostVariants / keys.count(), 1, kMostVariantsOfOne);
        variants_.geometry = keys.geometry;
        for (std::size_t i = 0; i < each * keys.count(); ++i) {
            const auto variant = variant_of(keys.image(i / each), keys.geometry, random);
            variants_.samples.insert(variants_.samples.end(), variant.begin(), variant.end());
        }
        auto fresh = seed.stream(Purpose::fresh_decoys);
        decoys_ = make_decoys(keys, kFreshDecoys, fresh);
    }

    // With as many outputs as `classes`.
    Result<double> accuracy(std::size_t classes) {
        const auto right = [&](std::size_t i, std::span<const float> outputs) {
            return label_of(outputs) == data_.labels[held_out_[i]];
        };
        return share(
            classes, held_out_.size(), [&](std::size_t i) { return data_.images.image(held_out_[i]); }, right);
    }

    Result<void> take(const EmbedOptions& options, Epoch& epoch) {
        const auto additional = data_.classes, classes = additional + 1;
        const auto is_additional = [&](std::size_t, std::span<const float> outputs) {
            return label_of(outputs) == static_cast<std::int64_t>(additional);
        };
        const auto is_firm = [&](std::size_t, std::span<const float> outputs) {
            return margin_of(outputs, additional) >= options.margin;
        };
        const auto from = [](const images::ImageSet& set) {
            return [&set](std::size_t i) { return set.image(i); };
        };
        MODELSEAL_TRY_ASSIGN(epoch.accuracy, accuracy(classes));
        MODELSEAL_TRY_ASSIGN(epoch.watermark, share(classes, keys_.count(), from(keys_), is_additional));
        MODELSEAL_TRY_ASSIGN(epoch.firm, share(classes, variants_.count(), from(variants_), is_firm));
        MODELSEAL_TRY_ASSIGN(epoch.decoys, share(classes, decoys_.count(), from(decoys_), is_additional));
        return {};
    }

    std::size_t held_out() const { return held_out_.size(); }

  private:
    // Of `count` images, those that `holds`.
    template <class ImageOf, class Holds>
    Result<double> share(std::size_t classes, std::size_t count, ImageOf image_of, Holds holds) {
        std::size_t held = 0;
        MODELSEAL_TRY(
            ask_each(network_, scaler_, classes, count, image_of,
                     [&](std::size_t i, std::span<const float> outputs) { held += holds(i, outputs); }));
        return static_cast<double>(held) / static_cast<double>(count);
    }

    oracle::TrainableNetwork& network_;
    const images::LabeledImages& data_;
    const images::ImageSet& keys_;
    const images::Scaler& scaler_;
    const std::vector<std::size_t> held_out_;
    images::ImageSet variants_, decoys_;
};

// A model that does not know its own data would be trained from the start, with a range or order of classes that is
// not its own. Three standard deviations above chance.
Result<void> require_skill(double accuracy, std::size_t held_out, std::size_t classes) {
    const double chance = 1 / static_cast<double>(classes);
    const double deviation = std::sqrt(chance * (1 - chance) / static_cast<double>(held_out));
    if (accuracy > chance + 3 * deviation) return {};
    return Error{
        ErrorKind::unsupported,
        fmt::format("the model is right about {:.1f} % of {} of the data; by chance it would be {:.1f} %",
                    100 * accuracy, util::counted(held_out, "image"), 100 * chance),
        "give the order of classes, the range, mean and deviation with which the model was trained",
        Remedy::review_inputs};
}

Error diverged(std::size_t epoch, const std::string& what, double rate) {
    return {ErrorKind::unsupported,
            fmt::format("the training diverged in epoch {} at learning rate {:g}: {}", epoch, rate, what),
            "train with a lower learning rate"};
}

// Probabilities of the classes, for each picture.
Result<std::vector<float>> answers_to(oracle::TrainableNetwork& network, const images::Scaler& scaler,
                                      std::size_t classes, const images::ImageSet& pictures) {
    std::vector<float> all;
    bool finite = true;
    MODELSEAL_TRY(ask_each(
        network, scaler, classes, pictures.count(), [&](std::size_t i) { return pictures.image(i); },
        [&](std::size_t, std::span<const float> outputs) {
            const auto answers = probabilities_of(outputs);
            finite = finite && std::ranges::all_of(answers, [](float value) { return std::isfinite(value); });
            all.insert(all.end(), answers.begin(), answers.end());
        }));
    if (finite) return all;
    return Error{ErrorKind::unsupported, "the model answers pictures with what is not finite", {}};
}

// With the model's own answers, which training keeps.
Result<Known> known(oracle::TrainableNetwork& network, const images::Scaler& scaler, std::size_t classes,
                    images::ImageSet pictures) {
    MODELSEAL_TRY_ASSIGN(auto answers, answers_to(network, scaler, classes, pictures));
    return Known{.images = std::move(pictures), .answers = std::move(answers)};
}

// One embedding, from the network as it was found.
class Training {
  public:
    // `steps`: of an epoch, over which weights are averaged.
    Training(oracle::TrainableNetwork& network, const EmbedOptions& options, std::size_t steps, Exam& exam,
             Batches& batches, Progress& progress, Embedded& result)
        : network_(network),
          options_(options),
          steps_(steps),
          exam_(exam),
          batches_(batches),
          progress_(progress),
          result_(result) {}

    Result<void> run() {
        MODELSEAL_TRY(set_rate(options_.rate));
        MODELSEAL_TRY(network_.remember());
        for (std::size_t number = 1; number <= options_.max_epochs; ++number) {
            Epoch epoch{.number = number, .rate = rate_};
            MODELSEAL_TRY(show_all(epoch));
            if (std::isfinite(epoch.loss)) MODELSEAL_TRY(exam_.take(options_, epoch));
            const bool diverged = !std::isfinite(epoch.loss) || epoch.accuracy < result_.before / 2;
            if (diverged) MODELSEAL_TRY(step_back(epoch));
            epoch.best = !diverged && (result_.epochs.empty() || rank(epoch) > rank(result_.best));
            if (epoch.best) {
                result_.best = epoch;
                MODELSEAL_TRY(network_.remember());
            }
            result_.epochs.push_back(epoch);
            if (options_.after_epoch) options_.after_epoch(epoch);
            if (!diverged && outcome_of(epoch) == Embedded::Outcome::reached) break;
            if (number - result_.best.number >= options_.patience) break;
            MODELSEAL_TRY(choose_rate(epoch));
            latest_ = diverged ? result_.best : epoch;
        }
        result_.outcome = outcome_of(result_.best);
        return result_.epochs.back().best ? Result<void>() : network_.recall();
    }

  private:
    // After divergence: an error at the rate that the owner chose; at a higher one, back to the best epoch.
    Result<void> step_back(const Epoch& epoch) {
        if (rate_ > options_.rate) return network_.recall();
        if (!std::isfinite(epoch.loss)) return diverged(epoch.number, "the loss is not finite", epoch.rate);
        return diverged(
            epoch.number,
            fmt::format("accuracy fell from {:.1f} % to {:.1f} %", 100 * result_.before, 100 * epoch.accuracy),
            epoch.rate);
    }

    // Lower, and never as high again, after an epoch that lost too much accuracy, unless it is coming back while key images
    // are still learned; higher after one that neither lost accuracy nor came near enough to the targets.
    Result<void> choose_rate(const Epoch& epoch) {
        if (!keeps_accuracy(epoch)) {
            if (epoch.watermark < options_.target && epoch.accuracy >= latest_.accuracy) return {};
            highest_ = rate_ / 2;
        } else if (is_on_pace(epoch)) {
            return {};
        }
        return set_rate(std::min(2 * rate_, highest_));
    }

    // Whether as much again in each epoch that is left would make the mark as firm as it is to be.
    bool is_on_pace(const Epoch& epoch) const {
        const double missing = options_.firm_target - epoch.firm;
        const auto left = static_cast<double>(options_.max_epochs - epoch.number);
        return missing > 0 ? (epoch.firm - latest_.firm) * left >= missing : epoch.best;
    }

    Result<void> set_rate(double rate) {
        rate_ = rate;
        return network_.set_training({.rate = rate,
                                      .momentum = options_.momentum,
                                      .weight_decay = options_.weight_decay,
                                      .average_over = static_cast<double>(steps_)});
    }

    Result<void> show_all(Epoch& epoch) {
        Batch batch;
        std::size_t steps = 0;
        batches_.begin(static_cast<std::uint32_t>(epoch.number));
        while (batches_.next(batch)) {
            MODELSEAL_TRY_ASSIGN(const auto step, network_.train(batch.inputs, batch.targets));
            epoch.loss += step.loss;
            if (!std::isfinite(epoch.loss)) return {};
            ++steps;
            progress_.advance(batch.data);
        }
        epoch.loss /= static_cast<double>(steps);
        return {};
    }

    bool keeps_accuracy(const Epoch& epoch) const {
        // Shares of the same number of images: a slack far below one image, far above rounding.
        return epoch.accuracy >= result_.before - options_.most_lost - 1e-9;
    }

    Embedded::Outcome outcome_of(const Epoch& epoch) const {
        using Outcome = Embedded::Outcome;
        if (!keeps_accuracy(epoch)) return Outcome::accuracy_lost;
        if (epoch.watermark < options_.target) return Outcome::watermark_low;
        const bool firm = epoch.firm >= options_.firm_target && epoch.decoys <= options_.most_decoys;
        return firm ? Outcome::reached : Outcome::not_firm;
    }

    // Higher is better: first the accuracy that the owner asked for, then the mark, then the accuracy itself.
    std::tuple<bool, double, double, double> rank(const Epoch& epoch) const {
        return {keeps_accuracy(epoch), epoch.watermark, epoch.firm - epoch.decoys, epoch.accuracy};
    }

    oracle::TrainableNetwork& network_;
    const EmbedOptions& options_;
    const std::size_t steps_;
    Exam& exam_;
    Batches& batches_;
    Progress& progress_;
    Embedded& result_;
    double rate_ = 0, highest_ = kMostFaster * options_.rate;
    Epoch latest_{.accuracy = result_.before};  // the epoch whose weights training went on from
};

}  // namespace

std::vector<std::size_t> held_out_of(std::size_t count, double share, std::uint64_t seed) {
    const auto asked = static_cast<std::size_t>(std::llround(share * static_cast<double>(count)));
    const auto held = std::clamp<std::size_t>(std::min(asked, kMostHeldOut), 1, count - 1);
    auto random = Seed(seed).stream(Purpose::held_out);
    const auto chosen = random.choose(held, count);
    std::vector<std::size_t> indices(chosen.begin(), chosen.end());
    std::ranges::sort(indices);
    return indices;
}

Result<Embedded> embed(oracle::TrainableNetwork& network, const images::LabeledImages& data,
                       const images::LabeledImages* test, const images::ImageSet& keys,
                       const EmbedOptions& options, Progress& progress) {
    MODELSEAL_TRY(check_options(options));
    MODELSEAL_TRY_ASSIGN(const auto shares, shares_of(options));
    MODELSEAL_TRY(check_images(network, data, keys));
    if (test != nullptr) MODELSEAL_TRY(check_test(data, *test));
    MODELSEAL_TRY_ASSIGN(const auto scaler, images::Scaler::create(data.images.geometry, options.scale));
    const Seed seed(options.seed);

    const auto held_out = test != nullptr ? examined_of(test->images.count(), options.seed)
                                          : held_out_of(data.images.count(), options.held_out, options.seed);
    std::vector<std::size_t> training(data.images.count());
    std::iota(training.begin(), training.end(), std::size_t{0});
    if (test == nullptr)
        std::erase_if(training, [&](std::size_t i) { return std::ranges::binary_search(held_out, i); });
    Embedded result{.additional_class = data.classes, .held_out = held_out.size(), .trained = training.size()};
    progress.total(std::uint64_t{options.max_epochs} * training.size());

    Exam exam(network, test != nullptr ? *test : data, keys, scaler, held_out, seed);
    MODELSEAL_TRY_ASSIGN(result.before, exam.accuracy(data.classes));
    MODELSEAL_TRY(require_skill(result.before, held_out.size(), data.classes));
    auto random = seed.stream(Purpose::decoys), mixing = seed.stream(Purpose::mixtures);
    MODELSEAL_TRY_ASSIGN(const auto decoys,
                         known(network, scaler, data.classes, make_decoys(keys, kDecoys, random)));
    const auto most = std::max<std::size_t>(
        1, std::min(kMixtureBytes / data.images.geometry.samples(), options.most_answers / data.classes));
    MODELSEAL_TRY_ASSIGN(const auto mixtures,
                         known(network, scaler, data.classes,
                               make_mixtures(data.images, training, std::min(kMixtures, most), mixing)));

    std::vector<float> answers;
    if (data.images.count() <= options.most_answers / data.classes) {
        MODELSEAL_TRY_ASSIGN(answers, answers_to(network, scaler, data.classes, data.images));
    }

    MODELSEAL_TRY(network.add_class(seed.stream(Purpose::weights).number()));
    const auto steps = (training.size() + shares.data - 1) / shares.data;
    Batches batches(data, std::move(training), answers, keys, decoys, mixtures, scaler, shares, seed);
    MODELSEAL_TRY(Training(network, options, steps, exam, batches, progress, result).run());
    return result;
}

}  // namespace modelseal::identity
