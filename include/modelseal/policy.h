// Decide about models by a policy: a TOML file that says which vendors seal and sign which models, and what happens to what
// is not as it should be (modelseal-policy(5)).
//
//     auto policy = Policy::load("modelseal-policy.toml").value();
//     auto report = policy.check("acme/resnet-50.onnx", {});
//     bool admit = report.ok() && report->ruling->outcome <= Ruling::Outcome::warn;
//
// Thread safety: a Policy never changes; any number of threads may use the same one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <modelseal/check.h>
#include <modelseal/keys.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal {

struct PolicyCheckOptions {
    // By which rules are looked up: the name of a repository, or a path in it. Empty: the target itself, without "./".
    std::string name = {};
    bool all = false;               // list intact tensors as well
    EndpointOptions endpoint = {};  // for a fingerprint of a served model
    std::string device = "auto";    // on which a file is run for a fingerprint, and its weights are hashed
    // Affects performance only.
    unsigned jobs = 0;             // threads; 0: all
    Progress* progress = nullptr;  // not owned: must outlive the call
    Limits limits = {};
};

class Policy {
  public:
    // Reads the policy, and all keys and certificates that it names; their paths are relative to its folder. Whatever is
    // wrong is an Error with line and column: ErrorKind::usage for a mistake, malformed for what is not TOML, unsupported
    // for another version, and that of a key that cannot be read.
    static Result<Policy> load(const std::filesystem::path& file);

    // Checks a model under the rule for its name; the report has a ruling, which decides its exit code. What is wrong with
    // the model is in the report. An Error is about the call, as with check_model().
    Result<CheckReport> check(const std::filesystem::path& target, const PolicyCheckOptions& options) const;

    // The report on a model that has more bytes than the rule for its name lets be read; nothing if it has not. For callers
    // that would have to fetch the model first.
    std::optional<CheckReport> too_large(const std::filesystem::path& target, const std::string& name,
                                         std::uint64_t bytes) const;

    // SHA-256 of the text that was read, as hex: of another policy, or another state of the file, another one.
    const std::string& digest() const;

    // All public and check keys that it names.
    const std::vector<CheckKey>& keys() const;

  private:
    struct Loaded;
    explicit Policy(std::shared_ptr<const Loaded> loaded) : loaded_(std::move(loaded)) {}
    std::shared_ptr<const Loaded> loaded_;
};

}  // namespace modelseal
