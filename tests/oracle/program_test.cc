#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "oracle/endpoint.h"
#include "oracle/protocols/exec.h"
#include "tests/support/scratch.h"

namespace modelseal::oracle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const InputShape kProgramInput{"", {2}};

// The start of a Python program: both protocols, as functions.
const char* const kPrelude = R"(
import json, os, struct, sys, time
def lines():
    for line in sys.stdin:
        yield json.loads(line)
def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n"); sys.stdout.flush()
def frames():
    while True:
        prefix = sys.stdin.buffer.read(8)
        if len(prefix) < 8: return
        header, data = struct.unpack("<II", prefix)
        yield json.loads(sys.stdin.buffer.read(header)), sys.stdin.buffer.read(data)
def frame(header, data=b""):
    header = json.dumps(header).encode()
    sys.stdout.buffer.write(struct.pack("<II", len(header), len(data)) + header + data); sys.stdout.flush()
)";

class ModelProgram : public testing::Test {
  protected:
    const test::Scratch scratch_;
    EndpointOptions options_;

    Result<std::unique_ptr<Oracle>> open(const std::string& python, const std::string& scheme = "exec:") {
        const auto script = scratch_.write("a program.py", kPrelude + python);
        return connect(scheme + "python3 '" + script.string() + "' \"an argument\"", options_, kProgramInput);
    }
    Result<Answers> ask(const std::string& python, const std::string& scheme = "exec:", std::size_t count = 3) {
        MODELSEAL_TRY_ASSIGN(const auto oracle, open(python, scheme));
        std::vector<float> inputs;
        for (std::size_t i = 0; i < count; ++i) inputs.insert(inputs.end(), {static_cast<float>(i), 0.1f});
        return oracle->ask(inputs, count);
    }
};

TEST_F(ModelProgram, AnswersInLines) {
    const auto answers = ask(R"(
assert os.environ["MODELSEAL_PROTOCOL"] == "json-lines/1" and sys.argv[1] == "an argument"
for q in lines():
    assert q["shape"] == [3, 2]
    say({"id": q["id"], "outputs": [[row[1], row[0]] for row in q["inputs"]]})
)");
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_THAT(answers->values, ElementsAre(0.1f, 0, 0.1f, 1, 0.1f, 2));
}

TEST_F(ModelProgram, AnswersInFrames) {
    const auto answers = ask(R"(
assert os.environ["MODELSEAL_PROTOCOL"] == "binary/1"
for q, data in frames():
    assert q["datatype"] == "FP32" and len(data) == 24
    frame({"id": q["id"], "datatype": "FP32", "shape": q["shape"]}, data)
)",
                             "exec+binary:");
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_THAT(answers->values, ElementsAre(0, 0.1f, 1, 0.1f, 2, 0.1f));
    EXPECT_EQ(answers->significand, kFloat32Bits);
}

TEST_F(ModelProgram, AnswersWithLabels) {
    const auto in_lines = ask("for q in lines(): say({'id': q['id'], 'labels': [7, 8, 9]})\n");
    ASSERT_TRUE(in_lines.ok()) << in_lines.error().message;
    EXPECT_THAT(in_lines->labels, ElementsAre(7, 8, 9));
    const auto in_frames =
        ask("for q, data in frames(): frame({'id': q['id'], 'labels': [7, 8, 9]})\n", "exec+binary:");
    ASSERT_TRUE(in_frames.ok()) << in_frames.error().message;
    EXPECT_THAT(in_frames->labels, ElementsAre(7, 8, 9));
}

TEST_F(ModelProgram, GetsSmallerBatchesAfterItReportsAFailure) {
    const auto answers = ask(R"(
for q in lines():
    if len(q["inputs"]) > 2: say({"id": q["id"], "error": "out of memory"})
    else: say({"id": q["id"], "outputs": q["inputs"]})
)",
                             "exec:", 7);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->count, 7u);
}

TEST_F(ModelProgram, MayAnswerWhileItIsStillAsked) {
    // More than a pipe can buffer goes both ways before the question is complete.
    const auto answers = ask(R"(
sys.stdout.write(" " * 300000); sys.stdout.flush()
for q in lines(): say({"id": q["id"], "outputs": q["inputs"]})
)",
                             "exec:", 200);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->count, 200u);
}

