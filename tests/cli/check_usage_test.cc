// Options of `check` and `verify` that would have no effect are refused, whatever they are given with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::Words;
using testing::HasSubstr;

class IdleOptions : public testing::Test {
  protected:
    IdleOptions() {
        folder_.write("m", test::safetensors_file({{"w", "F32", {64}, test::float_weights(64, 1)}}));
        folder_.write("v.pub", public_key_pem(test::test_key().public_key()));
        folder_.write("s.pub", public_key_pem(test::test_key_p256().public_key()));
        for (const char* name : {"ca.pem", "root.json", "m.fp", "token"}) folder_.write(name, "x");
    }
    void refused(const Words& words, const char* message) const {
        const auto outcome = test::run(test::modelseal(words), {.folder = folder_.path()});
        EXPECT_EQ(outcome.code, 2) << testing::PrintToString(words) << outcome.out << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message)) << testing::PrintToString(words);
    }
    static Words joined(Words words, const Words& more) {
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    const test::Scratch folder_;
};

const char* value_for(const std::string& option) {
    if (option == "--rung") return "fp32";
    if (option == "--tensors") return "json";
    return option == "--device" ? "cpu" : "1";
}

constexpr const char* kUrl = "http://127.0.0.1:1/v2/models/m";

TEST_F(IdleOptions, OfCheckAreRefusedWithoutTheOptionThatTheyNeed) {
    const Words seal = {"check", "m", "--pub", "v.pub"};
    for (const auto& [more, needed] : std::vector<std::pair<Words, const char*>>{
             {{"--identity", "a@b.c"}, "without --trusted-root"},
             {{"--issuer", "https://i"}, "without --trusted-root"},
             {{"--trusted-root", "root.json"}, "without --identity"},
             {{"--trusted-root", "root.json", "--identity", "a@b.c"}, "without --issuer"},
             {{"--tsa-chain", "ca.pem"}, "without --cert-chain"},
             {{"--subject", "CN=a"}, "without --cert-chain"},
             {{"--signer", "s.pub", "--subject", "CN=a"}, "without --cert-chain"},
             {{"--signature", "m.sig"}, "without --signer or --cert-chain or --trusted-root"},
             {{"--ignore", "x"}, "without --signer"},
             {{"--no-ignore-git-paths"}, "without --signer"},
             {{"--ignore-unsigned-files"}, "without --signer"},
             {{"--black-box"}, "without --fingerprint"},
             {{"--responses", "d"}, "without --fingerprint"},
             {{"--rung", "fp32"}, "without --fingerprint"},
             {{"--batch", "8"}, "without --fingerprint"},
             {{"--timeout", "8"}, "without --fingerprint"},
             {{"--retries", "1"}, "without --fingerprint"},
             {{"--token-file", "token"}, "without --fingerprint"},
             {{"--ca", "ca.pem"}, "without --fingerprint"},
             {{"--tensors", "json"}, "without --fingerprint"},
             {{"--output", "logits"}, "without --fingerprint"},
             {{"--signer", "s.pub", "--cert-chain", "ca.pem"}, "cannot be used together"},
             {{"--tensor", "w", "--weights-only"}, "cannot be used together"},
             {{"--tensor", "w", "--fingerprint", "m.fp"}, "cannot be used together"},
             {{"--tensor", "w", "--scheme", "deepisign"}, "cannot be used together"},
             {{"--tensor", "[w"}, "the pattern '[w'"},
             {{"--require", "signature"}, "no key to verify the signature with"}}) {
        refused(joined(seal, more), needed);
    }
    const Words signature = {"check", "m", "--signer", "s.pub"};
    for (const auto& more : std::vector<Words>{{"--expect", "version=1"},
                                               {"--weights-only"},
                                               {"--scheme", "deepisign"},
                                               {"--fingerprint", "m.fp"}}) {
        refused(joined(signature, more), "without --pub or --key");
    }
}

