// Every format on every file that others made: real models are read, hostile files do no harm.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

const std::set<std::string> kModelExtensions = {".safetensors", ".gguf", ".onnx", ".pt", ".pth",
                                                ".th",          ".jit",  ".ptl",  ".tar"};

TEST(RealModels, AreReadAndObeyTheContract) {
    MODELSEAL_NEED_DATA();
    std::map<std::string_view, int> read;
    for (const auto& path : test::files_under(test::data_folder() / "models")) {
        if (!kModelExtensions.contains(path.extension())) continue;
        const auto bytes = test::load(path);
        const MemorySource source(path.filename(), bytes);
        const auto format = std::ranges::find_if(
            all_formats(), [&](const Format& candidate) { return candidate.recognises(source); });
        if (format == all_formats().end()) continue;
        const auto layout = format->parse(source, Limits{});
        ASSERT_TRUE(layout.ok()) << path << ": " << layout.error().message;
        EXPECT_EQ(test::contract_violation(*layout, source), "") << path;
        ++read[format->name];
    }
    for (const auto& format : all_formats()) EXPECT_GT(read[format.name], 0) << format.name;
}

TEST(HostileFiles, AreRefusedOrObeyTheContract) {
    MODELSEAL_NEED_DATA();
    std::size_t files = 0;
    for (const auto& path : test::files_under(test::data_folder() / "hostile")) {
        const auto bytes = test::load(path);
        const MemorySource source(path.filename(), bytes);
        // All of them are asked, whether they recognize the file or not.
        for (const auto& format : all_formats()) {
            const auto layout = format.parse(source, Limits{});
            if (layout.ok()) {
                EXPECT_EQ(test::contract_violation(*layout, source), "") << path << " as " << format.name;
            } else {
                EXPECT_NE(layout.error().kind, ErrorKind::internal) << path << " as " << format.name;
                EXPECT_TRUE(util::is_utf8(layout.error().message)) << path << " as " << format.name;
            }
        }
        ++files;
    }
    EXPECT_GT(files, 300u);
}

}  // namespace
}  // namespace modelseal::formats
