// modelseal-worker: runs a model for modelseal, which starts it and talks to it over descriptor 3
// (worker/channel.h).
#include <csignal>
#include <cstdio>

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torch/session.h"

namespace {

// The tensors between layers are freed and asked for again thousands of times. Given back to the system each time, every page of
// theirs would be cleared again, which took a sixth of all time.
void keep_freed_memory() {
    constexpr int kKept = 64 << 20, kTensor = 32 << 20;
    ::mallopt(M_TRIM_THRESHOLD, kKept);
    ::mallopt(M_MMAP_THRESHOLD, kTensor);  // the most that it can be
}

}  // namespace

int main() {
    using namespace modelseal;
    constexpr int kChannelDescriptor = 3;
    // The worker must not outlive its parent.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(kChannelDescriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        std::fputs("modelseal-worker is started by modelseal, not by hand\n", stderr);
        return 2;
    }
    keep_freed_memory();
    libtorch::Session(worker::Channel(worker::Descriptor(kChannelDescriptor))).run();
    // Code that a model left, destructors included, need not run.
    ::_exit(0);
}
