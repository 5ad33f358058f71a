#include <algorithm>
#include <bit>
#include <chrono>
#include <new>

#include <fmt/format.h>

#include "baseline/baseline.h"
#include "blackbox/answering.h"
#include "blackbox/container/container.h"
#include "blackbox/method.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "formats/bytes.h"
#include "images/key_images.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "io/threads.h"
#include "jobs/intact_root.h"
#include "jobs/recorded.h"
#include "model/model.h"
#include "oracle/endpoint.h"
#include "oracle/network.h"
#include "oracle/served_network.h"
#include "util/text.h"
#include <modelseal/fingerprint.h>
#include <modelseal/progress.h>

namespace modelseal {
namespace {

constexpr std::size_t kPreviewed = 12;
constexpr std::uint64_t kMostSeeds = 256u << 20;  // bytes of pictures
constexpr unsigned kMostQueries = 10'000;
constexpr unsigned kMostWidth = 1024, kMostSteps = 100'000;  // of a generator

// The root that the fingerprint is bound to.
struct Binding {
    std::string root;
    bool sealed = false;
};

Result<std::string> digest_of(const Source& source) {
    crypto::Sha256 hash;
    std::vector<std::byte> block(1u << 20);
    for (std::uint64_t at = 0; at < source.size(); at += block.size()) {
        block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), source.size() - at)));
        MODELSEAL_TRY(source.read(at, block));
        hash.update(block);
    }
    return to_hex(hash.finish());
}

// To its seal; a model that carries none, to the file that was named.
Result<Binding> bind(const model::Model& model, const FingerprintOptions& options) {
    const CheckKey keys[] = {options.check, public_check_key(options.key.public_key())};
    MODELSEAL_TRY_ASSIGN(auto root, jobs::intact_root(model, keys, options.jobs));
    if (root) return Binding{std::move(*root), true};
    MODELSEAL_TRY_ASSIGN(auto digest, digest_of(*model.files.front().source));
    MODELSEAL_TRY(model.unchanged());
    return Binding{std::move(digest), false};
}

std::string comma(const std::vector<std::int64_t>& shape) {
    return fmt::format("{}", fmt::join(shape, ","));
}

// Per-channel values fit the shape.
Result<void> check_scaling(const std::vector<float>& values, const oracle::InputShape& shape,
                           const char* flag) {
    const auto channels = shape.shape.empty() ? 0 : static_cast<std::size_t>(shape.shape.front());
    if (values.empty() || values.size() == 1 || values.size() == channels) return {};
    return Error{ErrorKind::usage,
                 fmt::format("{}: {} given, but an input of shape {} has {}", flag,
                             util::counted(values.size(), "value"), comma(shape.shape),
                             util::counted(channels, "channel")),
                 {}};
}

Result<blackbox::Input> input_of(const oracle::Network& network, const InputOptions& options,
                                 std::vector<std::string>& notes) {
    blackbox::Input input{.shape = network.input(), .mean = options.mean, .std = options.std};
    MODELSEAL_TRY(check_scaling(input.mean, input.shape, "mean"));
    MODELSEAL_TRY(check_scaling(input.std, input.shape, "std"));
    const auto range = options.range ? options.range : input.shape.range;
    if (range) {
        std::tie(input.low, input.high) = std::pair((*range)[0], (*range)[1]);
    } else {
        notes.emplace_back("the model does not state the range of its inputs: 0 to 1 is assumed");
    }
    const auto& shape = input.shape.shape;
    const bool picture = shape.size() == 3 && (shape[0] == 1 || shape[0] == 3);
    if (!picture && input.shape.parts.empty()) {
        notes.push_back(fmt::format("inputs of shape {} are not images: the preview shows them as gray values",
                                    comma(input.shape.shape)));
    }
    return input;
}

