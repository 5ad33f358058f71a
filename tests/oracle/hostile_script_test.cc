// TorchScript that means harm: refused, or stopped by the worker's sandbox and limits, with nothing touched.
#include <csignal>

#include <gmock/gmock.h>

#include "oracle/network.h"
#include "tests/support/models/script_file.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;
using testing::Not;

class HostileScript : public testing::Test {
  protected:
    void SetUp() override { MODELSEAL_NEED_TORCH(); }

    // The small network with more lines before its own, opened and asked once: the first error.
    Error error_of(const std::vector<std::string>& lines, NetworkOptions options = {},
                   const std::string& more = {}) {
        auto file = test::small_network();
        // What nobody uses is left out by LibTorch's compiler, so that the answer uses _9.
        if (!lines.empty() && lines.back().starts_with("_9 = ")) {
            file.body.back() = "return torch.add(torch.matmul(_1, torch.t(self.v)), torch.sum(_9))";
        }
        file.body.insert(file.body.begin(), lines.begin(), lines.end());
        file.more = more;
        return error_of(file, std::move(options));
    }
    Error error_of(const test::ScriptFile& file, NetworkOptions options = {}) {
        const auto bytes = file.build();
        const auto path = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        options.device = "cpu";
        options.input_shape = test::kSmallInput;
        const auto network = open_network(path.string(), options);
        if (!network.ok()) return network.error();
        const std::vector<float> input(50, 0.5f);
        const auto answers = network.value()->ask(input, 1);
        return answers.ok() ? Error{ErrorKind::internal, "it answered", {}} : answers.error();
    }
    std::string quoted(const std::string& name) const { return "\"" + (scratch_ / name).string() + "\""; }

    test::Scratch scratch_;
};

TEST_F(HostileScript, OperatorsBeyondTheListAreRefusedHoweverTheyAreSpelled) {
    scratch_.write("secret", std::string(400, 's'));
    const auto secret = quoted("secret"), stolen = quoted("stolen");
    const struct {
        std::string line;
        const char* operation;
    } rows[] = {
        {"torch.save(x, " + stolen + ")", "aten::save"},
        {"torch . save ( x , " + stolen + " )", "aten::save"},
        {"getattr(torch, \"sa\\166e\")(x, " + stolen + ")", "aten::save"},
        {"_9 = torch.from_file(" + secret + ", False, 10)", "aten::from_file"},
        {"_9 = getattr(torch, \"from\\137file\")(" + secret + ", False, 10, dtype=0)", "aten::from_file"},
        {"_9 = torch.set_(x, x)", "aten::set_"},
        {"_9 = torch.as_strided(x, [100000], [1], 0)", "aten::as_strided"},
        {"_9 = torch.resize_(x, [100000])", "aten::resize_"},
        {"torch.manual_seed(1)", "aten::manual_seed"},
        {"_9 = torch.empty([1000000])", "aten::empty"},
    };
    for (const auto& row : rows) {
        const auto error = error_of({row.line});
        EXPECT_EQ(error.kind, ErrorKind::unsupported) << row.line;
        EXPECT_THAT(error.message, HasSubstr(row.operation)) << row.line;
        EXPECT_THAT(error.message, HasSubstr("net.pt: ")) << row.line;
    }
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "stolen"));
}

TEST_F(HostileScript, MethodsThatNobodyCallsAndBranchesThatNobodyTakesCountAsWell) {
    EXPECT_THAT(
        error_of(
            {}, {},
            "  def spare(self: __torch__.Net, y: Tensor) -> int:\n    torch.save(y, \"f\")\n    return 1\n")
            .message,
        HasSubstr("aten::save"));
    EXPECT_THAT(
        error_of({"if bool(torch.gt(torch.sum(x), 1000000)):", "  torch.save(x, \"f\")", "else:", "  pass"})
            .message,
        HasSubstr("aten::save"));
    EXPECT_THAT(error_of({}, {},
                         "class Spare(Module):\n  __parameters__ = []\n  __buffers__ = []\n"
                         "  def __setstate__(self: __torch__.Spare, s: int) -> None:\n"
                         "    torch.save(torch.ones([1]), \"f\")\n    return None\n")
                    .message,
                HasSubstr("aten::save"));
}

TEST_F(HostileScript, ThatNeverEndsIsStopped) {
    const auto error = error_of({"_7 = 0", "while True:", "  _7 = torch.add(_7, 1)"}, {.max_seconds = 2});
    EXPECT_EQ(error.kind, ErrorKind::unsupported);
    EXPECT_THAT(error.message, HasSubstr(": the run was stopped after the limit of 2 s"));
}

TEST_F(HostileScript, ThatTakesAllMemoryIsRefusedIt) {
    for (const auto& lines : {std::vector<std::string>{"_9 = torch.ones([1099511627776])"},
                              std::vector<std::string>{"_6 = annotate(List[Tensor], [])", "while True:",
                                                       "  _5 = torch.append(_6, torch.ones([10000000]))"}}) {
        const auto error = error_of(lines, {.max_memory = 512u << 20, .max_seconds = 8});
        EXPECT_EQ(error.kind, ErrorKind::unsupported) << error.message;
        EXPECT_THAT(error.message, HasSubstr("net.pt: ")) << error.message;
    }
}

TEST_F(HostileScript, NothingThatItPrintsReachesTheTerminal) {
    auto file = test::small_network();
    file.body.insert(file.body.begin(), {"print(\"\\033[31mowned\")", "torch.warn(\"\\033[31mowned\")"});
    const auto bytes = file.build();
    scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const test::Surroundings here{.folder = scratch_.path()};
    ASSERT_EQ(test::run(test::modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    const auto made = test::run(test::modelseal({"fingerprint", "net.pt", "-k", "v.key", "-o", "net.fp",
                                                 "--pairs", "2", "--input-shape", "2,5,5", "--device", "cpu"}),
                                here);
    EXPECT_THAT(made.out + made.err, Not(HasSubstr("owned"))) << made.err;
    EXPECT_THAT(made.out + made.err, Not(HasSubstr("\033"))) << made.err;
}

TEST_F(HostileScript, AMessageOfItsOwnIsShownWithoutItsControls) {
    const auto error = error_of({"ops.prim.RaiseException(\"\\033[31mowned\\n\")"});
    EXPECT_THAT(error.message, Not(HasSubstr("\033")));
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
}

// A worker that dies is an error like any other. Where a model may crash LibTorch is LibTorch's secret, so the
// worker is killed here.
TEST_F(HostileScript, ACrashIsAnError) {
    auto file = test::small_network();
    const auto bytes = file.build();
    const auto path = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const auto network = open_network(path.string(), {.device = "cpu", .input_shape = test::kSmallInput});
    ASSERT_TRUE(network.ok()) << network.error().message;
    const auto children = test::content_of("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    ::kill(std::stoi(children.substr(children.find_last_of(' ', children.size() - 2) + 1)), SIGSEGV);
    const std::vector<float> input(50, 0.5f);
    for (int again = 0; again < 2; ++again) {
        const auto answers = network.value()->ask(input, 1);
        ASSERT_FALSE(answers.ok());
        EXPECT_EQ(answers.error().kind, ErrorKind::unsupported);
        EXPECT_THAT(answers.error().message, HasSubstr("the worker "));
    }
}

}  // namespace
}  // namespace modelseal::oracle
