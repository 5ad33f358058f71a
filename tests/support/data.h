// The folder of real model files, for tests that need them; the others make their own data.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace modelseal::test {

inline std::filesystem::path data_folder() {
    const char* given = std::getenv("MODELSEAL_TEST_DATA");
    return given != nullptr ? std::filesystem::path(given)
                            : std::filesystem::path(MODELSEAL_SOURCE_DIR) / ".." / "shared" / "data";
}

}  // namespace modelseal::test

// Skips the test, saying so, where the folder of real files is not there.
#define MODELSEAL_NEED_DATA()                                                                               \
    if (!std::filesystem::exists(modelseal::test::data_folder() / "models")) {                              \
        GTEST_SKIP() << "no real models at " << modelseal::test::data_folder() << " (MODELSEAL_TEST_DATA)"; \
    }