Result<void> check_options(const FingerprintOptions& options) {
    const bool pairs = options.method == FingerprintMethod::pairs;
    if (const auto count = pairs ? options.pairs : options.triggers; count < 1 || count > kMostQueries) {
        return Error{ErrorKind::usage,
                     fmt::format("{} requested; 1 to {} are possible",
                                 util::counted(count, pairs ? "pair" : "trigger"), kMostQueries),
                     {}};
    }
    if (options.generator.width > kMostWidth || options.generator.steps > kMostSteps) {
        return Error{ErrorKind::usage,
                     fmt::format("a generator of width {} and {} requested; widths up to {}, and up to {} are "
                                 "possible",
                                 options.generator.width, util::counted(options.generator.steps, "step"),
                                 kMostWidth, util::counted(kMostSteps, "step")),
                     {}};
    }
    const bool single = options.schedule == Schedule::dbi || options.schedule == Schedule::aid;
    if (pairs ? single : options.schedule == Schedule::paper) {
        return Error{ErrorKind::usage,
                     fmt::format("the schedule '{}' is not one of {}", name_of(options.schedule),
                                 pairs ? "pairs" : "triggers"),
                     {}};
    }
    if (single && options.grid != Grid::none) {
        return Error{ErrorKind::usage, "the published schedules do not support a grid", {}};
    }
    if (!(options.check.vendor == options.key.public_key())) {
        return Error{ErrorKind::usage, "the check key is bound to another vendor's key", {}};
    }
    MODELSEAL_TRY(must_serve(options.check.vendor, KeyUse::seals, "the vendor's key"));
    const auto& range = options.input.range;
    if (range && !((*range)[0] < (*range)[1])) {
        return Error{
            ErrorKind::usage, fmt::format("the input range {} to {} is empty", (*range)[0], (*range)[1]), {}};
    }
    if (!options.input.parts.empty() && (options.method != FingerprintMethod::pairs ||
                                         options.grid != Grid::none || options.schedule != Schedule::keyed)) {
        return Error{
            ErrorKind::usage, "of a network of several inputs only keyed pairs without a grid can be made", {}};
    }
    if (options.seeds && (!pairs || options.schedule != Schedule::keyed || !options.input.parts.empty())) {
        return Error{
            ErrorKind::usage, "only keyed pairs of a network of one input are searched from pictures", {}};
    }
    if (options.grid == Grid::u8 && options.schedule == Schedule::paper) {
        return Error{ErrorKind::usage, "the published schedule does not support a grid", {}};
    }
    return {};
}

// As Plan has them.
Result<std::vector<std::uint8_t>> read_seeds(const std::filesystem::path& folder,
                                             const oracle::InputShape& shape, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(const auto geometry, images::geometry_of(shape.shape));
    MODELSEAL_TRY_ASSIGN(const auto pictures, images::read_key_images(folder, geometry, kMostSeeds, jobs));
    if (pictures.count() < 2) {
        return Error{ErrorKind::unsupported,
                     util::printable(folder.string()) + ": one picture; paths lead from one to another",
                     "give at least two, of different things"};
    }
    MODELSEAL_TRY_ASSIGN(const auto scaler, images::Scaler::create(geometry, {.low = 0, .high = 255}));
    std::vector<std::uint8_t> seeds;
    std::vector<float> one;
    for (std::size_t i = 0; i < pictures.count(); ++i) {
        one.clear();
        scaler.append(pictures.image(i), one);
        for (const float value : one) seeds.push_back(static_cast<std::uint8_t>(value));
    }
    return seeds;
}

// The hint if a network cannot run: a wrong shape may be detected as late as in its last node.
Error hinted(Error error, const FingerprintOptions& options) {
    if (!error.hint.empty()) return error;
    if (!options.input.shape.empty()) {
        error.hint = fmt::format("check that it takes inputs of shape {}", comma(options.input.shape));
    } else if (error.kind == ErrorKind::unsupported) {
        error.hint =
            options.method == FingerprintMethod::pairs
                ? "a fingerprint needs a network whose outputs are real numbers that follow from its inputs"
                : "triggers are for a classifier: one input, and a number for each class";
    }
    return error;
}

Result<std::unique_ptr<oracle::Network>> open(const model::Model& model, const FingerprintOptions& options,
                                              bool sealed) {
    auto network =
        oracle::open_network(model, {.device = options.device,
                                     .threads = options.jobs,
                                     .input_name = options.input.name,
                                     .input_shape = options.input.shape,
                                     .input_parts = options.input.parts,
                                     .vouched = sealed ? oracle::Vouched::seal : oracle::Vouched::nobody});
    if (!network) return network.error();  // about the file; it has not seen an input yet
    // Its bytes are in the worker now: the bound bytes run.
    MODELSEAL_TRY(model.unchanged());
    return network;
}

