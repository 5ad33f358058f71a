// The program from outside: what every command has in common.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/remedies.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using cli::hint_of;
using test::modelseal;
using test::Outcome;
using test::run;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Program, ShowsItsVersion) {
    const Outcome outcome = run(modelseal({"--version"}));
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, testing::MatchesRegex("modelseal [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    EXPECT_EQ(outcome.err, "");
}

TEST(Program, PrintsHelpOnStandardOutput) {
    for (const auto& words : {test::Words{"--help"}, test::Words{"-h"}, test::Words{"keygen", "--help"},
                              test::Words{"keygen", "-h"}}) {
        const Outcome outcome = run(modelseal(words));
        EXPECT_EQ(outcome.code, 0);
        EXPECT_THAT(outcome.out, HasSubstr("usage: modelseal "));
        EXPECT_THAT(outcome.out, HasSubstr("--quiet"));
        EXPECT_EQ(outcome.err, "");
    }
}

TEST(Program, WithoutACommandNamesTheHelpOption) {
    const Outcome outcome = run(modelseal({}));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "modelseal: modelseal needs a command\nmodelseal: hint: 'modelseal --help' shows the usage\n");
}

struct Misuse {
    const char* name;
    test::Words words;
    const char* says;
    const char* hint;
};

const Misuse kMisuses[] = {
    {"MisspeltCommand", {"keyegn", "x"}, "unknown command 'keyegn'", "did you mean 'keygen'?"},
    {"MisspeltCommandBeforeARealOne",
     {"keyegn", "keygen"},
     "unknown command 'keyegn'",
     "did you mean 'keygen'?"},
    {"StrangeCommand", {"frobnicate"}, "unknown command 'frobnicate'", "'modelseal --help'"},
    {"MisspeltOption", {"keygen", "x", "--tpye=check"}, "unknown option '--tpye'", "did you mean '--type'?"},
    {"MisspeltCommonOption", {"keygen", "x", "--quite"}, "unknown option '--quite'", "did you mean '--quiet'?"},
    {"StrangeOption",
     {"keygen", "x", "--frobnicate"},
     "unknown option '--frobnicate'",
     "'modelseal keygen --help'"},
    {"StrangeLetter", {"keygen", "x", "-z"}, "unknown option '-z'", "'modelseal keygen --help'"},
    {"WordTooMany", {"keygen", "x", "y"}, "unexpected word 'y'", "'modelseal keygen --help'"},
    {"WordMissing", {"keygen"}, "NAME is required", "'modelseal keygen --help'"},
    {"ValueMissing", {"keygen", "x", "--type"}, "--type", "'modelseal keygen --help'"},
    {"ValueNotAChoice",
     {"keygen", "x", "--type", "dsa"},
     "--type: dsa not in {ed25519,",
     "'modelseal keygen --help'"},
    {"ValueNotANumber", {"keygen", "x", "--jobs", "many"}, "--jobs: ", "'modelseal keygen --help'"},
    {"NoThreads", {"keygen", "x", "--jobs", "0"}, "--jobs: ", "'modelseal keygen --help'"},
    {"NegativeThreads", {"keygen", "x", "--jobs", "-1"}, "--jobs: ", "'modelseal keygen --help'"},
    {"StrangeColor", {"--color", "mauve", "keygen", "x"}, "--color: mauve not in", "--help'"},
    {"ControlCharacters", {"\x1b[31mred"}, "unknown command '\\x1b[31mred'", "'modelseal --help'"},
};

class Misused : public testing::TestWithParam<Misuse> {};

