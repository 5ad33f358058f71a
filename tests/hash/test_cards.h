// Where the module for graphics cards is that needs none (module_on_processor.cc): next to the test program.
#pragma once

#include <filesystem>
#include <string>

namespace modelseal::test {

inline std::string test_cards() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libmodelseal_test_cards.so")
        .string();
}

}  // namespace modelseal::test
