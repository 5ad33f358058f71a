// The program from outside: what every command has in common.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/remedies.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using cli::hint_of;
using test::modelseal;
using test::Outcome;
using test::run;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
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

TEST(Program, HelpAndVersionAreCommandsAsWell) {
    const auto out = [](const test::Words& words) { return run(modelseal(words)).out; };
    EXPECT_EQ(out({"help"}), out({"--help"}));
    EXPECT_EQ(out({"help", "customer", "add"}), out({"customer", "add", "--help"}));
    EXPECT_EQ(out({"version"}), out({"--version"}));
    EXPECT_EQ(out({"-V"}), out({"--version"}));
    EXPECT_THAT(run(modelseal({"help", "keyegn"})).err, HasSubstr("did you mean 'keygen'?"));
}

TEST(Program, HelpShowsAnExampleAndTheFirstOptions) {
    const auto help = run(modelseal({"check", "--help"})).out;
    EXPECT_THAT(
        help,
        StartsWith("Check that models are as their vendor sealed them\n\nusage: modelseal check [TARGET...]"));
    EXPECT_THAT(help, HasSubstr("\nexamples:\n  modelseal check net.onnx --pub vendor.pub\n"));
    EXPECT_THAT(help, HasSubstr("\nmore with --help-all: signature of the files ("));
    EXPECT_THAT(help, Not(HasSubstr("--retries")));
    EXPECT_THAT(run(modelseal({"check", "--help-all"})).out, HasSubstr("--retries N"));
}

TEST(Program, HelpFitsTheTerminal) {
    for (const std::size_t columns : {40u, 60u, 80u, 100u}) {
        for (const char* command : {"check", "seal", "customer", "keygen"}) {
            const auto help =
                run(modelseal({command, "--help-all"}), {.variables = {{"COLUMNS", std::to_string(columns)}}})
                    .out;
            std::istringstream lines(help);
            for (std::string line; std::getline(lines, line);) {
                // An example is copied, and stays in one line.
                if (line.starts_with("  modelseal ")) continue;
                EXPECT_LE(line.size(), columns) << command << ": " << line;
            }
        }
    }
}

TEST(Program, WithoutACommandShowsTheUsage) {
    for (const auto& words : {test::Words{}, test::Words{"--quiet"}, test::Words{"customer"}}) {
        const Outcome outcome = run(modelseal(words));
        EXPECT_EQ(outcome.code, 2);
        EXPECT_EQ(outcome.out, "");
        EXPECT_THAT(outcome.err, HasSubstr("usage: modelseal"));
        EXPECT_THAT(outcome.err, HasSubstr("\ncommands:\n"));
    }
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
    {"ValueMissing", {"keygen", "x", "--type"}, "--type needs a value: TYPE", "'modelseal keygen --help'"},
    {"ValueNotAChoice",
     {"keygen", "x", "--type", "dsa"},
     "--type takes ed25519, p256, p384, p521 or check, not 'dsa'",
     "'modelseal keygen --help'"},
    {"ValueNotANumber",
     {"keygen", "x", "--jobs", "many"},
     "--jobs takes a number from 1 to 1024, not 'many'",
     "'modelseal keygen --help'"},
    {"NoThreads",
     {"keygen", "x", "--jobs", "0"},
     "--jobs takes a number from 1 to 1024, not '0'",
     "'modelseal keygen --help'"},
    {"NegativeThreads",
     {"keygen", "x", "--jobs", "-1"},
     "--jobs takes a number from 1 to 1024, not '-1'",
     "'modelseal keygen --help'"},
    {"StrangeColor",
     {"--color", "mauve", "keygen", "x"},
     "--color takes auto, always or never, not 'mauve'",
     "--help'"},
    {"NearChoice", {"keygen", "x", "--type", "p265"}, "--type takes ", "did you mean 'p256'?"},
    {"ValueOfAFlag", {"diff", "a", "b", "--json=maybe"}, "--json takes no value", "'modelseal diff --help'"},
    {"GivenTwice", {"keygen", "x", "--type", "p256", "--type", "p384"}, "--type may be given once", "--help'"},
    {"NotTogether", {"check", "x", "--json", "--sarif"}, "cannot be used together", "'modelseal check --help'"},
    {"LacksAnother",
     {"seal", "m", "-k", "k", "-o", "o", "--parent-pub", "v.pub"},
     "--parent-pub needs --parent",
     "'modelseal seal --help'"},
    {"WordOfOtherPrograms", {"seal", "m", "--out", "s"}, "unknown option '--out'", "did you mean '-o'?"},
    {"OptionOfOtherCommands",
     {"check", "m", "-k", "v"},
     "unknown option '-k'",
     "did you mean '--pub' or '--key'?"},
    {"PublicKey",
     {"check", "m", "--public-key", "v"},
     "unknown option '--public-key'",
     "did you mean '--pub'?"},
    {"Passphrase", {"seal", "m", "--passphrase", "v"}, "unknown option", "did you mean '--passphrase-file'?"},
    {"ControlCharacters", {"\x1b[31mred"}, "unknown command '\\x1b[31mred'", "'modelseal --help'"},
};

class Misused : public testing::TestWithParam<Misuse> {};

