// A policy as it was written: who is trusted, and what a model of which name must be (modelseal-policy(5)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/glob.h"
#include <modelseal/report.h>

namespace modelseal::policy {

// In the file; from 1.
struct Place {
    std::uint32_t line = 0, column = 0;
};

// Whose signatures of files count. Paths are as in the file.
struct Signer {
    enum class Kind { key, authority, identity };
    Kind kind = Kind::key;
    std::string file;              // public key, certificate of the authority, or Sigstore's trusted root
    std::string subject;           // of a certificate; empty: any
    std::string identity, issuer;  // of a keyless signature
    Place place;
};

struct KeyFile {
    std::string file;
    Place place;
};

struct Vendor {
    std::string name;
    std::vector<KeyFile> keys;  // any of them may have sealed
    std::vector<Signer> signers;
    Place place;
};

enum class Adapters { same_vendor, refuse, ignore };
enum class Closure { deny_unsealed, warn, ignore };
enum class UnknownFiles { deny, warn, ignore };

// What [defaults] has, and a rule may have otherwise.
struct Terms {
    Ruling::Outcome action = Ruling::Outcome::deny;  // for what fails: deny, quarantine or warn
    CheckReport::Expected require = {.seal = true};
    std::optional<std::uint64_t> max_bytes, max_seconds;
    bool weights_only = false;  // a changed frame around intact weights passes
    Adapters adapters = Adapters::same_vendor;
    Closure closure = Closure::deny_unsealed;
    UnknownFiles unknown_files = UnknownFiles::deny;
};

struct Rule {
    std::optional<Glob> match;         // nothing: what no rule matches
    std::vector<std::size_t> vendors;  // of the policy; one of them must have sealed, and signed
    std::vector<std::pair<std::string, std::string>> expect;   // entries of the stamp
    std::vector<std::pair<std::string, std::string>> minimum;  // entries that are versions
    std::string fingerprint;                                   // file, or empty
    bool audit = false;                                        // nothing but a warning comes of it
    Terms terms;
    Place place;
};

struct Rules {
    std::vector<Vendor> vendors;
    std::vector<Rule> models;  // the first that matches counts
    Rule otherwise;            // of all vendors, under [defaults]
};

// The rule for a model of this name. The result lives as long as `rules`.
const Rule& rule_for(const Rules& rules, std::string_view name);

}  // namespace modelseal::policy
