#include "oms/sign.h"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "crypto/keys/pem.h"
#include "crypto/x509/certificates.h"
#include "io/alongside.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "io/threads.h"
#include "model/bystanders.h"
#include "oms/authenticate.h"
#include "oms/bundle.h"
#include "oms/digests.h"
#include "oms/statement.h"
#include "oms/tensors.h"
#include "oms/tree.h"
#include "util/text.h"
#include <modelseal/oms.h>
#include <modelseal/signer.h>

namespace modelseal {
namespace {

using crypto::Certificate;

// The certificates that go into the bundle, leaf first; none for a bare key.
Result<std::vector<Certificate>> certificates_of(const SignOptions& options) {
    if (options.certificate.empty()) {
        if (options.chain.empty()) return std::vector<Certificate>{};
        return Error{ErrorKind::usage, "a certificate chain was given without a certificate",
                     "give the signer's certificate", Remedy::give_certificate};
    }
    const auto shown = util::printable(options.certificate);
    MODELSEAL_TRY_ASSIGN(auto all, Certificate::load(options.certificate));
    MODELSEAL_TRY_ASSIGN(const auto open, all.front().key(shown));
    if (open != options.key.public_key()) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: the certificate is for key {}, not for {}", shown, to_hex(open.id()),
                                 to_hex(options.key.public_key().id())),
                     {}};
    }
    MODELSEAL_TRY(crypto::may_sign(all.front(), std::time(nullptr), shown));
    for (const auto& file : options.chain) {
        MODELSEAL_TRY_ASSIGN(const auto more, Certificate::load(file));
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

oms::IgnoreRules ignore_rules(const std::filesystem::path& path, const SignOptions& options) {
    oms::IgnoreRules rules;
    if (options.ignore_git_paths) rules.add_git();
    auto paths = options.ignore;
    paths.push_back(options.signature);
    for (const auto& each : paths) {
        if (const auto relative = oms::relative_to(path, each)) rules.add(*relative);
    }
    return rules;
}

// The names of all files to sign. Refuses files that no signature would cover, instead of omitting them.
Result<std::vector<std::string>> names_in(const oms::Tree& tree, const oms::IgnoreRules& rules,
                                          const SignOptions& options, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto entries, tree.list(rules));
    std::vector<std::string> names;
    for (const auto& entry : entries) {
        const auto wrong = oms::complaint(entry, options.allow_symlinks);
        if (!wrong.empty()) {
            const bool link = entry.kind == oms::Tree::Entry::Kind::link;
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: '{}': {}", shown, util::printable(entry.name), wrong),
                         link ? "allow links, so that the files that they lead to are signed"
                              : "take the file out of the model, or leave it out of the signature",
                         link ? Remedy::follow_links : Remedy::ignore_file};
        }
        names.push_back(entry.name);
    }
    if (options.component_order) std::ranges::sort(names, oms::component_less);
    return names;
}

// Files of an earlier signature whose entries may be taken as they are.
class Kept {
  public:
    explicit Kept(const oms::Reuse* reuse) : reuse_(reuse) {
        if (reuse == nullptr) return;
        for (const auto& resource : reuse->before->resources) entries_[resource.name].push_back(resource);
        // The one file of a model that is a file goes by two names.
        if (entries_.size() == 1) whole_ = &entries_.begin()->second;
        for (auto& [name, entries] : entries_) std::ranges::sort(entries, {}, &oms::Resource::begin);
    }

    // Nothing unless the file is as it was.
    Result<std::vector<oms::Resource>> entries_of(const oms::Tree& tree, const std::string& name,
                                                  const io::FileSource& source) const {
        std::vector<oms::Resource> none;
        const auto found = entries_.find(name);
        const auto* entries = found != entries_.end() ? &found->second : tree.single() ? whole_ : nullptr;
        if (reuse_ == nullptr || entries == nullptr) return none;
        const bool sharded = reuse_->before->shard_size.has_value();
        if (sharded && entries->back().end != source.size()) return none;
        MODELSEAL_TRY_ASSIGN(const bool same, reuse_->files->unchanged(name, source));
        if (!same) return none;
        auto out = *entries;
        for (auto& entry : out) entry.name = name;
        return out;
    }

  private:
    const oms::Reuse* reuse_;
    std::map<std::string, std::vector<oms::Resource>> entries_;
    const std::vector<oms::Resource>* whole_ = nullptr;
};

