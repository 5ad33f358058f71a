#include "formats/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"

namespace modelseal::formats {
namespace {

using testing::HasSubstr;

Result<nlohmann::json> parsed(std::string_view text) {
    return parse_json(MemorySource("m", {}), 8, text, "header", 3);
}

TEST(ParseJson, BuildsTheDocument) {
    const auto root = parsed(R"({"a": [1, -2, 0.5, "x", null, true, {"b": {}}], "c": {}})");
    ASSERT_FALSE(root.ok());  // four levels
    EXPECT_THAT(root.error().message, HasSubstr("m: header: nested too deeply (at offset 8)"));
    EXPECT_EQ(parsed(R"({"a": [1, -2, 0.5, "x", null, true, {"b": 1}], "c": {}})").value().dump(),
              R"({"a":[1,-2,0.5,"x",null,true,{"b":1}],"c":{}})");
}

TEST(ParseJson, RefusesWhatTwoReadersCouldReadDifferently) {
    for (const std::string_view text :
         {R"({"a": 1, "a": 1})", R"({"a": {"b": 1, "\u0062": 2}})", "{} {}", "{},", "[1,]", "{'a': 1}", "[NaN]",
          "// x\n{}", "", "{", "\"\xff\"", "[01]"}) {
        const auto root = parsed(text);
        ASSERT_FALSE(root.ok()) << text;
        EXPECT_EQ(root.error().kind, ErrorKind::malformed);
    }
    EXPECT_THAT(parsed(R"({"a": 1, "a": 1})").error().message, HasSubstr("the key 'a' comes twice"));
}

}  // namespace
}  // namespace modelseal::formats
