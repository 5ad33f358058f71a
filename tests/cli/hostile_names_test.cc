// Whatever a file is called and whatever it holds, nothing that acts on a terminal or hides in a name is
// printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::test {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

// ESC, a right-to-left override, an Arabic letter mark, a line separator, a zero width space, a tag.
const std::vector<std::string> kActing = {"\x1b",         "\xe2\x80\xae", "\xd8\x9c",
                                          "\xe2\x80\xa8", "\xe2\x80\x8b", "\xf3\xa0\x81\x81"};

std::string hostile(const std::string& name) {
    std::string all = name;
    for (const auto& each : kActing) all += each;
    return all + "\x1b[31mred\nmodelseal: intact\x07";
}

void expect_harmless(const std::string& text, const std::string& where) {
    for (const auto& each : kActing) EXPECT_EQ(text.find(each), text.npos) << where;
    EXPECT_EQ(text.find('\x07'), text.npos) << where;
    EXPECT_EQ(text.find("\nmodelseal: intact"), text.npos) << where;
}

class HostileNames : public testing::Test {
  protected:
    Outcome run_in(const Words& words) {
        const auto outcome = run(modelseal(words), {.folder = folder_.path()});
        std::string shown;
        for (const auto& word : words) shown += word.substr(0, 12) + " ";
        expect_harmless(outcome.out, shown + "(out)");
        expect_harmless(outcome.err, shown + "(err)");
        return outcome;
    }

    const Scratch folder_;
};