// Files whose entries were taken from an earlier signature, and the state of all of them.
struct Looked {
    std::map<std::string, std::vector<oms::Resource>> kept;
    oms::FileStates states;
};

Result<Looked> look_at(const oms::Tree& tree, const std::vector<std::string>& names, const SignOptions& options,
                       const oms::Reuse* reuse, SignSummary& summary) {
    Looked looked;
    const Kept kept(reuse);
    for (const auto& name : names) {
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, options.allow_symlinks));
        summary.bytes += source->size();
        looked.states[name] = source->state();
        MODELSEAL_TRY_ASSIGN(auto entries, kept.entries_of(tree, name, *source));
        if (entries.empty()) continue;
        summary.reused.push_back(name);
        summary.reused_bytes += source->size();
        looked.kept[name] = std::move(entries);
    }
    return looked;
}

// A file that was kept was not read, so nothing else would notice a change meanwhile.
Result<void> still_as(const oms::FileStates& states, const oms::Tree& tree, const SignOptions& options) {
    for (const auto& [name, state] : states) {
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, options.allow_symlinks));
        if (source->state() == state) continue;
        return Error{ErrorKind::unreadable, source->name() + ": changed while it was signed",
                     "sign again when no program writes to it"};
    }
    return {};
}

Result<void> add_resources(const oms::Tree& tree, const std::vector<std::string>& names, unsigned jobs,
                           const SignOptions& options, const Looked& looked, oms::Statement& statement,
                           SignSummary& summary) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    progress.total(summary.bytes - summary.reused_bytes);
    std::vector<std::string> others;
    std::ranges::copy_if(names, std::back_inserter(others),
                         [&](const std::string& name) { return !looked.kept.contains(name); });
    const oms::DigestOptions how{.hash = statement.hash,
                                 .shard_size = options.shard_size,
                                 .follow_links = options.allow_symlinks,
                                 .jobs = jobs};
    MODELSEAL_TRY_ASSIGN(auto digests, oms::digest_files(tree, others, how, progress));
    auto next = digests.begin();
    for (const auto& name : names) {
        const auto kept = looked.kept.find(name);
        const auto& of_file = kept != looked.kept.end() ? kept->second : *next++;
        std::ranges::copy(of_file, std::back_inserter(statement.resources));
    }
    summary.files = names.size();
    return {};
}

// A signature of pointers would hold in a clone without the weights, and not in one with them.
Result<void> refuse_placeholders(const oms::Tree& tree, const std::vector<std::string>& names,
                                 const SignOptions& options) {
    for (const auto& name : names) {
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, options.allow_symlinks));
        auto done = model::refuse_placeholder(*source);
        if (done.ok()) continue;
        auto error = std::move(done).error();
        if (!tree.single()) error.hint += ", or leave it out of the signature";
        return error;
    }
    return {};
}

using DigestsByFile = std::map<std::string, oms::TensorDigests>;

// Where an unchanged file says by itself which bytes are which tensor, its digests are what they were. A graph with external data does not
// say so of the files with the data.
Result<DigestsByFile> tensors_of(const std::filesystem::path& path, bool single, unsigned jobs,
                                 const Limits& limits, const Looked& looked) {
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(path, limits));
    DigestsByFile before;
    for (const auto& [name, entries] : looked.kept) {
        for (const auto& entry : entries) {
            if (!entry.tensors.empty()) before[single ? std::string() : name] = entry.tensors;
        }
    }
    const bool graph = model.format == "onnx";
    const auto known = [&](const Tensor& tensor) -> const oms::Bytes* {
        const auto& file = oms::file_of(model, tensor);
        const auto in = before.find(file);
        if (graph || in == before.end() || tensor.segments.empty()) return nullptr;
        const auto number = tensor.segments.front().file;
        if (!std::ranges::all_of(tensor.segments, [&](const Segment& part) { return part.file == number; }))
            return nullptr;
        const auto found = in->second.find(tensor.name);
        return found == in->second.end() ? nullptr : &found->second;
    };
    MODELSEAL_TRY_ASSIGN(
        auto digests,
        oms::digest_tensors(
            model, jobs, [&](const Tensor& tensor) { return known(tensor) == nullptr; }, no_progress()));
    for (const auto& tensor : model.tensors) {
        if (const auto* digest = known(tensor)) digests[oms::file_of(model, tensor)][tensor.name] = *digest;
    }
    return digests;
}

