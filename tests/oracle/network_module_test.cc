// The module of LibTorch as a file that may be missing, or be another one; and that a check does without it.
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <zlib.h>

#include "oracle/network.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/small_models.h"

namespace modelseal {
namespace {

using testing::HasSubstr;

// In a process of its own, which has not loaded the module yet: says what open_network() says.
[[noreturn]] void open_with_module(const char* file) {
    ::setenv("MODELSEAL_TORCH_MODULE", file, 1);
    const auto network = oracle::open_network("net.pt", {});
    if (network.ok()) std::exit(1);
    std::fprintf(stderr, "%d %s; %s\n", static_cast<int>(network.error().kind), network.error().message.c_str(),
                 network.error().hint.c_str());
    std::exit(3);
}

class NetworkModuleTest : public testing::Test {
  protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(NetworkModuleTest, AMissingModuleIsNamedWithAHint) {
    EXPECT_EXIT(open_with_module("/nowhere/module.so"), testing::ExitedWithCode(3),
                "3 running a model needs the LibTorch module, and it is not there: /nowhere/module.so; .*"
                "MODELSEAL_TORCH_MODULE");
}

TEST_F(NetworkModuleTest, AModuleThatIsNoneIsNamedWithAHint) {
    EXPECT_EXIT(open_with_module("/proc/self/cmdline"), testing::ExitedWithCode(3),
                "3 the LibTorch module cannot be loaded: /proc/self/cmdline: .*MODELSEAL_TORCH_MODULE");
    Dl_info zlib{};
    ASSERT_NE(::dladdr(reinterpret_cast<void*>(&::zlibVersion), &zlib), 0);
    EXPECT_EXIT(open_with_module(zlib.dli_fname), testing::ExitedWithCode(3),
                "3 .*libz.*: not the LibTorch module of this version; .*MODELSEAL_TORCH_MODULE");
}

// What the dynamic linker opened for a whole check, be it at the start or later.
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
