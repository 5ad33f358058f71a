// A check under a policy as a story: find the rule, check what it asks for, look around the model, rule.
#include <algorithm>
#include <chrono>
#include <limits>
#include <new>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "crypto/keys/key_facts.h"
#include "crypto/keys/pem.h"
#include "crypto/secret.h"
#include "io/extent.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "jobs/check/nearby.h"
#include "jobs/policy/closure.h"
#include "model/model.h"
#include "model/part.h"
#include "model/shards.h"
#include "oms/verify.h"
#include "oracle/endpoint.h"
#include "policy/decide.h"
#include "policy/parse.h"
#include "policy/ruling.h"
#include "util/text.h"
#include <modelseal/policy.h>

namespace modelseal {

namespace fs = std::filesystem;

// What a vendor's keys and signers are to checks.
struct TrustedVendor {
    std::vector<CheckKey> keys;
    std::vector<SignatureCheck> signers;  // alternatives
};

struct Policy::Loaded {
    std::string file;  // for messages
    std::string digest;
    fs::path folder;
    policy::Rules rules;
    std::vector<TrustedVendor> vendors;  // in the order of the rules
    std::vector<CheckKey> keys;
};

namespace {

constexpr std::uint64_t kMostListed = 1'000'000;  // files in a folder whose sizes are added up

// An Error about a file that a policy names, with the place where it does.
Error at_place(const std::string& policy, policy::Place place, Error error) {
    error.message = fmt::format("{}:{}:{}: {}", policy, place.line, place.column, error.message);
    return error;
}

// A public key, or a customer's check key.
Result<CheckKey> load_key(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);  // a private key may have been named by mistake
    const auto facts = crypto::describe_key(text, util::printable(path));
    if (facts.ok() && facts->half == crypto::KeyFacts::Half::check) return load_check_key(path);
    MODELSEAL_TRY_ASSIGN(const auto key, load_public_key(path, KeyUse::seals));
    return public_check_key(key);
}

Result<void> must_be_readable(const std::string& path) {
    MODELSEAL_TRY(io::FileSource::open(path, util::printable(path)));
    return {};
}

class Loader {
  public:
    Loader(const std::string& name, const fs::path& folder) : name_(name), folder_(folder) {}

    Result<TrustedVendor> vendor(const policy::Vendor& written) const {
        TrustedVendor vendor;
        for (const auto& key : written.keys) {
            auto loaded = load_key(resolved(key.file));
            if (!loaded.ok()) return at_place(name_, key.place, loaded.error());
            vendor.keys.push_back(std::move(*loaded));
        }
        SignatureCheck by_key;
        for (const auto& signer : written.signers) {
            const auto done = add(signer, by_key, vendor.signers);
            if (!done.ok()) return at_place(name_, signer.place, done.error());
        }
        if (!by_key.public_keys.empty()) vendor.signers.push_back(std::move(by_key));
        return vendor;
    }

    Result<void> fingerprint(const policy::Rule& rule) const {
        if (rule.fingerprint.empty()) return {};
        const auto done = must_be_readable(resolved(rule.fingerprint));
        return done.ok() ? done : at_place(name_, rule.place, done.error());
    }

  private:
    Result<void> add(const policy::Signer& signer, SignatureCheck& by_key,
                     std::vector<SignatureCheck>& others) const {
        const auto file = resolved(signer.file);
        switch (signer.kind) {
            case policy::Signer::Kind::key: {
                MODELSEAL_TRY_ASSIGN(const auto key, load_public_key(file, KeyUse::file_signatures));
                by_key.public_keys.push_back(key);
                return {};
            }
            case policy::Signer::Kind::authority:
                MODELSEAL_TRY(must_be_readable(file));
                others.push_back({.signature = {}, .anchors = {file}, .subject = signer.subject});
                return {};
            case policy::Signer::Kind::identity:
                MODELSEAL_TRY(must_be_readable(file));
                others.push_back({.signature = {},
                                  .trusted_root = file,
                                  .identity = signer.identity,
                                  .issuer = signer.issuer});
                return {};
        }
        return {};
    }

    std::string resolved(const std::string& file) const { return (folder_ / file).string(); }

    const std::string& name_;
    const fs::path& folder_;
};

std::string name_of(const fs::path& target, const PolicyCheckOptions& options) {
    if (!options.name.empty()) return options.name;
    if (oracle::is_endpoint(target.string())) return target.string();
    auto name = target.lexically_normal().generic_string();
    while (name.ends_with('/') && name.size() > 1) name.pop_back();
    return name;
}

// Of a file, or of all files in a folder.
Result<std::uint64_t> bytes_of(const fs::path& target) {
    const auto extent = io::extent_of(target, std::numeric_limits<std::uint64_t>::max(), kMostListed + 1);
    if (extent.entries > kMostListed) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: more than {}", util::printable(target.string()),
                                 util::counted(kMostListed, "file")),
                     {}};
    }
    // Of a file, opening it reports why.
    if (extent.folder && extent.failed) return io::os_error(extent.failed.value(), target.string(), "list");
    return extent.bytes;
}