Result<void> write_recorded(const std::filesystem::path& model, const std::filesystem::path& out,
                            const blackbox::Encoded& made, const Binding& binding,
                            const FingerprintOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto file, io::AtomicFile::create(out, 0600, io::WriteMode::replace));
    MODELSEAL_TRY(file.write(0, made.bytes));
    LedgerEntry entry{.kind = LedgerEntry::Kind::fingerprint,
                      .customer = options.check.customer,
                      .root = binding.root,
                      .fingerprint = made.id};
    return jobs::commit_recorded(options.ledger, std::move(entry), model, out, [&] { return file.commit(); });
}

// Queries are new each time, or follow from the seed.
std::array<std::byte, 32> salt_of(const FingerprintOptions& options) {
    std::array<std::byte, 32> salt;
    if (!options.seed) {
        crypto::random_bytes(salt);
        return salt;
    }
    constexpr std::string_view kPurpose = "modelseal/1 fingerprint seed";
    const auto digest = crypto::Sha256()
                            .update(std::as_bytes(std::span(kPurpose)))
                            .update(formats::ByteWriter().number(*options.seed).take())
                            .finish();
    std::ranges::copy(digest, salt.begin());
    return salt;
}

Result<blackbox::Made> make(oracle::Network& network, const blackbox::Plan& plan,
                            const FingerprintOptions& options, std::span<const std::byte, 32> salt) {
    auto& progress = options.progress ? *options.progress : no_progress();
    const auto& secret = options.check.secret;
    switch (options.schedule) {
        case Schedule::paper:
            return baseline::make_pairs(network, plan, secret, salt, progress);
        case Schedule::dbi:
        case Schedule::aid:
            return baseline::make_single_samples(network, plan, options.schedule, secret, salt, progress);
        case Schedule::keyed:
            break;
    }
    return blackbox::method_of(options.method).make(network, plan, secret, salt, progress);
}

// What a fingerprint is made of, and bound to.
struct Subject {
    std::unique_ptr<oracle::Network> network;
    std::optional<model::Model> files;  // none: it is served
    Binding binding;                    // of files
    std::string name;                   // for people
};

Result<Subject> open_file(const std::filesystem::path& path, const FingerprintOptions& options,
                          std::vector<std::string>& notes) {
    Subject subject{.network = nullptr, .files = {}, .binding = {}, .name = path.filename().string()};
    MODELSEAL_TRY_ASSIGN(subject.files, model::open_model(path, options.limits));
    MODELSEAL_TRY_ASSIGN(subject.binding, bind(*subject.files, options));
    if (!subject.binding.sealed) {
        notes.push_back(
            fmt::format("{} has no seal of this key: the fingerprint is bound to the digest of the file",
                        util::printable(path.string())));
    }
    MODELSEAL_TRY_ASSIGN(subject.network, open(*subject.files, options, subject.binding.sealed));
    std::ranges::copy(subject.network->warnings(), std::back_inserter(notes));
    return subject;
}

Result<Subject> connect_to(const std::string& address, const FingerprintOptions& options,
                           std::vector<std::string>& notes) {
    MODELSEAL_TRY(oracle::check_target(address));
    if (options.method != FingerprintMethod::pairs || options.schedule != Schedule::keyed ||
        !options.input.parts.empty() || options.access == Access::label || options.grid != Grid::none) {
        return Error{ErrorKind::usage,
                     "of a served model only keyed pairs for output values, without a grid, can be made",
                     "give the model's file for anything else"};
    }
    const oracle::InputShape expected{options.input.name.value_or(""), options.input.shape,
                                      options.input.range};
    MODELSEAL_TRY_ASSIGN(auto served, oracle::connect(address, options.endpoint, expected));
    if (served->input().shape.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: does not state the shape of its input", served->name()),
                     "give the shape of the input", Remedy::give_input_shape};
    }
    notes.push_back(fmt::format("{}: taken for what it should be; the fingerprint is bound to its answers",
                                served->name()));
    auto network = oracle::served_network(std::move(served));
    return Subject{.network = std::move(network), .files = {}, .binding = {}, .name = address};
}