TEST_F(HostileNames, AreEscapedByEveryCommand) {
    const auto h = [](const char* name) { return hostile(name); };
    const auto bytes = safetensors_file({{hostile("w"), "F32", {512, 128}, float_weights(65536, 1)}},
                                        R"({"key\u001b[31m\u202e":"\u061c\u2028\u200b"})");
    folder_.write(h("m"), bytes);
    folder_.write(h("text"), "no model");
    folder_.write(fs::path(h("net")) / h("m"), bytes);
    folder_.write(fs::path(h("net")) / h("config"), "{}");
    const std::vector<std::pair<Words, int>> steps = {
        {{"keygen", h("v"), "--no-passphrase"}, 0},
        {{"keygen", h("v"), "--no-passphrase"}, 3},
        {{"keygen", h("e"), "--type", "p256", "--no-passphrase"}, 0},
        {{"keygen", h("c"), "--type", "check", "-k", h("v") + ".key", "--customer", "acme"}, 0},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("s"), "--receipt", h("r"), "--stamp",
          h("key") + "=" + h("value")},
         0},
        {{"seal", h("s"), "-k", h("v") + ".key", "-o", h("t")}, 3},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("m")}, 2},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("t"), "--receipt", h("t")}, 2},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("t"), "--receipt", h("r")}, 2},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("t"), "--parent", h("m")}, 1},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("t"), "--parent", h("text")}, 3},
        {{"seal", h("m"), "-k", h("text"), "-o", h("t")}, 3},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("none") + "/t"}, 3},
        {{"seal", h("text"), "-k", h("v") + ".key", "-o", h("t")}, 3},
        {{"seal", h("net"), "-k", h("v") + ".key", "-o", h("sealed")}, 0},
        {{"seal", h("net"), "-k", h("v") + ".key", "-o", h("sealed")}, 3},
        {{"seal", h("net"), "-k", h("v") + ".key", "-o", h("net") + "/inside"}, 2},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("ds"), "--scheme", "deepisign"}, 0},
        {{"check", h("s"), h("sealed"), "--pub", h("v") + ".pub"}, 0},
        {{"check", h("m"), "--pub", h("v") + ".pub"}, 4},
        {{"check", h("text"), "--pub", h("v") + ".pub"}, 3},
        {{"check", h("none"), "--pub", h("v") + ".pub"}, 3},
        {{"check", h("s"), "--pub", h("text")}, 3},
        {{"check", h("s"), "--pub", h("v") + ".pub", "--expect", h("key") + "=" + h("other")}, 1},
        {{"check", h("s"), "--pub", h("v") + ".pub", "--json"}, 0},
        {{"check", h("s"), "--pub", h("v") + ".pub", "--sarif"}, 0},
        {{"check", h("s"), h("m"), "--pub", h("v") + ".pub", "--html", "page.html"}, 4},
        {{"check", h("s"), "--pub", h("v") + ".pub", "--html", h("v") + ".pub"}, 2},
        {{"unseal", h("s"), "--receipt", h("r"), "-o", h("back")}, 0},
        {{"unseal", h("m"), "--receipt", h("r"), "-o", h("t")}, 1},
        {{"unseal", h("s"), "--receipt", h("text"), "-o", h("t")}, 3},
        {{"inspect", h("m")}, 0},
        {{"inspect", h("m"), "--json"}, 0},
        {{"inspect", h("sealed")}, 0},
        {{"inspect", h("r")}, 0},
        {{"inspect", h("v") + ".key"}, 0},
        {{"inspect", h("v") + ".pub"}, 0},
        {{"inspect", h("c") + ".check"}, 0},
        {{"inspect", h("text")}, 3},
        {{"diff", h("m"), h("s")}, 1},
        {{"diff", h("m"), h("text")}, 3},
        {{"sign", h("m"), "-k", h("e") + ".key", "-o", h("g")}, 0},
        {{"sign", h("m"), "-k", h("e") + ".key", "-o", h("e") + ".key"}, 2},
        {{"inspect", h("g")}, 0},
        {{"verify", h("m"), "--signature", h("g"), "--pub", h("e") + ".pub"}, 0},
        {{"verify", h("s"), "--signature", h("g"), "--pub", h("e") + ".pub"}, 1},
        {{"verify", h("m"), "--signature", h("text"), "--pub", h("e") + ".pub"}, 3},
        {{"customer", "add", h("acme"), "-k", h("v") + ".key", "--ledger", h("book")}, 2},
        {{"customer", "add", "acme", "-k", h("v") + ".key", "--ledger", h("book"), "-o", h("acme")}, 0},
        {{"customer", "show", h("nobody"), "--ledger", h("book")}, 3},
        {{"seal", h("m"), "-k", h("v") + ".key", "-o", h("u"), "--for", "acme", "--ledger", h("book")}, 0},
        {{"customer", "list", "--ledger", h("book")}, 0},
        {{"customer", "show", "acme", "--ledger", h("book")}, 0},
        {{"customer", "list", "--ledger", h("text")}, 3},
        {{"fingerprint", h("text"), "-k", h("v") + ".key", "-o", h("f")}, 3},
        {{"fingerprint", h("m"), "-k", h("v") + ".key", "-o", h("r")}, 2},
        {{"challenge", h("text"), "--pub", h("v") + ".pub", "-o", h("d")}, 3},
        {{"check", "--fingerprint", h("text"), "--responses", h("d"), "--pub", h("v") + ".pub"}, 3},
        {{"check", "exec:printf '\\033]0;x\\007\\342\\200\\256'", "--fingerprint", h("text"), "--pub",
          h("v") + ".pub"},
         3},
        {{h("command")}, 2},
        {{"seal", "--" + h("option")}, 2},
    };
    for (const auto& [words, code] : steps) {
        const auto outcome = run_in(words);
        EXPECT_EQ(outcome.code, code) << words[0] << " " << words.back() << "\n" << outcome.out << outcome.err;
    }
    const auto page = content_of(folder_ / "page.html");
    expect_harmless(page, "the page");
    EXPECT_THAT(page, HasSubstr("\\x1b"));
}

// The last line of defense keeps requested colors.
TEST_F(HostileNames, EscapingLeavesColorsAlone) {
    folder_.write("m", safetensors_file({{"w", "F32", {64, 128}, float_weights(8192, 1)}}));
    ASSERT_EQ(run_in({"keygen", "v", "--no-passphrase"}).code, 0);
    const auto colored = run(modelseal({"--color", "always", "seal", "m", "-k", "v.key", "-o", "s"}),
                             {.folder = folder_.path()});
    EXPECT_THAT(colored.out, HasSubstr("\x1b[32msealed\x1b[0m s\n"));
}

}  // namespace
}  // namespace modelseal::test