TEST_P(Misused, ReportsTheMistakeAndExitsWith2) {
    const test::Scratch scratch;
    const Outcome outcome = run(modelseal(GetParam().words), {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("modelseal: "));
    EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
    EXPECT_THAT(outcome.err, HasSubstr(std::string("\nmodelseal: hint: ")));
    EXPECT_THAT(outcome.err, HasSubstr(GetParam().hint));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

INSTANTIATE_TEST_SUITE_P(Table, Misused, testing::ValuesIn(kMisuses),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Program, AcceptsCommonOptionsBeforeAndAfterTheCommand) {
    const test::Scratch scratch;
    const test::Surroundings here{.folder = scratch.path()};
    EXPECT_EQ(run(modelseal({"--quiet", "--jobs", "2", "keygen", "a", "--no-passphrase"}), here).out, "");
    EXPECT_EQ(run(modelseal({"keygen", "b", "--no-passphrase", "--quiet", "--jobs=2"}), here).out, "");
    EXPECT_NE(run(modelseal({"keygen", "c", "--no-passphrase"}), here).out, "");
}

TEST(Program, AcceptsAFileThatIsNamedLikeACommand) {
    const test::Scratch scratch;
    const Outcome outcome =
        run(modelseal({"keygen", "completion", "--no-passphrase"}), {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(std::filesystem::exists(scratch / "completion.key"));
}

TEST(Program, FailsWhenItsOutputIsLost) {
    const Outcome outcome = run({"sh", "-c", "exec \"$0\" completion bash > /dev/full", MODELSEAL_PROGRAM});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.err, "modelseal: could not write to standard output: No space left on device\n");
}

TEST(Program, ExitsWith1OnAMismatchEvenIfItsOutputIsLost) {
    const test::Scratch scratch;
    const auto key = test::test_key();
    auto sealed = test::sealed_bytes(test::small_models().front().file(), key);
    sealed.back() = static_cast<char>(sealed.back() ^ 1);
    scratch.write("net", sealed);
    scratch.write("v.pub", public_key_pem(key.public_key()));
    const Outcome outcome =
        run({"sh", "-c", "exec \"$0\" check net --pub v.pub > /dev/full", MODELSEAL_PROGRAM},
            {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 1);
}

// Of 20 MB, the key derivation alone wants 16. Address sanitizers need more than any limit.
#ifndef MODELSEAL_SANITIZED
TEST(Program, ReportsThatMemoryIsExhausted) {
    const test::Scratch scratch;
    const test::Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    ASSERT_EQ(run(modelseal({"keygen", "v"}), here).code, 0);
    for (const char* words : {"keygen w", "keygen acme --type check -k v.key"}) {
        const Outcome outcome =
            run({"bash", "-c", std::string("ulimit -v 24000; \"$0\" ") + words, MODELSEAL_PROGRAM}, here);
        EXPECT_EQ(outcome.code, 3) << words;
        EXPECT_EQ(outcome.err, "modelseal: out of memory\n") << words;
    }
}
#endif

TEST(Program, IgnoresABrokenPipe) {
    const Outcome outcome =
        run({"bash", "-c", "\"$0\" completion bash | true; exit ${PIPESTATUS[0]}", MODELSEAL_PROGRAM});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
}

TEST(Remedies, EachHasALineThatNamesAnOptionOrACommand) {
    EXPECT_EQ(hint_of(Remedy::none), "");
    for (int i = 1; i <= static_cast<int>(kLastRemedy); ++i) {
        const std::string hint(hint_of(static_cast<Remedy>(i)));
        EXPECT_THAT(hint, testing::ContainsRegex("--[a-z]|'modelseal |'pkcs11-tool |-[ko] [A-Z]|with -o")) << i;
        EXPECT_FALSE(hint.ends_with('.')) << hint;
    }
}

TEST(Remedies, TakeThePlaceOfTheHintsOfTheLibrary) {
    EXPECT_EQ(hint_of(Error{ErrorKind::usage, "m", "look again"}), "look again");
    EXPECT_THAT(hint_of(Error{ErrorKind::usage, "m", "give it", Remedy::use_cpu}), HasSubstr("--device cpu"));
    CheckReport report{.hint = "give it", .remedy = Remedy::give_public_key};
    report.missing.push_back({.hint = "give it", .remedy = Remedy::give_fingerprint});
    report.fingerprint = FingerprintFinding{.hint = "look again"};
    cli::name_options(report);
    EXPECT_THAT(report.hint, HasSubstr("--pub NAME.pub"));
    EXPECT_THAT(report.missing[0].hint, HasSubstr("--fingerprint FP"));
    EXPECT_EQ(report.fingerprint->hint, "look again");
}

}  // namespace
}  // namespace modelseal
