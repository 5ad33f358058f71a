// A kernel without Landlock, as a filter makes it look: a model runs only where an intact seal vouches for it.
#include <functional>

#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle/network.h"
#include "tests/support/data.h"

namespace modelseal::oracle {
namespace {

bool hide_landlock() {
    const auto filter = ::seccomp_init(SCMP_ACT_ALLOW);
    return filter != nullptr &&
           ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_landlock_create_ruleset, 0) == 0 &&
           ::seccomp_load(filter) == 0;
}

// Whether `holds` does in a process of its own, on such a kernel.
bool holds_there(const std::function<bool()>& holds) {
    const auto child = ::fork();
    if (child == 0) ::_exit(hide_landlock() && holds() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(WithoutLandlock, OnlyASealedModelIsRunWithAWarning) {
    MODELSEAL_NEED_DATA();
    ::setenv("MODELSEAL_WORKER", MODELSEAL_WORKER_FILE, 1);
    const auto path = (test::data_folder() / "models/torchscript/cifar10-resnet20.pt").string();
    const auto open = [&](Vouched vouched) {
        return open_network(path,
                            {.device = "cpu", .threads = 1, .input_shape = {3, 32, 32}, .vouched = vouched});
    };
    EXPECT_TRUE(holds_there([&] {
        const auto network = open(Vouched::nobody);
        return !network.ok() && network.error().kind == ErrorKind::unsupported &&
               network.error().message.find("Landlock") != std::string::npos;
    }));
    EXPECT_TRUE(holds_there([&] {
        const auto network = open(Vouched::seal);
        return network.ok() && network.value()->warnings().size() == 1 &&
               network.value()->warnings()[0].find("Landlock") != std::string::npos &&
               network.value()->classes().ok();
    }));
    const auto here = open(Vouched::nobody);
    ASSERT_TRUE(here.ok()) << here.error().message;
    EXPECT_TRUE(here.value()->warnings().empty());
}

}  // namespace
}  // namespace modelseal::oracle
