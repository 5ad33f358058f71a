// The worker as a program that may be missing, or be another one; and that a check does without LibTorch.
#include <cstdio>
#include <cstdlib>

#include <gmock/gmock.h>

#include "oracle/network.h"
#include "tests/support/models/script_file.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

// In a process of its own, because of its environment: says what open_network() says.
[[noreturn]] void open_with_worker(const std::string& model, const char* worker) {
    ::setenv("MODELSEAL_WORKER", worker, 1);
    const auto network = oracle::open_network(model, {.input_shape = test::kSmallInput});
    if (network.ok()) std::exit(1);
    std::fprintf(stderr, "%d %s; %s\n", static_cast<int>(network.error().kind), network.error().message.c_str(),
                 network.error().hint.c_str());
    std::exit(3);
}

class WorkerProgram : public testing::Test {
  protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        const auto bytes = test::small_network().build();
        model_ = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).string();
    }
    test::Scratch scratch_;
    std::string model_;
};

TEST_F(WorkerProgram, IsNamedWithAHintIfMissing) {
    EXPECT_EXIT(open_with_worker(model_, "/nowhere/worker"), testing::ExitedWithCode(3),
                "3 the program modelseal-worker, which runs models, was not found: /nowhere/worker; .*"
                "MODELSEAL_WORKER");
}

TEST_F(WorkerProgram, IsRefusedIfItIsAnotherProgram) {
    EXPECT_EXIT(open_with_worker(model_, "/proc/self/cmdline"), testing::ExitedWithCode(3),
                "3 /proc/self/cmdline: .*MODELSEAL_WORKER");
    EXPECT_EXIT(open_with_worker(model_, "/bin/false"), testing::ExitedWithCode(3),
                "3 .*net.pt: the run failed: the worker ended with status 1");
}

// The libraries that the dynamic linker opened during a complete check.
TEST(SealCheck, DoesNotLoadLibTorch) {
    const test::Scratch folder;
    folder.write("model.safetensors",
                 test::safetensors_file({{"w", "F32", {64, 64}, test::float_weights(1 << 12, 1)}}));
    const auto runs = [&](test::Words words) {
        return test::run(
            test::modelseal(std::move(words)),
            {.folder = folder.path(), .variables = {{"LD_DEBUG", "files"}, {"LD_DEBUG_OUTPUT", "opened"}}});
    };
    ASSERT_EQ(runs({"keygen", "v", "--no-passphrase"}).code, 0);
    ASSERT_EQ(runs({"seal", "model.safetensors", "-k", "v.key", "-o", "sealed"}).code, 0);
    ASSERT_EQ(runs({"check", "sealed", "--pub", "v.pub"}).code, 0);
    int linked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        if (!entry.path().filename().string().starts_with("opened")) continue;
        const auto opened = test::content_of(entry.path());
        EXPECT_EQ(opened.find("libtorch"), opened.npos);
        linked += opened.find("libcrypto") != opened.npos ? 1 : 0;
    }
    EXPECT_EQ(linked, 3) << "the dynamic linker did not say what it opened";
}

}  // namespace
}  // namespace modelseal
