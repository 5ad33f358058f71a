
#include "tests/support/services/worker.h"

#include <cstdlib>

namespace modelseal::test {
namespace {

#ifdef MODELSEAL_WORKER_FILE
// The tests do not lie beside the worker, as the program does. What the environment says stays.
[[maybe_unused]] const int set = ::setenv("MODELSEAL_WORKER", MODELSEAL_WORKER_FILE, 0);
#endif

}  // namespace

// Where this build has none (the sanitized one), that of another may be named.
bool worker_is_built() {
    return std::getenv("MODELSEAL_WORKER") != nullptr;
}

}  // namespace modelseal::test
