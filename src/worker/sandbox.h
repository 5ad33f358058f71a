// The sandbox around everything that a model file makes the worker do.
//
// Entered once, before a model is read, and never left: no file can be opened and no socket made (Landlock,
// and seccomp for the same again), no program run, no process started, nothing written but to open
// descriptors, no more memory than given. System calls are allowed by a list (seccomp through libseccomp);
// calls that only an attack would make, such as execve or connect, end the process; any other that is not
// listed fails with EPERM.
#pragma once

#include <cstdint>

#include <modelseal/result.h>

namespace modelseal::worker {

enum class Devices { cpu, gpu };  // gpu: ioctl() on the driver's files, which are open by then, is allowed

// The parts of the sandbox that this kernel supports.
struct Cage {
    int landlock = 0;      // the version of its interface; 0: this kernel has none
    bool seccomp = false;  // the list of system calls is in force for every thread
};

// Limits of the process: memory beyond what it has now (bytes; 0: no limit), no core files, files of no size.
Result<void> limit_process(std::uint64_t memory);

// Applies to the calling thread and the threads that it starts from now on; call while there is no other. 0
// if the kernel has none.
int enter_landlock();

// Applies to all threads.
bool enter_seccomp(Devices devices);

}  // namespace modelseal::worker
