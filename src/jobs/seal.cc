#include <algorithm>

#include <fmt/format.h>

#include "baseline/baseline.h"
#include "hash/cards.h"
#include "io/rfc3339.h"
#include "jobs/receipt.h"
#include "jobs/recorded.h"
#include "mark/checking/evidence.h"
#include "mark/checking/locate.h"
#include "mark/sealing/embed.h"
#include "model/bystanders.h"
#include "model/elements.h"
#include "model/output.h"
#include "util/text.h"
#include <modelseal/progress.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;

Result<mark::Stamp> complete_stamp(const fs::path& model, const SealOptions& options) {
    auto stamp = options.stamp;
    MODELSEAL_TRY_ASSIGN(const auto time, io::build_time());
    const auto add = [&](const char* name, const std::string& value) {
        const bool given = std::ranges::any_of(stamp, [&](const auto& entry) { return entry.first == name; });
        if (!given && !value.empty()) stamp.emplace_back(name, value);
    };
    auto path = model.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    add("name", util::printable(path.stem().string()));
    add("customer", options.check.customer);
    add("time", time);
    return stamp;
}

// A seal of pointers would hold in a clone without the weights, and not in one with them.
Result<void> refuse_placeholders(const model::Model& model) {
    for (const auto& file : model.files) MODELSEAL_TRY(model::refuse_placeholder(*file.source));
    return {};
}

// `path` is `folder`, or below it.
bool lies_in(const fs::path& path, const fs::path& folder) {
    std::error_code ignored;
    const auto place = [&](const fs::path& of) {
        return fs::weakly_canonical(fs::absolute(of, ignored), ignored);
    };
    const auto relative = place(path).lexically_relative(place(folder));
    return !relative.empty() && *relative.begin() != "..";
}

// A receipt never replaces its model; and it is a secret, which would ship with a folder that it lies in.
Result<void> refuse_receipt_in_model(const model::Model& model, const fs::path& out,
                                     const SealOptions& options) {
    if (!options.receipt) return {};
    if (model.folder && (lies_in(*options.receipt, model.path) || lies_in(*options.receipt, out))) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: the receipt would lie in the model, and be passed on with it",
                                 util::printable(options.receipt->string())),
                     "keep the receipt outside of the model, where no customer gets it"};
    }
    bool taken = fs::weakly_canonical(*options.receipt) == fs::weakly_canonical(out);
    for (const auto& file : model.files) {
        const auto* source = dynamic_cast<const io::FileSource*>(file.source.get());
        taken = taken || (source != nullptr && source->same_file(*options.receipt));
    }
    if (!taken) return {};
    return Error{
        ErrorKind::usage,
        fmt::format("{}: the receipt needs a path of its own", util::printable(options.receipt->string())),
        {}};
}

// Without a customer the own check key is everybody's: what is searched for takes one search then.
std::vector<const CheckKey*> different(const CheckKey& own, const CheckKey& everyone) {
    if (std::ranges::equal(own.secret.bytes(), everyone.secret.bytes())) return {&everyone};
    return {&own, &everyone};
}

Result<void> refuse_sealed(const model::Model& model, const SealOptions& options) {
    if (options.reseal) return {};
    const auto everyone = public_check_key(options.key.public_key());
    for (const auto* key : different(options.check, everyone)) {
        MODELSEAL_TRY_ASSIGN(const auto found, mark::find_seal(model, key->secret.bytes()));
        if (!found) continue;
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: already has a seal under this key", util::printable(model.path.string())),
                     "seal the original, or allow a new seal over the old one", Remedy::reseal};
    }
    return {};
}

// Root of the parent's seal, which must hold.
Result<std::optional<crypto::Digest>> parent_root(const SealOptions& options) {
    if (!options.parent) return std::optional<crypto::Digest>();
    MODELSEAL_TRY_ASSIGN(const auto parent, model::open_model(*options.parent, options.limits));
    MODELSEAL_TRY_ASSIGN(const auto hasher, hash::hasher_on(options.device, parent.bytes()));
    const auto everyone = public_check_key(options.parent_vendor.value_or(options.key.public_key()));
    for (const auto* key : different(options.check, everyone)) {
        if (options.parent_vendor && key != &everyone) continue;
        MODELSEAL_TRY_ASSIGN(const auto evidence,
                             mark::gather(parent, *key, {options.jobs, hasher.get()}, no_progress()));
        if (evidence && evidence->intact()) return std::optional(mark::root(*evidence->recovered.manifest));
    }
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: no intact seal under this key found to derive from",
                             util::printable(options.parent->string())),
                 {}};
}

Result<void> must_check_intact(const model::Model& model, const model::ModelOutput& output, const CheckKey& key,
                               const mark::WeightScan& scanned, unsigned jobs) {
    const auto copy = output.as_model();
    MODELSEAL_TRY_ASSIGN(const auto evidence, mark::gather_written(copy, key, scanned, jobs));
    if (evidence && evidence->intact()) return {};
    return Error{ErrorKind::internal,
                 fmt::format("{}: the sealed copy was not intact when checked, and was deleted",
                             util::printable(model.path.string())),
                 "try again when no program writes to the file"};
}

// A sealed copy that has not appeared under its name yet.
struct SealedCopy {
    model::ModelOutput output;
    std::optional<io::AtomicFile> receipt;
    SealSummary summary;  // what the scheme knows: cells, touched, root, stamp, cell_head
};

