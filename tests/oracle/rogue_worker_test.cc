// A worker that a hostile file has taken over: whatever it answers is an error, exit status 3, and shown
// harmlessly.
#include <filesystem>

#include <gmock/gmock.h>

#include "oracle/training.h"
#include "tests/support/models/script_file.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;
using testing::Not;

// Python that answers each request by "do".
constexpr const char* kWorker = R"(#!/usr/bin/python3
import json, os, socket
s = socket.socket(fileno=3)
good = {"enter": {"landlock": 7, "seccomp": True},
        "open": {"input_name": "x", "input_shape": [2, 5, 5], "runtime": "r", "devices": ["cpu"]},
        "outputs": {"count": 3, "classifies": True}, "classes": {"classes": 3}, "ask": {},
        "coverage": {"tensors": 1}, "covered": {"covered": [{"name": "w", "weights": 9, "noticed": 5, "dead": 4}]}, "gradient": {"outputs": True},
        "generator": {}, "generator_step": {"loss": 1.5, "matched": 2}, "generated": {}, "training": {},
        "add_class": {}, "train": {"loss": 1.5, "matched": 1}, "save": {"bytes": 10}, "fetch": {}}
while True:
    request = s.recv(1 << 16)
    if not request: break
    do = json.loads(request)["do"]
    if do in good:
        answer = good[do]
        ROGUE
        s.send(answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode("latin-1"))
)";

class RogueWorker : public testing::Test {
  protected:
    // The network of such a worker, with this line before each answer.
    Result<std::unique_ptr<TrainableNetwork>> opened(const std::string& line) {
        std::string program = kWorker;
        program.replace(program.find("ROGUE"), 5, line);
        const auto worker = scratch_.write("worker.py", program);
        std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
        const auto bytes = test::small_network().build();
        const auto model =
            scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        const char* before = std::getenv("MODELSEAL_WORKER");
        const std::string kept = before == nullptr ? "" : before;
        ::setenv("MODELSEAL_WORKER", worker.c_str(), 1);
        const auto files = model::open_model(model);
        auto network = open_trainable(
            *files, {.input_shape = test::kSmallInput, .max_bytes = 1u << 20, .max_seconds = 20});
        kept.empty() ? ::unsetenv("MODELSEAL_WORKER") : ::setenv("MODELSEAL_WORKER", kept.c_str(), 1);
        return network;
    }

    // What `use` makes of that network.
    template <class Use>
    Error error_with(const std::string& line, Use use) {
        const auto network = opened(line);
        return network.ok() ? use(**network) : network.error();
    }

    // The first error of opening, asking and differentiating.
    Error error_of(const std::string& line) {
        return error_with(line, [](Network& network) {
            const std::vector<float> input(50, 0.5f);
            if (const auto answers = network.ask(input, 1); !answers.ok()) return answers.error();
            const auto derivative = network.gradient(input, 1, [](std::span<const float>, std::span<float>) {});
            return derivative.ok() ? Error{ErrorKind::internal, "it answered", {}} : derivative.error();
        });
    }

    // The first error of a step of training, saving, and one more class.
    Error error_of_training(const std::string& line) {
        return error_with(line, [](TrainableNetwork& network) {
            const std::vector<float> input(50, 0.5f);
            if (const auto step = network.train(input, std::vector<float>{1, 0, 0}); !step.ok())
                return step.error();
            if (const auto file = network.save(); !file.ok()) return file.error();
            const auto added = network.add_class(1);
            return added.ok() ? Error{ErrorKind::internal, "it answered", {}} : added.error();
        });
    }

    test::Scratch scratch_;
};

TEST_F(RogueWorker, ThatBehavesIsTrained) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    const auto error = error_with("", [](TrainableNetwork& network) {
        const auto step = network.train(std::vector<float>(50, 0.5f), std::vector<float>{0, 0, 1});
        EXPECT_TRUE(step.ok() && step->loss == 1.5 && step->matched == 1);
        const auto file = network.save();
        EXPECT_TRUE(file.ok() && file->size() == 10);
        return Error{ErrorKind::internal, "it answered", {}};
    });
    EXPECT_EQ(error.message, "it answered");
}