// Digests of tensors help to locate a change; a folder that is not a model has none.
using Tensors = Result<DigestsByFile>;

Tensors digest_tensors(const std::filesystem::path& path, bool single, unsigned jobs,
                       const SignOptions& options, const Looked& looked) {
    auto limits = options.limits;
    if (options.allow_symlinks) limits.links = Links::inside;
    return tensors_of(path, single, jobs, limits, looked);
}

void add_tensors(Tensors tensors, bool single, oms::Statement& statement, SignSummary& summary) {
    if (!tensors.ok()) {
        for (auto& resource : statement.resources) resource.tensors.clear();
        summary.warnings.push_back("no digests of tensors: " + tensors.error().message);
        return;
    }
    for (auto& resource : statement.resources) {
        resource.tensors.clear();
        const auto found = tensors->find(single ? std::string() : resource.name);
        if (found == tensors->end() || resource.begin != 0) continue;
        summary.tensors += found->second.size();
        resource.tensors = std::move(found->second);
    }
}

// Of files and of tensors, at the same time: what one reads from the disk the other finds in the page cache. A file is one
// chain of hashes, and takes one thread; tensors are many.
Result<void> add_digests(const oms::Tree& tree, const std::vector<std::string>& names,
                         const std::filesystem::path& path, const SignOptions& options, const Looked& looked,
                         oms::Statement& statement, SignSummary& summary) {
    const auto jobs = options.jobs == 0 ? io::default_jobs() : options.jobs;
    if (!options.tensors) {
        MODELSEAL_TRY(add_resources(tree, names, jobs, options, looked, statement, summary));
        for (auto& resource : statement.resources) resource.tensors.clear();
        return {};
    }
    if (jobs == 1) {
        MODELSEAL_TRY(add_resources(tree, names, jobs, options, looked, statement, summary));
        add_tensors(digest_tensors(path, tree.single(), jobs, options, looked), tree.single(), statement,
                    summary);
        return {};
    }
    const auto for_files =
        static_cast<unsigned>(std::clamp<std::size_t>(names.size(), 1, std::max(1u, jobs / 2)));
    std::optional<Tensors> tensors;
    auto other = io::alongside([&] {
        tensors = digest_tensors(path, tree.single(), std::max(1u, jobs - for_files), options, looked);
    });
    const auto added = add_resources(tree, names, for_files, options, looked, statement, summary);
    other.get();
    MODELSEAL_TRY(added);
    if (!statement.resources.empty()) add_tensors(std::move(*tensors), tree.single(), statement, summary);
    return {};
}

// Any file can be signed, also one that was not meant.
Result<void> warn_of_kind(const oms::Tree& tree, const std::vector<std::string>& names, SignSummary& summary) {
    for (const auto& name : names) {
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, true));
        const auto kind = io::kind_of(*source);
        if (kind && !kind->model) summary.warnings.push_back(fmt::format("{}: {}", source->name(), kind->is));
    }
    return {};
}

// Digests of another kind do not fit into the same list.
Result<void> same_digests(const oms::Statement& before, const SignOptions& options) {
    const auto hash = options.blake2b ? oms::HashType::blake2b : oms::HashType::sha256;
    if (!before.release_0_2_0 && before.hash == hash && before.shard_size == options.shard_size) return {};
    return Error{ErrorKind::usage,
                 "the earlier signature has digests of another kind: another hash function, or other shards",
                 {}};
}

