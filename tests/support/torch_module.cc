#include "tests/support/torch_module.h"

#include <cstdlib>

namespace modelseal::test {
namespace {

#ifdef MODELSEAL_TORCH_FILE
// The tests do not lie beside the module, as the program does. What the environment says stays.
[[maybe_unused]] const int set = ::setenv("MODELSEAL_TORCH_MODULE", MODELSEAL_TORCH_FILE, 0);
constexpr bool kBuilt = true;
#else
constexpr bool kBuilt = false;
#endif

}  // namespace

bool torch_is_built() {
    return kBuilt;
}

}  // namespace modelseal::test