// To the answers on record.
std::string digest_of_answers(const blackbox::Fingerprint& print) {
    crypto::Sha256 hash;
    formats::ByteWriter writer;
    for (const auto& rung : print.pairs().rungs) {
        for (const auto& pair : rung.pairs) {
            for (const auto& member : pair.member) writer.number(std::bit_cast<std::uint64_t>(member.margin));
        }
    }
    return to_hex(hash.update(std::move(writer).take()).finish());
}

Result<FingerprintSummary> run(const std::filesystem::path& model, const std::filesystem::path& out,
                               const FingerprintOptions& options) {
    const auto begun = std::chrono::steady_clock::now();
    MODELSEAL_TRY(check_options(options));
    MODELSEAL_TRY_ASSIGN(const auto created, io::build_time());
    MODELSEAL_TRY(jobs::allow(options.ledger, options.key, options.check));
    FingerprintSummary summary;
    MODELSEAL_TRY_ASSIGN(auto subject, oracle::is_endpoint(model.string())
                                           ? connect_to(model.string(), options, summary.notes)
                                           : open_file(model, options, summary.notes));
    auto& network = *subject.network;
    MODELSEAL_TRY_ASSIGN(auto input, input_of(network, options.input, summary.notes));
    const auto threads = options.jobs == 0 ? io::default_jobs() : options.jobs;
    const auto salt = salt_of(options);
    const bool pairs = options.method == FingerprintMethod::pairs;
    std::vector<std::uint8_t> seeds;
    if (options.seeds) {
        MODELSEAL_TRY_ASSIGN(seeds, read_seeds(*options.seeds, network.input(), options.jobs));
    }
    bool alone = false;
    if (subject.files) {
        if (const auto repeats = blackbox::must_repeat_itself(network, input); !repeats)
            return hinted(repeats.error(), options);
        const auto found = blackbox::must_be_asked_alone(network, input);
        if (!found) return hinted(found.error(), options);
        alone = *found;
    }
    if (alone) {
        summary.notes.emplace_back(
            "what the network answers to an input depends on the others of its batch, so inputs are asked one "
            "at a time; a "
            "service must not join requests");
    }
    const blackbox::Plan plan{.count = pairs ? options.pairs : options.triggers,
                              .access = options.access,
                              .grid = options.grid,
                              .input = std::move(input),
                              .threads = threads,
                              .alone = alone,
                              .seeds = std::move(seeds),
                              .generator = options.generator};
    auto made = make(network, plan, options, salt);
    if (!made) return subject.files ? hinted(made.error(), options) : made.error();
    if (subject.files) {
        MODELSEAL_TRY(subject.files->unchanged());
    } else {
        subject.binding.root = digest_of_answers(made->fingerprint);
    }
    auto& print = made->fingerprint;
    print.root = subject.binding.root;
    print.sealed = subject.binding.sealed;
    print.customer = options.check.customer;
    print.model = util::printable(subject.name);
    print.created = created;
    print.expires = options.expires;
    print.runtime = network.runtime();
    if (!out.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto file, blackbox::encode(print, options.key, options.check));
        MODELSEAL_TRY(write_recorded(model, out, file, subject.binding, options));
        summary.id = file.id;
    }
    if (options.preview) {
        const auto png = blackbox::method_of(print).preview_sheet(print, kPreviewed);
        const std::string_view text(reinterpret_cast<const char*>(png.data()), png.size());
        MODELSEAL_TRY(io::write_text(*options.preview, text, 0600, io::WriteMode::replace));
    }
    summary.root = subject.binding.root;
    summary.sealed = subject.binding.sealed;
    summary.classes = print.classes;
    summary.method = print.method();
    blackbox::method_of(print).describe(print, summary);
    summary.runtimes = std::move(made->runtimes);
    summary.evaluations = made->evaluations;
    summary.device = network.devices().front();
    std::ranges::move(made->notes, std::back_inserter(summary.notes));
    summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return summary;
}

}  // namespace

Result<FingerprintSummary> fingerprint_model(const std::filesystem::path& model,
                                             const std::filesystem::path& out,
                                             const FingerprintOptions& options) {
    try {
        return run(model, out, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(model.string()) + ": not enough memory to make a fingerprint",
                     {}};
    }
}

}  // namespace modelseal