Result<std::optional<io::AtomicFile>> write_receipt(const SealOptions& options, const mark::SealPlan& plan,
                                                    mark::Embedded& embedded) {
    std::optional<io::AtomicFile> file;
    if (!options.receipt) return file;
    MODELSEAL_TRY_ASSIGN(const auto bytes,
                         jobs::encode({Scheme::modelseal, options.check, mark::root(embedded.manifest),
                                       plan.signed_part.density, std::move(embedded.overwritten)},
                                      options.key));
    MODELSEAL_TRY_ASSIGN(file, io::AtomicFile::create(*options.receipt, 0600, io::WriteMode::replace));
    MODELSEAL_TRY(file->write(0, bytes));
    return file;
}

Result<SealedCopy> seal_copy(const model::Model& model, const fs::path& out, mark::Stamp stamp,
                             const SealOptions& options, Progress& progress) {
    mark::SealRequest request{.stamp = std::move(stamp), .vendor = mark::vendor_hash(options.key.public_key())};
    MODELSEAL_TRY_ASSIGN(request.parent, parent_root(options));
    const auto audience = options.check.customer.empty() ? mark::Audience::everybody : mark::Audience::customer;
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(const auto hasher, hash::hasher_on(options.device, model.bytes()));
    MODELSEAL_TRY_ASSIGN(const auto plan,
                         mark::plan_seal(model, options.check.secret.bytes(), request, audience, options.jobs));
    MODELSEAL_TRY_ASSIGN(auto output, model::ModelOutput::reserve(model, out));
    // Weights are written as they are read and hashed, so that the copy has the bytes that were hashed.
    const mark::Witness copy = [&](const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                                   std::span<const std::byte> bytes) -> Result<void> {
        if (!model::in_one_piece(tensor)) return {};
        return output.write_elements(tensor, first, count, bytes);
    };
    const mark::Pass pass{
        .jobs = options.jobs, .hasher = hasher.get(), .witness = &copy, .digests_of_cells = true};
    MODELSEAL_TRY_ASSIGN(const auto scan,
                         mark::scan_weights(model, *plan.block_map, plan.cells, pass, progress));
    MODELSEAL_TRY(output.copy_rest(options.jobs));
    MODELSEAL_TRY_ASSIGN(const auto frame, mark::scan_frame(model, options.jobs, progress));
    MODELSEAL_TRY_ASSIGN(auto embedded,
                         mark::embed(model, plan, scan, frame, options.key, options.jobs, output));
    MODELSEAL_TRY(model.unchanged());
    MODELSEAL_TRY(must_check_intact(model, output, options.check, scan, options.jobs));

    SealSummary summary{.cells = embedded.overwritten.size(),
                        .touched = embedded.touched,
                        .root = to_hex(mark::root(embedded.manifest)),
                        .stamp = embedded.manifest.signed_part.stamp,
                        .cell_head = mark::head_bytes(embedded.head)};
    if (hasher && !hasher->trouble().empty()) summary.warnings.push_back(hasher->trouble());
    MODELSEAL_TRY_ASSIGN(auto receipt, write_receipt(options, plan, embedded));
    return SealedCopy{std::move(output), std::move(receipt), std::move(summary)};
}

Result<SealedCopy> mark_copy(const model::Model& model, const fs::path& out, mark::Stamp stamp,
                             const SealOptions& options, Progress& progress) {
    MODELSEAL_TRY_ASSIGN(auto marked, baseline::seal(model, out, stamp, options, progress));
    return SealedCopy{std::move(marked.output),
                      std::nullopt,
                      {.cells = marked.layers, .touched = marked.touched, .stamp = stamp}};
}

// What the scheme does not matter for.
void describe(const model::Model& model, SealSummary& summary) {
    summary.format = model.format;
    summary.files = model.files.size();
    summary.bytes = model.bytes();
    summary.tensors = model.tensors.size();
    for (const auto& tensor : model.tensors) summary.elements += tensor.elements;
    for (const auto& [path, what] : model.left_out) summary.left_out.emplace_back(path, what);
    std::ranges::copy(model.warnings, std::back_inserter(summary.warnings));
    std::vector<std::string> names;
    for (const auto& file : model.files) names.push_back(file.path);
    if (auto warning = model::leftover_warning(names)) summary.warnings.push_back(std::move(*warning));
}

}  // namespace

Result<SealSummary> seal_model(const fs::path& path, const fs::path& out, const SealOptions& options) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    if (options.check.vendor != options.key.public_key()) {
        return Error{ErrorKind::mismatch, "the check key is bound to another vendor's key", {}};
    }
    MODELSEAL_TRY(must_serve(options.key.public_key(), KeyUse::seals, "the vendor's key"));
    MODELSEAL_TRY(jobs::allow(options.ledger, options.key, options.check));
    MODELSEAL_TRY_ASSIGN(auto stamp, complete_stamp(path, options));
    MODELSEAL_TRY(mark::encode_stamp(stamp));
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(path, options.limits));
    MODELSEAL_TRY(refuse_placeholders(model));
    MODELSEAL_TRY(refuse_receipt_in_model(model, out, options));
    MODELSEAL_TRY(refuse_sealed(model, options));

    const auto make = options.scheme == Scheme::deepisign ? mark_copy : seal_copy;
    MODELSEAL_TRY_ASSIGN(auto sealed, make(model, out, std::move(stamp), options, progress));
    describe(model, sealed.summary);

    LedgerEntry entry{.customer = options.check.customer,
                      .root = sealed.summary.root,
                      .stamp = sealed.summary.stamp,
                      .cell_head = sealed.summary.cell_head};
    const auto commit = [&]() -> Result<void> {
        MODELSEAL_TRY(sealed.output.commit());
        return sealed.receipt ? sealed.receipt->commit() : Result<void>();
    };
    MODELSEAL_TRY(jobs::commit_recorded(options.ledger, std::move(entry), path, out, commit));
    return std::move(sealed.summary);
}

}  // namespace modelseal
