#include "oms/verify.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include <fmt/format.h>

#include "crypto/x509/certificates.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "oms/authenticate.h"
#include "oms/digests.h"
#include "oms/statement.h"
#include "oms/tensors.h"
#include "oms/tree.h"
#include "util/spelling.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using Outcome = SignatureFinding::FileFinding::Outcome;

// The entries of the signature for one file.
struct Signed {
    std::vector<const Resource*> parts;                       // one, or its shards in order
    std::uint64_t size() const { return parts.back()->end; }  // shards only
};

class Comparison {
  public:
    Comparison(const std::filesystem::path& path, const Tree& tree, const Statement& statement,
               const SignatureCheck& check, const VerifyOptions& options, SignatureFinding& finding)
        : path_(path), tree_(tree), statement_(statement), check_(check), options_(options), finding_(finding) {
        for (const auto& resource : statement.resources) {
            // The one file of a model that is a file goes by two names.
            const bool whole = tree.single() && resource.name == kWholeModel;
            signed_[whole ? path.filename().string() : resource.name].parts.push_back(&resource);
        }
        for (auto& [name, of_file] : signed_) std::ranges::sort(of_file.parts, {}, &Resource::begin);
    }

    Result<void> run() {
        const auto rules = ignore_rules();
        MODELSEAL_TRY_ASSIGN(const auto entries, tree_.list(rules));
        std::set<std::string> there;
        for (const auto& entry : entries) {
            MODELSEAL_TRY(sort_in(entry));
            there.insert(entry.name);
        }
        for (const auto& [name, of_file] : signed_) {
            if (there.contains(name)) continue;
            // Ignoring is about files that were not signed; those that were stay part of the model.
            const bool hidden = !tree_.single() && rules.covers(name) && tree_.file(name, false).ok();
            if (hidden) {
                MODELSEAL_TRY(sort_in({name}));
            } else {
                add(name, Outcome::missing);
            }
        }
        std::ranges::sort(to_hash_);
        MODELSEAL_TRY(hash());
        MODELSEAL_TRY(same_files(entries, rules));
        if (tree_.single() && finding_.findings.empty() && !to_hash_.empty()) {
            MODELSEAL_TRY(known_to_be_whole(tree_, to_hash_.front(), options_.limits));
        }
        std::ranges::sort(finding_.findings, {}, &SignatureFinding::FileFinding::name);
        compare_spellings();
        name_tensors();
        return {};
    }

  private:
    IgnoreRules ignore_rules() const {
        IgnoreRules rules;
        if (tree_.single()) return rules;
        IgnoreRules git_paths;
        git_paths.add_git();
        if (check_.ignore_git_paths) rules.add_git();
        auto paths = check_.ignore;
        paths.push_back(check_.signature);
        for (const auto& path : paths) {
            if (const auto relative = relative_to(path_, path)) rules.add(*relative);
        }
        for (const auto& path : statement_.ignore_paths) {
            // The signer's defaults do not override a verifier that requires these files.
            if (check_.ignore_git_paths || !git_paths.covers(path)) rules.add(path);
        }
        return rules;
    }

    // A file that appeared or vanished while others were read would count as verified.
    Result<void> same_files(const std::vector<Tree::Entry>& before, const IgnoreRules& rules) const {
        MODELSEAL_TRY_ASSIGN(const auto now, tree_.list(rules));
        if (now == before) return {};
        return Error{ErrorKind::unreadable,
                     util::printable(path_.string()) + ": files were added or removed during the verification",
                     "verify again when no program writes to the folder"};
    }

    void add(const std::string& name, Outcome outcome, std::string detail = {}) {
        finding_.findings.push_back({.name = name, .outcome = outcome, .detail = std::move(detail)});
    }

