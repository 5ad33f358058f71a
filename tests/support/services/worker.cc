
#include "tests/support/services/worker.h"

#include <cstdlib>

namespace modelseal::test {
namespace {

#ifdef MODELSEAL_WORKER_FILE
// Unlike the program, the tests are not next to the worker. A setting of the environment stays.
[[maybe_unused]] const int set = ::setenv("MODELSEAL_WORKER", MODELSEAL_WORKER_FILE, 0);
#endif

}  // namespace

// Where this build has none (the sanitized one), that of another may be named.
bool worker_is_built() {
    return std::getenv("MODELSEAL_WORKER") != nullptr;
}

}  // namespace modelseal::test
