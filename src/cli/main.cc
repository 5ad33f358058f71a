#include <csignal>

#include <sys/resource.h>

#include "cli/options/secrets.h"
#include "cli/program.h"

namespace {

// Ignores SIGXFSZ, so that a file-size limit is a write error, and raises the limit of descriptors for models of many
// shards.
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
    // Programs started later, and code in a model, must not find them in the environment.
    for (const char* variable : {modelseal::cli::kPassphraseVariable, modelseal::cli::kTokenVariable}) {
        modelseal::cli::environment_secret(variable);
    }
    return modelseal::cli::run_program(argc, argv);
}
