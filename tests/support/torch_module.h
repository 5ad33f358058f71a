// Where tests find the module of LibTorch; those that need it skip where it is not built.
#pragma once

namespace modelseal::test {

bool torch_is_built();

}  // namespace modelseal::test

#define MODELSEAL_NEED_TORCH()                                                   \
    if (!modelseal::test::torch_is_built()) {                                    \
        GTEST_SKIP() << "the module of LibTorch is not built (MODELSEAL_TORCH)"; \
    }