TEST_P(Misused, ReportsTheMistakeAndExitsWith2) {
    const test::Scratch scratch;
    const Outcome outcome = run(modelseal(GetParam().words), {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 2);
    const bool json = std::ranges::count(GetParam().words, std::string("--json")) > 0;
    EXPECT_EQ(outcome.out.empty(), !json) << "a program that asked for JSON gets the error";
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

// Three files, of which the first cannot be read and the last was changed.
class SeveralTargets : public testing::Test {
  protected:
    SeveralTargets() {
        auto sealed = test::sealed_bytes(test::small_models().front().file(), test::test_key());
        folder_.write("good", sealed);
        sealed.back() = static_cast<char>(sealed.back() ^ 1);
        folder_.write("bad", sealed);
        folder_.write("v.pub", public_key_pem(test::test_key().public_key()));
    }
    const test::Scratch folder_;
};

TEST_F(SeveralTargets, AreReportedInOrderThoughErrorsGoElsewhere) {
    const Outcome outcome =
        run({"sh", "-c", "exec \"$0\" check none good bad --pub v.pub 2>&1", MODELSEAL_PROGRAM},
            {.folder = folder_.path()});
    EXPECT_EQ(outcome.code, 1);
    const auto none = outcome.out.find("modelseal: none: "), good = outcome.out.find("good: intact"),
               bad = outcome.out.find("bad: tampered");
    EXPECT_LT(none, good) << outcome.out;
    EXPECT_LT(good, bad) << outcome.out;
    EXPECT_NE(bad, std::string::npos);
    EXPECT_THAT(outcome.out, testing::EndsWith("3 checked: 1 intact, 1 tampered, 1 could not be checked\n"));
}

TEST_F(SeveralTargets, AreNotCountedWhereNobodyAskedOrNobodyReads) {
    const test::Surroundings here{.folder = folder_.path()};
    EXPECT_THAT(run(modelseal({"check", "good", "--pub", "v.pub"}), here).out, Not(HasSubstr("checked: ")));
    EXPECT_THAT(run(modelseal({"check", "good", "bad", "--pub", "v.pub", "--quiet"}), here).out,
                Not(AnyOf(HasSubstr("checked: "), HasSubstr("intact"))));
    EXPECT_THAT(run(modelseal({"check", "good", "bad", "--pub", "v.pub", "--json"}), here).out,
                Not(HasSubstr("checked: ")));
}

// A page that cannot be written does not hide that a model was changed.
TEST_F(SeveralTargets, KeepTheirVerdictIfThePageIsLost) {
    const std::string too_long(300, 'p');
    const Outcome outcome = run(modelseal({"check", "good", "bad", "--pub", "v.pub", "--html", too_long}),
                                {.folder = folder_.path()});
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("bad: tampered"));
    EXPECT_THAT(outcome.err, HasSubstr(too_long + ": "));
}

TEST(Program, BreaksMessagesBetweenWordsOnATerminal) {
    const Outcome outcome =
        test::run_on_terminal({"bash", "-c", "stty cols 30; \"$0\" keygen x --type dsa", MODELSEAL_PROGRAM}, {},
                              {.variables = {{"NO_COLOR", "1"}}});
    EXPECT_THAT(outcome.out, HasSubstr("modelseal: --type takes\r\n"
                                       "  ed25519, p256, p384, p521 or\r\n"
                                       "  check, not 'dsa'\r\n"));
}

TEST(Program, ColorsErrorsAsItColorsResults) {
    const auto err = [](const test::Words& words, const std::map<std::string, std::string>& variables) {
        return run(modelseal(words), {.variables = variables}).err;
    };
    EXPECT_THAT(err({"--color", "always", "check"}, {}),
                StartsWith("\x1b[31mmodelseal:\x1b[0m nothing to check\n"));
    EXPECT_THAT(err({"check"}, {}), StartsWith("modelseal: nothing to check\n"));
    const auto on_terminal = [](const std::map<std::string, std::string>& variables) {
        return test::run_on_terminal(modelseal({"check"}), {}, {.variables = variables}).out;
    };
    EXPECT_THAT(on_terminal({{"TERM", "xterm"}}), HasSubstr("\x1b[31m"));
    EXPECT_THAT(on_terminal({{"TERM", "xterm"}, {"NO_COLOR", "1"}}), Not(HasSubstr("\x1b[31m")));
}

// Of 33 MB, the libraries take about 20, and the key derivation wants 16. Address sanitizers need more
// than any limit.
#ifndef MODELSEAL_SANITIZED
TEST(Program, ReportsThatMemoryIsExhausted) {
    const test::Scratch scratch;
    const test::Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    ASSERT_EQ(run(modelseal({"keygen", "v"}), here).code, 0);
    for (const char* words : {"keygen w", "keygen acme --type check -k v.key"}) {
        const Outcome outcome =
            run({"bash", "-c", std::string("ulimit -v 33000; \"$0\" ") + words, MODELSEAL_PROGRAM}, here);
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
    report.seal = SealFinding{.hint = "give it", .remedy = Remedy::accept_deepisign};
    cli::name_options(report);
    EXPECT_THAT(report.hint, HasSubstr("--pub NAME.pub"));
    EXPECT_THAT(report.missing[0].hint, HasSubstr("--fingerprint FP"));
    EXPECT_EQ(report.fingerprint->hint, "look again");
    EXPECT_THAT(report.seal->hint, HasSubstr("--scheme deepisign"));
}

}  // namespace
}  // namespace modelseal