TEST_F(ModelProgram, IsStartedAgainAfterItDied) {
    const auto count = scratch_.write("count", "");
    const auto oracle = open(R"(
open(")" + count.string() + R"(", "a").write("x")
for q in lines():
    say({"id": q["id"], "outputs": q["inputs"]})
    sys.exit(0)
)");
    ASSERT_TRUE(oracle.ok());
    const std::vector<float> inputs{1, 2};
    EXPECT_TRUE((*oracle)->ask(inputs, 1).ok());
    EXPECT_FALSE((*oracle)->ask(inputs, 1).ok());
    EXPECT_TRUE((*oracle)->ask(inputs, 1).ok());
    EXPECT_EQ(test::content_of(count), "xx");
}

// Killed is not dead yet: the kernel ends a process when it next runs it, and somebody else reaps it at some
// time. One that nobody killed is still there when the patience ends.
bool ends(pid_t process) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < patience) {
        const auto status = test::content_of("/proc/" + std::to_string(process) + "/stat");
        const auto has = [&](const char* state) { return status.find(state) != std::string::npos; };
        if (status.empty() || has(") Z") || has(") X")) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

TEST_F(ModelProgram, LeavesNoProcess) {
    const auto pids = scratch_.write("pids", "");
    {
        const auto oracle = open(R"(
import subprocess
child = subprocess.Popen(["sleep", "600"])
open(")" + pids.string() + R"(", "w").write("%d %d" % (os.getpid(), child.pid))
for q in lines(): say({"id": q["id"], "outputs": q["inputs"]})
time.sleep(600)
)");
        ASSERT_TRUE(oracle.ok());
        ASSERT_TRUE((*oracle)->ask(std::vector<float>{1, 2}, 1).ok());
    }
    pid_t program = 0, child = 0;
    std::istringstream(test::content_of(pids)) >> program >> child;
    ASSERT_GT(program, 1);
    ASSERT_GT(child, 1);
    EXPECT_EQ(::kill(program, 0), -1);
    EXPECT_TRUE(ends(child));
}

TEST_F(ModelProgram, HasALimitForAllItsAnswers) {
    options_.max_seconds = 1;
    options_.batch = 1;
    const auto begun = std::chrono::steady_clock::now();
    const auto answers =
        ask("for q in lines(): time.sleep(0.2); say({'id': q['id'], 'outputs': q['inputs']})\n", "exec:", 60);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(answers.error().message,
                testing::ContainsRegex("only [0-5] of 60 answers were received within the limit of 1 s"));
    EXPECT_THAT(answers.error().hint, HasSubstr("raise the limit"));
}

struct BadProgramCase {
    const char* python;
    const char* scheme;
    ErrorKind kind;
    const char* reason;
};

class BadProgram : public ModelProgram, public testing::WithParamInterface<BadProgramCase> {};

TEST_P(BadProgram, IsAnErrorThatStatesTheReason) {
    options_.timeout_s = std::string(GetParam().reason).find("within") != std::string::npos ? 1 : 30;
    const auto answers = ask(GetParam().python, GetParam().scheme);
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, GetParam().kind) << answers.error().message;
    EXPECT_THAT(answers.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(answers.error().message, HasSubstr("python3"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadProgram,
    testing::Values(
        BadProgramCase{"sys.stderr.write('first\\nno \\x1b such file\\n'); sys.exit(3)",
                       "exec:", ErrorKind::unreadable, "ended with status 3: 'no \\x1b such file'"},
        BadProgramCase{"os.kill(os.getpid(), 9)", "exec:", ErrorKind::unreadable, "was terminated by signal 9"},
        BadProgramCase{"os.close(1); time.sleep(600)", "exec:", ErrorKind::unreadable, "closed its standard"},
        BadProgramCase{"os.close(0); os.close(1); time.sleep(600)", "exec:", ErrorKind::unreadable,
                       "closed its standard"},
        BadProgramCase{"time.sleep(600)", "exec:", ErrorKind::unreadable, "no answer within 1 s"},
        BadProgramCase{"while True: sys.stderr.write('x' * 100000)", "exec:", ErrorKind::unreadable,
                       "no answer within 1 s"},
        BadProgramCase{"for q in lines(): sys.stdout.write('{\"id\":1,'); sys.stdout.flush()",
                       "exec:", ErrorKind::unreadable, "no answer within 1 s"},
        BadProgramCase{"for q in lines(): sys.stdout.write('{\"id\":1,'); sys.exit(0)",
                       "exec:", ErrorKind::unreadable,
                       "the program ended with status 0 and did not answer in JSON lines"},
        BadProgramCase{"sys.exit(0)", "exec+binary:", ErrorKind::unreadable,
                       "the program ended with status 0 and did not answer in frames"},
        BadProgramCase{"while True: sys.stdout.write('x' * 100000)", "exec:", ErrorKind::malformed,
                       "larger than 64 MiB"},
        BadProgramCase{"print('loading', flush=True); time.sleep(600)", "exec:", ErrorKind::malformed,
                       "the program does not answer in JSON lines, but with 'loading'"},
        BadProgramCase{"for q in lines(): say({'id': 9, 'outputs': q['inputs']})",
                       "exec:", ErrorKind::malformed, "the id 1 of the request"},
        BadProgramCase{"for q in lines(): say({'id': 1})", "exec:", ErrorKind::malformed,
                       "the answer has no outputs, no labels and no error"},
        BadProgramCase{"for q in lines(): say({'id': 1, 'outputs': [[1, 2]]})", "exec:", ErrorKind::malformed,
                       "the shape [1, 2] for 3 inputs"},
        BadProgramCase{"for q in lines(): say({'id': q['id'], 'error': 'broken'})",
                       "exec:", ErrorKind::unreadable, ": the program reports: 'broken'"},
        BadProgramCase{"print('loading the model ...', flush=True); time.sleep(600)",
                       "exec+binary:", ErrorKind::malformed, "too large a frame"},
        BadProgramCase{"for q, d in frames(): frame({'id': 1, 'datatype': 'FP32', 'shape': [3, 2]}, d[:-1])",
                       "exec+binary:", ErrorKind::malformed, "has 23 bytes"},
        BadProgramCase{"for q, d in frames(): frame({'id': 1, 'labels': [1, 2, 3]}, d)", "exec+binary:",
                       ErrorKind::malformed, "the answer has no shape and datatype, no labels and no error"}));

// Whoever writes such a program is told where the protocol is described.
TEST_F(ModelProgram, ThatKnowsNothingOfTheProtocolIsPointedToIt) {
    for (const auto* command : {"exec:true", "exec:echo hello", "exec:cat /dev/null"}) {
        const auto oracle = connect(command, {}, kProgramInput);
        ASSERT_TRUE(oracle.ok()) << command;
        const auto answers = (*oracle)->ask(std::vector<float>{1, 2}, 1);
        ASSERT_FALSE(answers.ok()) << command;
        EXPECT_THAT(answers.error().message, HasSubstr("answer in JSON lines")) << command;
        EXPECT_THAT(answers.error().hint, HasSubstr("modelseal-exec(7)")) << command;
    }
}

TEST_F(ModelProgram, ThatDoesNotExistIsAnError) {
    const auto oracle = connect("exec:no-such-program-anywhere", {}, kProgramInput);
    ASSERT_FALSE(oracle.ok());
    EXPECT_EQ(oracle.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(oracle.error().message, HasSubstr("cannot run 'no-such-program-anywhere'"));
}

TEST(Command, IsSplitLikeInAShell) {
    const auto words = split_command(R"(  run  'two words' "a \"b\" \\" c\ d ''  'x'y"z" $HOME;* )");
    ASSERT_TRUE(words.ok()) << words.error().message;
    EXPECT_THAT(*words, ElementsAre("run", "two words", "a \"b\" \\", "c d", "", "xyz", "$HOME;*"));
}

TEST(Command, WithoutAProgramOrAnEndIsRefused) {
    for (const auto* command : {"", "   ", "''", "run 'it", "run \"it", "'"}) {
        const auto words = split_command(command);
        ASSERT_FALSE(words.ok()) << command;
        EXPECT_EQ(words.error().kind, ErrorKind::usage);
    }
}

}  // namespace
}  // namespace modelseal::oracle
