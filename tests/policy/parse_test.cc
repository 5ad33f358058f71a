// Policies as they are written: what they say, and that no mistake passes.
#include "policy/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Outcome = Ruling::Outcome;

constexpr const char* kComplete = R"(version = 1
[defaults]
action = "quarantine"
require = ["seal", "signature"]
max_bytes = "200 GiB"
max_seconds = 900
unknown_files = "warn"

[[vendor]]
name = "acme"
keys = ["acme.pub", "acme-2025.pub"]
signers = [{ key = "signer.pub" }, { ca = "root.pem", subject = "CN=model release" },
           { identity = "ci@acme.example", issuer = "https://login.example", trusted_root = "root.json" }]

[[vendor]]
name = "beta"
keys = "beta.pub"

[[model]]
match = "acme/resnet-*"
vendor = ["acme"]
expect = { name = "resnet" }
minimum = { version = "2.1" }
frame = "weights-only"
adapters = "deny"
closure = "ignore"
audit = "warn"
action = "warn"
require = ["seal", "fingerprint"]
fingerprint = "resnet.fp"
max_bytes = 1000

[[model]]
match = "beta/**"
vendor = "beta"
require = "seal"
)";

TEST(ParsePolicy, ReadsACompleteOne) {
    const auto parsed = parse_policy(kComplete, "p.toml");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    const auto& rules = *parsed;
    ASSERT_EQ(rules.vendors.size(), 2u);
    const auto& acme = rules.vendors[0];
    EXPECT_EQ(acme.name, "acme");
    ASSERT_EQ(acme.keys.size(), 2u);
    EXPECT_EQ(acme.keys[1].file, "acme-2025.pub");
    EXPECT_EQ(acme.keys[1].place.line, 11u);
    ASSERT_EQ(acme.signers.size(), 3u);
    EXPECT_EQ(acme.signers[0].kind, Signer::Kind::key);
    EXPECT_EQ(acme.signers[0].file, "signer.pub");
    EXPECT_EQ(acme.signers[1].kind, Signer::Kind::authority);
    EXPECT_EQ(acme.signers[1].subject, "CN=model release");
    EXPECT_EQ(acme.signers[2].kind, Signer::Kind::identity);
    EXPECT_EQ(acme.signers[2].identity, "ci@acme.example");
    EXPECT_EQ(acme.signers[2].issuer, "https://login.example");
    EXPECT_EQ(acme.signers[2].file, "root.json");

    const auto& defaults = rules.otherwise.terms;
    EXPECT_EQ(defaults.action, Outcome::quarantine);
    EXPECT_TRUE(defaults.require.seal && defaults.require.signature && !defaults.require.fingerprint);
    EXPECT_EQ(defaults.max_bytes, std::uint64_t{200} << 30);
    EXPECT_EQ(defaults.max_seconds, 900u);
    EXPECT_EQ(defaults.unknown_files, UnknownFiles::warn);
    EXPECT_THAT(rules.otherwise.vendors, ElementsAre(0u, 1u));

    ASSERT_EQ(rules.models.size(), 2u);
    const auto& resnet = rules.models[0];
    EXPECT_EQ(resnet.match->pattern(), "acme/resnet-*");
    EXPECT_EQ(resnet.place.line, 19u);
    EXPECT_THAT(resnet.vendors, ElementsAre(0u));
    EXPECT_THAT(resnet.expect, ElementsAre(Pair("name", "resnet")));
    EXPECT_THAT(resnet.minimum, ElementsAre(Pair("version", "2.1")));
    EXPECT_TRUE(resnet.audit && resnet.terms.weights_only);
    EXPECT_EQ(resnet.terms.adapters, Adapters::refuse);
    EXPECT_EQ(resnet.terms.closure, Closure::ignore);
    EXPECT_EQ(resnet.terms.action, Outcome::warn);
    EXPECT_TRUE(resnet.terms.require.seal && !resnet.terms.require.signature &&
                resnet.terms.require.fingerprint);
    EXPECT_EQ(resnet.fingerprint, "resnet.fp");
    EXPECT_EQ(resnet.terms.max_bytes, 1000u);
    EXPECT_EQ(resnet.terms.max_seconds, 900u) << "of the defaults";
    const auto& beta = rules.models[1];
    EXPECT_EQ(beta.terms.action, Outcome::quarantine);
    EXPECT_TRUE(beta.terms.require.seal && !beta.terms.require.signature);
}

TEST(ParsePolicy, IsStrictWhereNothingIsSaid) {
    const auto rules = parse_policy("version = 1\n", "p.toml").value();
    const auto& terms = rules.otherwise.terms;
    EXPECT_EQ(terms.action, Outcome::deny);
    EXPECT_TRUE(terms.require.seal && !terms.weights_only);
    EXPECT_EQ(terms.adapters, Adapters::same_vendor);
    EXPECT_EQ(terms.closure, Closure::deny_unsealed);
    EXPECT_EQ(terms.unknown_files, UnknownFiles::deny);
    EXPECT_FALSE(rules.otherwise.audit);
}

TEST(ParsePolicy, TheFirstRuleThatMatchesCounts) {
    const auto rules = parse_policy(kComplete, "p.toml").value();
    EXPECT_EQ(&rule_for(rules, "acme/resnet-50"), &rules.models[0]);
    EXPECT_EQ(&rule_for(rules, "beta/a/b.onnx"), &rules.models[1]);
    EXPECT_EQ(&rule_for(rules, "acme/vgg"), &rules.otherwise);
}