Result<oms::Statement> make_statement(const std::filesystem::path& path, const SignOptions& options,
                                      const oms::Reuse* reuse, oms::FileStates* states, SignSummary& summary) {
    if (reuse != nullptr) MODELSEAL_TRY(same_digests(*reuse->before, options));
    const auto shown = util::printable(path.string());
    if (options.shard_size == 0) return Error{ErrorKind::usage, "the shard size must be at least 1 byte", {}};
    MODELSEAL_TRY_ASSIGN(const auto tree, oms::Tree::open(path));
    const auto rules = ignore_rules(path, options);
    MODELSEAL_TRY_ASSIGN(const auto names, names_in(tree, rules, options, shown));
    if (tree.single() && !names.empty()) {
        MODELSEAL_TRY(oms::known_to_be_whole(tree, names.front(), options.limits));
    }
    MODELSEAL_TRY(refuse_placeholders(tree, names, options));
    if (auto warning = model::leftover_warning(names)) summary.warnings.push_back(std::move(*warning));
    if (tree.single()) MODELSEAL_TRY(warn_of_kind(tree, names, summary));
    oms::Statement statement{.subject = util::printable(tree.name()),
                             .hash = options.blake2b ? oms::HashType::blake2b : oms::HashType::sha256,
                             .shard_size = options.shard_size,
                             .sharded_algorithm = options.sharded_algorithm,
                             .allow_symlinks = options.allow_symlinks,
                             .seal_root = options.seal_root,
                             .fingerprint = options.fingerprint};
    if (!tree.single()) statement.ignore_paths.assign(rules.paths().begin(), rules.paths().end());
    MODELSEAL_TRY_ASSIGN(auto looked, look_at(tree, names, options, reuse, summary));
    MODELSEAL_TRY(add_digests(tree, names, path, options, looked, statement, summary));
    if (statement.resources.empty()) {
        return Error{ErrorKind::unsupported, shown + ": contains no files to sign", {}};
    }
    MODELSEAL_TRY(still_as(looked.states, tree, options));
    if (states != nullptr) *states = std::move(looked.states);
    if (tree.single() && !options.base_name) {
        for (auto& resource : statement.resources) resource.name = std::string(oms::kWholeModel);
    }
    statement.root = oms::root_of(statement.resources);
    return statement;
}

// Do not write a signature that cannot be parsed again, for example because of its size.
Result<void> readable(const std::string& text, const std::string& shown) {
    auto bundle = oms::parse_bundle(text, shown);
    auto error = bundle.ok() ? Error{} : bundle.error();
    if (bundle.ok()) {
        auto statement = oms::parse_statement(bundle->payload, shown);
        if (statement.ok()) return {};
        error = statement.error();
    }
    return Error{ErrorKind::unsupported, "the signature would exceed the size that is read: " + error.message,
                 "sign without digests of tensors", Remedy::omit_tensors};
}

}  // namespace

Result<oms::Statement> oms::statement_by(const PublicKey& key, const std::filesystem::path& signature) {
    const auto shown = util::printable(signature.string());
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(signature, kMaxBundleBytes, "signature"));
    MODELSEAL_TRY_ASSIGN(const auto bundle, parse_bundle(text, shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    return parse_statement(bundle.payload, shown);
}

Result<SignSummary> sign_model(const std::filesystem::path& path, const SignOptions& options) {
    return oms::sign(path, options, nullptr, nullptr);
}

Result<SignSummary> oms::sign(const std::filesystem::path& path, const SignOptions& options, const Reuse* reuse,
                              FileStates* states) {
    SignSummary summary;
    std::error_code ignored;
    if (std::filesystem::equivalent(path, options.signature, ignored)) {
        return Error{ErrorKind::usage,
                     util::printable(path.string()) + ": is the model; its signature needs another path",
                     {}};
    }
    const auto& key = options.key.public_key();
    MODELSEAL_TRY(must_serve(key, KeyUse::file_signatures, "key " + to_hex(key.id())));
    MODELSEAL_TRY_ASSIGN(const auto certificates, certificates_of(options));
    MODELSEAL_TRY_ASSIGN(const auto statement, make_statement(path, options, reuse, states, summary));
    oms::Bundle bundle{.payload = oms::write_statement(statement)};
    if (certificates.empty()) {
        bundle.hint = crypto::pem_digest(key);
        summary.signer = to_hex(key.id());
    } else {
        bundle.method = oms::Bundle::Method::certificate;
        for (const auto& each : certificates) bundle.certificates.push_back(each.der());
        summary.signer = certificates.front().subject();
    }
    summary.method = oms::name_of(bundle.method);
    summary.root = to_hex(statement.root);
    const auto message = oms::pre_authentication_encoding(bundle.payload);
    MODELSEAL_TRY_ASSIGN(bundle.signature, options.key.signer().sign_der(message));
    const auto text = oms::write_bundle(bundle);
    MODELSEAL_TRY(readable(text, util::printable(options.signature.string())));
    MODELSEAL_TRY(io::write_text(options.signature, text, 0644,
                                 options.replace ? io::WriteMode::replace : io::WriteMode::exclusive));
    return summary;
}

}  // namespace modelseal