// Why the file is not a model; empty if it may be one, or cannot be opened.
std::string why_unknown(const fs::path& target) {
    std::error_code ignored;
    if (oracle::is_endpoint(target.string()) || fs::is_directory(target, ignored)) return {};
    const auto source = io::FileSource::open(target, util::printable(target.string()));
    if (!source.ok() || model::recognised(**source)) return {};
    const auto index = model::read_shard_index(**source, target.filename().string());
    return index.ok() && !*index ? "a file of no format that is known" : "";
}

// The one of the alternatives by whom the signature is; the first if it is by none of them.
std::optional<SignatureCheck> signature_check(const fs::path& target,
                                              std::vector<SignatureCheck> alternatives) {
    if (alternatives.empty()) return std::nullopt;
    const auto found = jobs::signature_next_to(target);
    for (auto& alternative : alternatives) {
        if (found) alternative.signature = *found;
    }
    const auto chosen = std::ranges::find_if(alternatives, [&](const SignatureCheck& alternative) {
        return found && oms::authenticate(alternative).ok();
    });
    return chosen == alternatives.end() ? alternatives.front() : *chosen;
}

// One target under one rule.
class Case {
  public:
    Case(const fs::path& target, const policy::Rule& rule, const policy::Rules& rules,
         const std::vector<TrustedVendor>& vendors, const fs::path& folder, const PolicyCheckOptions& options)
        : target_(target),
          rule_(rule),
          rules_(rules),
          folder_(folder),
          options_(options),
          limits_(options.limits) {
        for (const auto i : rule.vendors) {
            std::ranges::copy(vendors[i].keys, std::back_inserter(keys_));
            std::ranges::copy(vendors[i].signers, std::back_inserter(signers_));
        }
        if (rule.terms.max_seconds) {
            limits_.deadline = std::min(limits_.deadline, std::chrono::steady_clock::now() +
                                                              std::chrono::seconds(*rule.terms.max_seconds));
        }
    }

    Result<CheckReport> run() {
        if (auto why = why_unknown(target_); !why.empty()) return unknown(why);
        const bool served = oracle::is_endpoint(target_.string());
        if (!served) {
            MODELSEAL_TRY_ASSIGN(facts_.bytes, bytes_of(target_));
        }
        if (auto refused = too_large(facts_.bytes)) return std::move(*refused);
        MODELSEAL_TRY_ASSIGN(auto report, check_model(target_, check_options()));
        if (!served) look_around();
        facts_.too_late =
            report.verdict == Verdict::error && std::chrono::steady_clock::now() >= limits_.deadline;
        report.ruling = policy::rule_on(rule_, rules_.vendors, report, facts_);
        return report;
    }

    // Nothing if the rule lets a model of this size be read.
    std::optional<CheckReport> too_large(std::uint64_t bytes) {
        const auto most = rule_.terms.max_bytes;
        if (!most || bytes <= *most) return std::nullopt;
        facts_.bytes = bytes;
        auto report = not_checked(fmt::format("{}: {}, the policy allows {}", util::printable(target_.string()),
                                              util::counted(bytes, "byte"), util::grouped(*most)));
        report.ruling = policy::rule_on(rule_, rules_.vendors, report, facts_);
        return report;
    }

  private:
    CheckOptions check_options() const {
        const auto& require = rule_.terms.require;
        CheckOptions out{.policy = policy::expectations_of(rule_),
                         .jobs = options_.jobs,
                         .progress = options_.progress,
                         .limits = limits_};
        if (require.signature) out.signature = signature_check(target_, signers_);
        // Without a key there is nothing to look for: a check that is missing.
        if (keys_.empty()) return out;
        if (require.seal) out.seal = SealCheck{.keys = keys_, .all = options_.all};
        if (require.fingerprint) {
            out.fingerprint = FingerprintCheck{.file = folder_ / rule_.fingerprint,
                                               .keys = keys_,
                                               .endpoint = options_.endpoint,
                                               .device = options_.device};
        }
        return out;
    }

    CheckReport not_checked(std::string why) const {
        CheckReport report{.target = target_.string(), .error = std::move(why)};
        report.error_kind = ErrorKind::unsupported;
        report.expected = rule_.terms.require;
        return report;
    }

    CheckReport unknown(const std::string& why) const {
        auto report = not_checked(fmt::format("{}: {}", util::printable(target_.string()), why));
        report.verdict = Verdict::unsealed;
        report.ruling = policy::rule_on_unknown(rule_, why);
        return report;
    }