std::string message_of(const std::string& text) {
    const auto parsed = parse_policy(text, "p.toml");
    return parsed.ok()
               ? "accepted"
               : parsed.error().message + (parsed.error().hint.empty() ? "" : " | " + parsed.error().hint);
}

// Each with its line and column.
TEST(ParsePolicy, NamesEachMistakeWithItsPlace) {
    const std::string vendor = "version = 1\n[[vendor]]\nname = \"a\"\nkeys = [\"a.pub\"]\n";
    const std::pair<std::string, const char*> cases[] = {
        {"", "p.toml: states no version"},
        {"version = 2\n", "p.toml:1:11: version 2 is not known, only 1 is"},
        {"version = \"1\"\n", "p.toml:1:11: version is a number"},
        {"version = 1\nversoin = 1\n",
         "p.toml:2:1: unknown key 'versoin' in a policy | known keys: version, defaults"},
        {"version = 1\n[defaults]\nrequires = []\n", "p.toml:3:1: unknown key 'requires' in [defaults]"},
        {"version = 1\n[defaults]\naction = \"allow\"\n",
         "p.toml:3:10: 'action' is not 'allow' | one of: deny, quarantine, warn"},
        {"version = 1\n[defaults]\nrequire = [\"seals\"]\n", "p.toml:3:12: 'seals' cannot be required"},
        {"version = 1\n[defaults]\nmax_bytes = \"200 gigs\"\n",
         "p.toml:3:13: 'max_bytes' is a number of bytes"},
        {"version = 1\n[defaults]\nmax_bytes = \"99999999 TiB\"\n",
         "p.toml:3:13: 'max_bytes' is a number of bytes"},
        {"version = 1\n[defaults]\nmax_bytes = 0\n", "p.toml:3:13: 'max_bytes' is above 0"},
        {"version = 1\n[defaults]\nmax_seconds = 0\n",
         "p.toml:3:15: 'max_seconds' is a number from 1 to 604800"},
        {"version = 1\n[[vendor]]\nkeys = [\"a.pub\"]\n", "p.toml:2:1: a vendor has no 'name'"},
        {"version = 1\n[[vendor]]\nname = \"a\"\n", "p.toml:2:1: vendor 'a' has neither keys nor signers"},
        {"version = 1\n[vendor]\nname = \"a\"\n", "'vendor' is a list of tables | write [[vendor]]"},
        {vendor + "[[vendor]]\nname = \"a\"\nkeys = \"b.pub\"\n", "p.toml:5:1: there are two vendors 'a'"},
        {vendor + "signers = [{ kye = \"s.pub\" }]\n", "p.toml:5:12: a signer has 'key', 'ca' or 'identity'"},
        {vendor + "signers = [{ identity = \"x\", issuer = \"y\" }]\n",
         "p.toml:5:12: a keyless signer has no 'trusted_root'"},
        {vendor + "[[model]]\nvendor = \"a\"\n", "p.toml:5:1: a rule for models has no 'match'"},
        {vendor + "[[model]]\nmatch = \"a[\"\n", "p.toml:6:9: the pattern 'a[' has a '[' without its ']'"},
        {vendor + "[[model]]\nmatch = \"a\"\nvendor = \"b\"\n", "p.toml:7:10: there is no vendor 'b'"},
        {vendor + "[[model]]\nmatch = \"a\"\nvendor = []\n", "p.toml:5:1: this rule trusts no vendor"},
        {vendor + "[[model]]\nmatch = \"a\"\nrequire = []\n", "p.toml:5:1: this rule requires nothing"},
        {vendor + "[[model]]\nmatch = \"a\"\nrequire = [\"signature\"]\n",
         "p.toml:5:1: a signature is required, and no vendor of this rule has signers"},
        {vendor + "[[model]]\nmatch = \"a\"\nrequire = [\"fingerprint\"]\n",
         "p.toml:5:1: a fingerprint is required, and this rule names none"},
        {vendor + "[[model]]\nmatch = \"a\"\nminimum = { version = \"latest\" }\n",
         "p.toml:7:23: 'latest' is no version"},
        {vendor + "[[model]]\nmatch = \"a\"\nexpect = { v = \"1\" }\nminimum = { v = \"1\" }\n",
         "'v' is expected and has a minimum"},
        {vendor + "[[model]]\nmatch = \"a\"\nexpect = \"1\"\n", "p.toml:7:10: 'expect' is a table"},
        {vendor + "[[model]]\nmatch = \"a/**\"\n[[model]]\nmatch = \"a/b-*\"\n",
         "p.toml:8:9: this rule never applies: 'a/**' in line 5 matches everything that 'a/b-*' does"},
        {vendor + "[[model]]\nmatch = \"a\"\naudit = true\n", "p.toml:7:9: 'audit' is a text in quotes"},
    };
    for (const auto& [text, expected] : cases) EXPECT_THAT(message_of(text), HasSubstr(expected)) << text;
}

TEST(ParsePolicy, NamesSyntaxErrors) {
    const auto parsed = parse_policy("version = 1\n[defaults\n", "p.toml");
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().kind, ErrorKind::malformed);
    EXPECT_THAT(parsed.error().message, HasSubstr("p.toml:2:"));
    EXPECT_EQ(parse_policy("version = 1\nversion = 1\n", "p").error().kind, ErrorKind::malformed);
    EXPECT_EQ(parse_policy("version = 1\nx = \"\xFF\"\n", "p").error().kind, ErrorKind::malformed);
    EXPECT_THAT(parse_policy(std::string(kMostPolicyBytes + 1, '#'), "p").error().message,
                HasSubstr("at most"));
}

}  // namespace
}  // namespace modelseal::policy
