#include "report/fingerprint_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace modelseal::report {
namespace {

using testing::HasSubstr;
using testing::Not;

FingerprintSummary summary() {
    return {.id = "1234",
            .root = "00ff",
            .sealed = true,
            .classes = 10,
            .rungs = {{Rung::exact, 150, 0, 1e-6}, {Rung::fp32, 149, 4e-5, 3e-4}},
            .evaluations = 41'200,
            .seconds = 12.34,
            .device = "cpu",
            .notes = {"the shape was assumed"}};
}

TEST(FingerprintSummary, IsPrintedAsText) {
    const auto text = to_text(summary(), "net.fp", {});
    EXPECT_TRUE(text.starts_with("fingerprint net.fp\n"));
    EXPECT_THAT(text, HasSubstr("fp32     149  4.0e-05  3.0e-04\n"));
    EXPECT_THAT(text, HasSubstr("41,200 evaluations in 12.3 s on cpu, 10 classes\n"));
    EXPECT_THAT(text, HasSubstr("bound to the seal 00ff\n"));
    auto open = summary();
    open.sealed = false;
    EXPECT_THAT(to_text(open, "net.fp", {}), HasSubstr("bound to the file, which carries no seal, 00ff"));
    EXPECT_THAT(to_text(summary(), "a\x1b[31m", {}), Not(HasSubstr("\x1b")));
}

TEST(FingerprintSummary, IsPrintedAsJson) {
    const auto parsed = nlohmann::json::parse(to_json(summary(), "net.fp"));
    EXPECT_EQ(parsed["schema"], "modelseal-fingerprint/1");
    EXPECT_EQ(parsed["file"], "net.fp");
    EXPECT_EQ(parsed["rungs"][1]["name"], "fp32");
    EXPECT_EQ(parsed["rungs"][1]["pairs"], 149);
    EXPECT_EQ(parsed["evaluations"], 41'200);
    EXPECT_EQ(parsed["notes"].size(), 1u);
}

}  // namespace
}  // namespace modelseal::report