    // References of the configuration, and adapters next to a file.
    void look_around() {
        using policy::Adapters, policy::Closure;
        std::error_code failed;
        // A file alone has no configuration that could pull in anything.
        if (rule_.terms.closure != Closure::ignore && fs::is_directory(target_, failed)) {
            const auto opened = model::open_model(target_, limits_);
            auto found = opened.ok() ? jobs::references_of(*opened) : opened.error();
            if (found.ok()) {
                facts_.references = std::move(*found);
            } else {
                facts_.unknown = found.error();
            }
        }
        if (rule_.terms.adapters == Adapters::ignore) return;
        for (const auto& adapter : jobs::adapters_beside(target_)) facts_.adapters.push_back(checked(adapter));
    }

    policy::Adapter checked(const fs::path& adapter) const {
        policy::Adapter out{.file = util::printable(adapter.filename().string())};
        if (rule_.terms.adapters == policy::Adapters::refuse || keys_.empty()) {
            out.verdict = Verdict::unsealed;
            out.detail = "the vendors of the rule seal nothing";
            return out;
        }
        const auto report = check_model(adapter, {.seal = SealCheck{.keys = keys_},
                                                  .jobs = options_.jobs,
                                                  .device = options_.device,
                                                  .limits = limits_});
        out.verdict = report.ok() ? report->verdict : Verdict::error;
        out.detail = !report.ok()   ? report.error().message
                     : report->seal ? report->seal->detail
                                    : report->error;
        return out;
    }

    const fs::path& target_;
    const policy::Rule& rule_;
    const policy::Rules& rules_;
    const fs::path& folder_;
    const PolicyCheckOptions& options_;
    Limits limits_;
    std::vector<CheckKey> keys_;
    std::vector<SignatureCheck> signers_;
    policy::Facts facts_;
};

// The report with what its ruling leaves to the caller.
CheckReport signed_off(CheckReport report, const std::string& policy, const std::string& name) {
    report.ruling->policy = policy;
    report.ruling->name = name;
    report.exit_code = policy::exit_code(*report.ruling);
    return report;
}

}  // namespace

Result<Policy> Policy::load(const fs::path& file) {
    auto loaded = std::make_shared<Loaded>();
    loaded->file = util::printable(file.string());
    loaded->folder = file.parent_path();
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, policy::kMostPolicyBytes, "policy"));
    loaded->digest = to_hex(crypto::Sha256().update_text(text).finish());
    auto rules = policy::parse_policy(text, loaded->file);
    // A policy that lacks a comma is not taken for something else.
    const bool other =
        !rules.ok() && rules.error().kind == ErrorKind::malformed && io::kind_of(text, text.size());
    if (other) return io::mistaken("policy", loaded->file, text, text.size());
    MODELSEAL_TRY_ASSIGN(loaded->rules, std::move(rules));
    const Loader loader(loaded->file, loaded->folder);
    for (const auto& written : loaded->rules.vendors) {
        MODELSEAL_TRY_ASSIGN(auto vendor, loader.vendor(written));
        std::ranges::copy(vendor.keys, std::back_inserter(loaded->keys));
        loaded->vendors.push_back(std::move(vendor));
    }
    for (const auto& rule : loaded->rules.models) MODELSEAL_TRY(loader.fingerprint(rule));
    return Policy(std::move(loaded));
}

const std::string& Policy::digest() const {
    return loaded_->digest;
}

const std::vector<CheckKey>& Policy::keys() const {
    return loaded_->keys;
}

Result<CheckReport> Policy::check(const fs::path& target, const PolicyCheckOptions& options) const {
    const auto name = name_of(target, options);
    const auto& rule = policy::rule_for(loaded_->rules, name);
    try {
        Case one(target, rule, loaded_->rules, loaded_->vendors, loaded_->folder, options);
        MODELSEAL_TRY_ASSIGN(auto report, one.run());
        return signed_off(std::move(report), loaded_->file, name);
    } catch (const std::bad_alloc&) {
        return Error{
            ErrorKind::unreadable, util::printable(target.string()) + ": not enough memory to check it", {}};
    }
}

std::optional<CheckReport> Policy::too_large(const fs::path& target, const std::string& name,
                                             std::uint64_t bytes) const {
    const auto& rule = policy::rule_for(loaded_->rules, name);
    const PolicyCheckOptions options;
    Case one(target, rule, loaded_->rules, loaded_->vendors, loaded_->folder, options);
    auto report = one.too_large(bytes);
    if (!report) return std::nullopt;
    return signed_off(std::move(*report), loaded_->file, name);
}

}  // namespace modelseal
