#include <csignal>

#include <sys/resource.h>

#include "cli/program.h"

namespace {

// A file-size limit shall be an error that we tell, and a folder of many files needs many descriptors.
void prepare_process() {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
    prepare_process();
    return modelseal::cli::run_program(argc, argv);
}