TEST_F(RogueWorker, IsNotBelieved) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    const struct {
        const char* line;
        const char* message;
    } rows[] = {
        {"answer = b'nothing of the kind'", "broke its protocol"},
        {"answer = [1, 2]", "broke its protocol"},
        {"answer = b'[' * 60000", "broke its protocol"},
        {"answer = b'{\"a\":' * 12000 + b'1' + b'}' * 3000", "broke its protocol"},
        {"answer = b'{\"a\":' * 8000 + b'1' + b'}' * 8000", ", and the model has no intact seal"},
        {"answer = {} if do == 'enter' else answer", ", and the model has no intact seal"},
        {"answer = {'landlock': 0, 'seccomp': True} if do == 'enter' else answer", "no Landlock"},
        {"answer = {'landlock': 7, 'seccomp': 'yes'} if do == 'enter' else answer", "no seccomp"},
        {"answer = dict(answer, input_shape=[]) if do == 'open' else answer", "(shape)"},
        {"answer = dict(answer, input_shape=[0]) if do == 'open' else answer", "(shape)"},
        {"answer = dict(answer, input_shape=[-1]) if do == 'open' else answer", "(shape)"},
        {"answer = dict(answer, input_shape=[2**31, 2**31]) if do == 'open' else answer", "(shape)"},
        {"answer = dict(answer, devices=[]) if do == 'open' else answer", "(devices)"},
        {"answer = dict(answer, devices=[1]) if do == 'open' else answer", "(devices)"},
        {"answer = dict(answer, warnings=[1]) if do == 'open' else answer", "(warnings)"},
        {"answer = {'count': 0, 'classifies': True} if do == 'outputs' else answer", "(outputs)"},
        {"answer = {'count': 2**63, 'classifies': True} if do == 'outputs' else answer", "(outputs)"},
        {"answer = {'count': 3} if do == 'outputs' else answer", "(outputs)"},
        {"answer = {} if do == 'gradient' else answer", "a gradient without outputs"},
        {"answer = {'error': 1} if do == 'ask' else answer", "an error without a message"},
        {"os.abort()", "the worker crashed: signal 6"},
        {"os._exit(0)", "the worker ended with status 0"},
    };
    for (const auto& row : rows) {
        const auto error = error_of(row.line);
        EXPECT_THAT(error.message, HasSubstr(row.message)) << row.line;
        EXPECT_THAT(error.message, HasSubstr("net.pt: ")) << row.line;
        EXPECT_TRUE(error.kind == ErrorKind::malformed || error.kind == ErrorKind::unsupported) << row.line;
    }
}

TEST_F(RogueWorker, IsNotBelievedAboutItsClasses) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    for (const char* line : {"answer = {'classes': 1} if do == 'classes' else answer",
                             "answer = {'classes': 2**63} if do == 'classes' else answer"}) {
        const auto network = opened(line);
        ASSERT_TRUE(network.ok()) << network.error().message;
        EXPECT_THAT((*network)->classes().error().message, HasSubstr("(classes)")) << line;
    }
}

TEST_F(RogueWorker, IsNotBelievedAboutWhatItsWeightsDo) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    const std::vector<float> input(50, 0.5f), cotangents{1, 0, 0};
    const std::vector<Noticing> ways = {{.limits = {0.5f}, .needed = 1}};
    const auto asked = [&](const char* line) {
        return opened(line).value()->coverage(
            {.inputs = input, .cotangents = cotangents, .count = 1, .ways = ways});
    };
    const auto good = asked("");
    ASSERT_TRUE(good.ok()) << good.error().message;
    EXPECT_EQ(good->front().noticed, 5u);
    for (const char* line :
         {"if do == 'coverage': answer = {}", "if do == 'coverage': answer = {'tensors': 2**40}",
          "if do == 'covered': answer = {'covered': []}", "if do == 'covered': answer = {'covered': [1]}",
          "if do == 'covered': answer['covered'][0]['noticed'] = 10",
          "if do == 'covered': answer['covered'][0]['dead'] = 5",
          "if do == 'covered': answer['covered'][0]['weights'] = 2**40",
          "if do == 'covered': answer['covered'] *= 2"}) {
        const auto covered = asked(line);
        ASSERT_FALSE(covered.ok()) << line;
        EXPECT_EQ(covered.error().kind, ErrorKind::malformed) << line;
    }
}

