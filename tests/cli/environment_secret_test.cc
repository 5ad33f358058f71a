#include <cstdlib>

#include <gmock/gmock.h>

#include "cli/options/secrets.h"
#include "oracle/subprocess.h"
#include "tests/support/scratch.h"
#include "worker/process.h"

namespace modelseal::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(EnvironmentSecret, IsTakenOutOfTheEnvironmentAndKept) {
    ::setenv("MODELSEAL_SECRET_OF_A_TEST", "hunter2", 1);
    const char* in_place = std::getenv("MODELSEAL_SECRET_OF_A_TEST");
    EXPECT_EQ(environment_secret("MODELSEAL_SECRET_OF_A_TEST"), "hunter2");
    EXPECT_EQ(std::getenv("MODELSEAL_SECRET_OF_A_TEST"), nullptr);
    EXPECT_EQ(in_place[0], '\0');
    EXPECT_EQ(environment_secret("MODELSEAL_SECRET_OF_A_TEST"), "hunter2");
    EXPECT_EQ(environment_secret("MODELSEAL_NOTHING_OF_A_TEST"), std::nullopt);
}

// Also where nobody took them out before, as in a program that uses the library.
TEST(EnvironmentSecret, IsNotHandedOnToPrograms) {
    const test::Scratch scratch;
    for (const char* variable : {kPassphraseVariable, kTokenVariable}) ::setenv(variable, "hunter2", 1);
    ::setenv("MODELSEAL_HARMLESS", "yes", 1);
    const auto seen = (scratch / "seen").string();
    {
        auto program = oracle::Subprocess::start({"sh", "-c", "env > \"$0\"; read line", seen}, {}, "sh");
        ASSERT_TRUE(program.ok()) << program.error().message;
    }
    for (const char* variable : {kPassphraseVariable, kTokenVariable, "MODELSEAL_HARMLESS"})
        ::unsetenv(variable);
    EXPECT_THAT(test::content_of(seen), HasSubstr("MODELSEAL_HARMLESS=yes"));
    EXPECT_THAT(test::content_of(seen), Not(HasSubstr("hunter2")));
}

TEST(EnvironmentSecret, NothingButSwitchesOfLibrariesReachesTheWorker) {
    const char* environment[] = {"MODELSEAL_PASSPHRASE=hunter2", "HOME=/root",
                                 "AWS_SECRET_ACCESS_KEY=x",      "OMP_NUM_THREADS=3",
                                 "OPENBLAS_NUM_THREADS=2",       nullptr};
    EXPECT_THAT(
        worker::passed_on(environment),
        testing::UnorderedElementsAre("OMP_NUM_THREADS=3", "OPENBLAS_NUM_THREADS=2", "OMP_WAIT_POLICY=PASSIVE",
                                      "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"));
    const char* set[] = {"GLIBC_TUNABLES=glibc.malloc.check=1", nullptr};
    EXPECT_THAT(worker::passed_on(set), testing::Contains("GLIBC_TUNABLES=glibc.malloc.check=1"));
    EXPECT_THAT(worker::passed_on(set),
                testing::Not(testing::Contains("GLIBC_TUNABLES=glibc.malloc.hugetlb=1")));
}

}  // namespace
}  // namespace modelseal::cli