    Result<void> sort_in(const Tree::Entry& entry) {
        const auto known = signed_.find(entry.name);
        auto wrong = complaint(entry, statement_.allow_symlinks);
        if (known != signed_.end() && !wrong.empty()) {
            add(entry.name, Outcome::changed, std::move(wrong));
            return {};
        }
        if (known != signed_.end() && !statement_.shard_size) {
            to_hash_.push_back(entry.name);
            return {};
        }
        if (known == signed_.end() && (!wrong.empty() || !statement_.shard_size)) {
            unsigned_file(entry.name, std::move(wrong));
            return {};
        }
        // Shards: compare sizes before hashing; an empty file has no shard.
        MODELSEAL_TRY_ASSIGN(const auto source, tree_.file(entry.name, statement_.allow_symlinks));
        if (known == signed_.end()) {
            if (source->size() > 0) unsigned_file(entry.name, {});
        } else if (source->size() != known->second.size()) {
            add(entry.name, Outcome::changed);
        } else {
            to_hash_.push_back(entry.name);
        }
        return {};
    }

    void unsigned_file(const std::string& name, std::string detail) {
        if (check_.ignore_unsigned_files) {
            ++finding_.unsigned_files;
        } else {
            add(name, Outcome::added, std::move(detail));
        }
    }

    Result<void> hash() {
        auto& progress = options_.progress != nullptr ? *options_.progress : no_progress();
        MODELSEAL_TRY_ASSIGN(finding_.bytes, bytes_of(tree_, to_hash_, statement_.allow_symlinks));
        progress.total(finding_.bytes);
        const DigestOptions how{.hash = statement_.hash,
                                .shard_size = statement_.shard_size,
                                .follow_links = statement_.allow_symlinks,
                                .jobs = options_.jobs};
        MODELSEAL_TRY_ASSIGN(const auto found, digest_files(tree_, to_hash_, how, progress));
        finding_.files = to_hash_.size();
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto& parts = signed_.at(to_hash_[i]).parts;
            const bool same = std::ranges::equal(parts, found[i], [](const Resource* a, const Resource& b) {
                return a->begin == b.begin && a->end == b.end && a->digest == b.digest;
            });
            if (!same) add(to_hash_[i], Outcome::changed);
        }
        return {};
    }

    // A file system that writes names in another form of Unicode, as that of macOS, renames files that look the same.
    void compare_spellings() {
        for (const auto& one : finding_.findings) {
            if (one.outcome != Outcome::missing) continue;
            const auto looks_alike = [&](const SignatureFinding::FileFinding& other) {
                return other.outcome == Outcome::added && util::may_be_same_text(one.name, other.name);
            };
            if (std::ranges::none_of(finding_.findings, looks_alike)) continue;
            finding_.hint = fmt::format(
                "'{}' is there in another Unicode form of its name, as after a copy from macOS; "
                "rename it, or copy the model as an archive",
                util::printable(one.name));
            return;
        }
    }

    // In which tensors the changed files differ, where the signature knows them and the model can be read.
    void name_tensors() {
        const auto knows = [&](const SignatureFinding::FileFinding& file) {
            return file.outcome == Outcome::changed && file.detail.empty() &&
                   !signed_.at(file.name).parts.front()->tensors.empty();
        };
        if (std::ranges::none_of(finding_.findings, knows)) return;
        auto limits = options_.limits;
        if (statement_.allow_symlinks) limits.links = Links::inside;
        auto now = digest_tensors(path_, options_.jobs, limits);
        for (auto& file : finding_.findings) {
            if (!knows(file)) continue;
            if (!now.ok()) {
                file.detail = "no longer a readable model: " + now.error().message;
                continue;
            }
            const auto& before = signed_.at(file.name).parts.front()->tensors;
            file.tensors = compare_tensors(before, (*now)[tree_.single() ? std::string() : file.name]);
            if (file.tensors.empty())
                file.detail = "all tensors are as signed; other bytes of the file are not";
        }
    }

    const std::filesystem::path& path_;
    const Tree& tree_;
    const Statement& statement_;
    const SignatureCheck& check_;
    const VerifyOptions& options_;
    SignatureFinding& finding_;
    std::map<std::string, Signed> signed_;
    std::vector<std::string> to_hash_;
};

using SignatureOutcome = SignatureFinding::Outcome;

// "2 files changed, 1 file missing"
std::string summary_of(const SignatureFinding& finding) {
    using FileOutcome = SignatureFinding::FileFinding::Outcome;
    std::uint64_t changed = 0, missing = 0, added = 0;
    for (const auto& file : finding.findings) {
        changed += file.outcome == FileOutcome::changed;
        missing += file.outcome == FileOutcome::missing;
        added += file.outcome == FileOutcome::added;
    }
    std::vector<std::string> parts;
    const auto add = [&](std::uint64_t count, std::string_view what) {
        if (count > 0) parts.push_back(fmt::format("{} {}", util::counted(count, "file"), what));
    };
    add(changed, "changed");
    add(missing, "missing");
    add(added, "not signed");
    return fmt::format("{}", fmt::join(parts, ", "));
}