TEST_F(IdleOptions, OfCheckAreRefusedWithoutATargetThatTheyConcern) {
    const Words file = {"check", "m", "--pub", "v.pub", "--fingerprint", "m.fp"};
    for (const auto& more : std::vector<Words>{{"--timeout", "8"},
                                               {"--retries", "1"},
                                               {"--token-file", "token"},
                                               {"--ca", "ca.pem"},
                                               {"--tensors", "json"},
                                               {"--output", "logits"}}) {
        refused(joined(file, more), "no target is");
    }
    refused({"check", kUrl, "--pub", "v.pub", "--tensor", "w"}, "no target is a file or folder");
    for (const char* target : {kUrl, "exec:true"}) {
        const Words served = {"check", target, "--pub", "v.pub", "--fingerprint", "m.fp"};
        for (const auto& more : std::vector<Words>{{"--device", "cpu"},
                                                   {"--expect", "version=1"},
                                                   {"--weights-only"},
                                                   {"--scheme", "deepisign"},
                                                   {"--signer", "s.pub", "--signature", "m.sig"},
                                                   {"--signer", "s.pub", "--ignore", "x"}}) {
            refused(joined(served, more), "no target is");
        }
    }
    refused({"check", "exec:true", "--pub", "v.pub", "--fingerprint", "m.fp", "--ca", "ca.pem"},
            "no target is a URL");
    refused(joined(file, {"--black-box", "--expect", "version=1"}), "whose weights are read");
    refused(joined(file, {"--responses", "d", "--device", "cpu"}), "a file or folder");
}

TEST_F(IdleOptions, OfVerifyAreRefusedWithoutTheOptionThatTheyNeed) {
    const Words key = {"verify", "m", "--signature", "m.sig", "--pub", "s.pub"};
    for (const auto& [more, needed] : std::vector<std::pair<Words, const char*>>{
             {{"--identity", "a@b.c"}, "without --trusted-root"},
             {{"--issuer", "https://i"}, "without --trusted-root"},
             {{"--tsa-chain", "ca.pem"}, "without --cert-chain"},
             {{"--subject", "CN=a"}, "without --cert-chain"},
             {{"--cert-chain", "ca.pem"}, "cannot be used together"},
             {{"--trusted-root", "root.json"}, "cannot be used together"}}) {
        refused(joined(key, more), needed);
    }
    refused({"verify", "m", "--signature", "m.sig", "--trusted-root", "root.json"}, "without --identity");
}

// A rule for every option of check that is about one kind of check: a new option must not escape the tables.
TEST_F(IdleOptions, CoverEveryOptionOfCheckThatCanBeWithoutEffect) {
    const std::set<std::string> about_every_check = {
        "--help",    "--help-all", "--pub",  "--key",       "--trust",         "--signer", "--cert-chain",
        "--require", "--all",      "--json", "--sarif",     "--html",          "--junit",  "--summary",
        "--policy",  "--from",     "--each", "--fail-fast", "--allow-symlinks"};
    cli::Context context;
    const auto program = cli::build_program(context);
    const Words seal = {"check", "m", "--pub", "v.pub"};
    for (const auto* option : program->get_subcommand("check")->get_options()) {
        if (option->get_lnames().empty()) continue;
        const auto name = "--" + option->get_lnames().front();
        if (about_every_check.contains(name) || name == "--expect" || name == "--weights-only" ||
            name == "--scheme" || name == "--fingerprint" || name == "--tensor" || name == "--device") {
            continue;
        }
        auto words = joined(seal, {name});
        if (option->get_type_size() != 0) words.push_back(value_for(name));
        refused(words, "has no effect without");
    }
}

// A check key names its vendor, and checks nothing of another's.
TEST_F(IdleOptions, IncludeTheCheckKeyOfAnotherVendor) {
    folder_.write("acme.check", new_check_key(test::test_key(2), "acme").value());
    folder_.write("other.pub", public_key_pem(test::test_key(2).public_key()));
    for (const char* command : {"check", "inspect"}) {
        refused({command, "m", "--pub", "v.pub", "--key", "acme.check"}, "belongs to vendor key");
    }
    const auto both = test::run(
        test::modelseal({"check", "m", "--pub", "v.pub", "--pub", "other.pub", "--key", "acme.check"}),
        {.folder = folder_.path()});
    EXPECT_EQ(both.code, 4) << both.err;
}

}  // namespace
}  // namespace modelseal
