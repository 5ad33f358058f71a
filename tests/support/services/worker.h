// Where tests find the worker; those that need it skip where it is not built.
#pragma once

namespace modelseal::test {

bool worker_is_built();

}  // namespace modelseal::test

#define MODELSEAL_NEED_TORCH()                                       \
    if (!modelseal::test::worker_is_built()) {                       \
        GTEST_SKIP() << "the worker is not built (MODELSEAL_TORCH)"; \
    }
