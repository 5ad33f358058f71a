#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "crypto/keys/pem.h"
#include "crypto/x509/certificates.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "model/bystanders.h"
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

Result<void> add_resources(const oms::Tree& tree, const std::vector<std::string>& names,
                           const SignOptions& options, oms::Statement& statement, SignSummary& summary) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(summary.bytes, oms::bytes_of(tree, names, options.allow_symlinks));
    progress.total(summary.bytes);
    const oms::DigestOptions how{.hash = statement.hash,
                                 .shard_size = options.shard_size,
                                 .follow_links = options.allow_symlinks,
                                 .jobs = options.jobs};
    MODELSEAL_TRY_ASSIGN(auto digests, oms::digest_files(tree, names, how, progress));
    for (auto& of_file : digests) {
        std::ranges::move(of_file, std::back_inserter(statement.resources));
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

// Digests of tensors help to locate a change; a folder that is not a model has none.
void add_tensors(const std::filesystem::path& path, bool single, const SignOptions& options,
                 oms::Statement& statement, SignSummary& summary) {
    auto limits = options.limits;
    if (options.allow_symlinks) limits.links = Links::inside;
    auto tensors = oms::digest_tensors(path, options.jobs, limits);
    if (!tensors.ok()) {
        summary.warnings.push_back("no digests of tensors: " + tensors.error().message);
        return;
    }
    for (auto& resource : statement.resources) {
        const auto found = tensors->find(single ? std::string() : resource.name);
        if (found == tensors->end() || resource.begin != 0) continue;
        summary.tensors += found->second.size();
        resource.tensors = std::move(found->second);
    }
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

Result<oms::Statement> make_statement(const std::filesystem::path& path, const SignOptions& options,
                                      SignSummary& summary) {
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
    MODELSEAL_TRY(add_resources(tree, names, options, statement, summary));
    if (statement.resources.empty()) {
        return Error{ErrorKind::unsupported, shown + ": contains no files to sign", {}};
    }
    if (options.tensors) add_tensors(path, tree.single(), options, statement, summary);
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

Result<SignSummary> sign_model(const std::filesystem::path& path, const SignOptions& options) {
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
    MODELSEAL_TRY_ASSIGN(const auto statement, make_statement(path, options, summary));
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
