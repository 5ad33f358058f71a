// Names from files are keys of ordered containers: the standard library's hash has no secret, so that names of
// one hash would make every reader quadratic.
#include <filesystem>
#include <regex>

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;

// Only numbers that this program counts or draws itself are keys of unordered containers.
TEST(KeyedByNames, NoContainerHashesText) {
    const std::regex unordered("unordered_(multi)?(map|set)<\\s*(const )?(std::)?([a-z0-9_:]+)");
    std::size_t files = 0;
    for (const char* top : {"formats", "src"}) {
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(MODELSEAL_SOURCE_DIR) / top)) {
            const auto extension = entry.path().extension();
            if (extension != ".cc" && extension != ".h") continue;
            ++files;
            const auto text = test::content_of(entry.path());
            for (std::sregex_iterator match(text.begin(), text.end(), unordered), end; match != end; ++match) {
                const auto key = (*match)[5].str();
                EXPECT_TRUE(key == "uint64_t" || key == "size_t") << entry.path() << ": " << match->str();
            }
        }
    }
    EXPECT_GT(files, 100u);
}

}  // namespace
}  // namespace modelseal