void describe(const Statement& statement, SignatureFinding& finding) {
    finding.model = statement.subject;
    finding.root = to_hex(statement.root);
    finding.serialization = statement.shard_size ? "shards" : "files";
    finding.hash = name_of(statement.hash);
    finding.seal_root = statement.seal_root;
    finding.fingerprint = statement.fingerprint;
}

Result<Bundle> read_bundle(const std::filesystem::path& file) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, kMaxBundleBytes, "signature"));
    return parse_bundle(text, util::printable(file.string()));
}

}  // namespace

// Nothing of the statement is looked at before its signature was found good.
Result<Statement> signed_statement(const SignatureCheck& check, SignatureFinding& finding) {
    const auto shown = util::printable(check.signature.string());
    MODELSEAL_TRY_ASSIGN(const auto bundle, read_bundle(check.signature));
    finding.method = name_of(bundle.method);
    MODELSEAL_TRY_ASSIGN(const auto signer, authenticate(bundle, check, std::time(nullptr), shown));
    finding.signer = signer.name;
    finding.timestamp = signer.timestamp;
    MODELSEAL_TRY_ASSIGN(auto statement, parse_statement(bundle.payload, shown));
    describe(statement, finding);
    return statement;
}

namespace {

Result<void> examine(const std::filesystem::path& path, const SignatureCheck& check,
                     const VerifyOptions& options, SignatureFinding& finding) {
    MODELSEAL_TRY_ASSIGN(const auto tree, Tree::open(path, options.limits.deadline));
    MODELSEAL_TRY_ASSIGN(const auto statement, signed_statement(check, finding));
    MODELSEAL_TRY(Comparison(path, tree, statement, check, options, finding).run());
    finding.outcome = finding.findings.empty() ? SignatureOutcome::valid : SignatureOutcome::invalid;
    finding.detail = finding.findings.empty()
                         ? fmt::format("{} {} as signed", util::counted(finding.files, "file"),
                                       finding.files == 1 ? "is" : "are")
                         : summary_of(finding);
    return {};
}

}  // namespace

Result<SignatureFinding> judged(const Result<void>& done, SignatureFinding finding) {
    if (done.ok()) return finding;
    // A key file whose passphrase is wrong cannot be met here: all mismatches are the signature's.
    if (done.error().kind != ErrorKind::mismatch) return done.error();
    finding.outcome = SignatureOutcome::invalid;
    finding.detail = done.error().message;
    finding.hint = done.error().hint;
    finding.remedy = done.error().remedy;
    return finding;
}

Result<void> authenticate(const SignatureCheck& check) {
    MODELSEAL_TRY_ASSIGN(const auto bundle, read_bundle(check.signature));
    MODELSEAL_TRY(authenticate(bundle, check, std::time(nullptr), util::printable(check.signature.string())));
    return {};
}

std::optional<Claim> claim_of(const std::filesystem::path& signature) {
    const auto bundle = read_bundle(signature);
    if (!bundle) return std::nullopt;
    const auto statement = parse_statement(bundle->payload, "");
    if (!statement) return std::nullopt;
    Claim claim{statement->subject, key_id_of_hint(bundle->hint)};
    if (bundle->certificates.empty()) return claim;
    const auto leaf = crypto::Certificate::of_der(bundle->certificates.front(), "");
    const auto key = leaf.ok() ? leaf->key("") : Result<PublicKey>(leaf.error());
    if (key.ok()) claim.key_id = to_hex(key->id());
    return claim;
}

}  // namespace modelseal::oms

namespace modelseal {

Result<SignatureFinding> verify_model(const std::filesystem::path& path, const SignatureCheck& check,
                                      const VerifyOptions& options) {
    SignatureFinding finding;
    const auto done = oms::examine(path, check, options, finding);
    return oms::judged(done, std::move(finding));
}

}  // namespace modelseal