// Three triggers in [0.5, 1]; the shared memory still has their noise.
TEST_F(RogueWorker, IsNotBelievedAboutAGenerator) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    const std::vector<float> noise(3 * kGeneratorNoise, 0.25f);
    const std::vector<std::int64_t> labels{0, 1, 2};
    for (const char* line :
         {"", "if do == 'generator_step': answer = {}", "if do == 'generator_step': answer = {'loss': 1}",
          "if do == 'generator_step': answer = {'loss': 1, 'matched': 4}",
          "if do == 'generator_step': answer = {'loss': 1, 'matched': -1}",
          "if do == 'generator_step': answer = {'loss': '1', 'matched': 0}",
          "if do == 'generator_step': answer = {'matched': 0}",
          "if do == 'generator_step': answer = b'{\"loss\": 1e999, \"matched\": 0}'"}) {
        const auto network = opened(line);
        ASSERT_TRUE(network.ok()) << network.error().message;
        ASSERT_TRUE((*network)->begin_generator({.low = 0.5f}, noise, labels).ok());
        const auto step = (*network)->generator_step();
        EXPECT_EQ(step.ok(), std::string(line).empty()) << line;
        if (step.ok()) {
            EXPECT_EQ(step->loss, 1.5);
            EXPECT_EQ(step->matched, 2u);
        }
        const auto images = (*network)->generated();
        ASSERT_FALSE(images.ok());
        const auto& error = step.ok() ? images.error() : step.error();
        EXPECT_EQ(error.kind, ErrorKind::malformed);
        EXPECT_THAT(error.message, HasSubstr("net.pt: the worker broke its protocol"));
    }
}

TEST_F(RogueWorker, IsNotBelievedAboutTraining) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    const struct {
        const char* line;
        const char* message;
    } rows[] = {
        {"answer = {} if do == 'train' else answer", "(the loss)"},
        {"answer = {'loss': 1, 'matched': 2} if do == 'train' else answer", "(the loss)"},
        {"answer = {'loss': 'much', 'matched': 0} if do == 'train' else answer", "(the loss)"},
        {"answer = {} if do == 'save' else answer", "(the size of the file)"},
        {"answer = {'bytes': 0} if do == 'save' else answer", "(the size of the file)"},
        {"answer = {'bytes': 2**40} if do == 'save' else answer", "the limit is 1048576"},
        {"answer = answer", "(classes)"},  // as many as before
    };
    for (const auto& row : rows) {
        const auto error = error_of_training(row.line);
        EXPECT_THAT(error.message, HasSubstr(row.message)) << row.line;
        EXPECT_TRUE(error.kind == ErrorKind::malformed || error.kind == ErrorKind::unsupported) << row.line;
    }
}

TEST_F(RogueWorker, CannotReportAMismatchNorWriteToTheTerminal) {
    if (!test::installed("python3")) GTEST_SKIP() << "python3 is not installed";
    for (const int kind : {4, 5, 99}) {
        const auto error = error_of("answer = {'error': {'kind': " + std::to_string(kind) +
                                    ", 'message': 'owned \\x1b[31m', 'hint': '\\x1b[0m'}}");
        EXPECT_EQ(error.kind, ErrorKind::malformed);
        EXPECT_THAT(error.message + error.hint, Not(HasSubstr("\x1b")));
    }
}

}  // namespace
}  // namespace modelseal::oracle
