#include <csignal>

#include <sys/resource.h>

#include "cli/options/secrets.h"
#include "cli/program.h"

namespace {

// Report a file-size limit as an error instead of dying by SIGXFSZ, and raise the limit of descriptors for models of
// many shards.
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
    // No program that is started later, nor code that a model brings, finds them in the environment.
    for (const char* variable : {modelseal::cli::kPassphraseVariable, modelseal::cli::kTokenVariable}) {
        modelseal::cli::environment_secret(variable);
    }
    return modelseal::cli::run_program(argc, argv);
}
