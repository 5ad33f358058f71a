#include "formats/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"

namespace modelseal::formats {
namespace {

using testing::HasSubstr;

Result<nlohmann::json> parsed_json(std::string_view text) {
    return parse_json(MemorySource("m", {}), 8, text, "header", 3);
}

TEST(ParseJson, BuildsTheDocument) {
    const auto root = parsed_json(R"({"a": [1, -2, 0.5, "x", null, true, {"b": {}}], "c": {}})");
    ASSERT_FALSE(root.ok());  // four levels
    EXPECT_THAT(root.error().message, HasSubstr("m: header: nested too deeply (at offset 8)"));
    EXPECT_EQ(parsed_json(R"({"a": [1, -2, 0.5, "x", null, true, {"b": 1}], "c": {}})").value().dump(),
              R"({"a":[1,-2,0.5,"x",null,true,{"b":1}],"c":{}})");
}

TEST(ParseJson, RefusesWhatTwoReadersCouldReadDifferently) {
    for (const std::string_view text :
         {R"({"a": 1, "a": 1})", R"({"a": {"b": 1, "\u0062": 2}})", "{} {}", "{},", "[1,]", "{'a': 1}", "[NaN]",
          "// x\n{}", "", "{", "\"\xff\"", "[01]"}) {
        const auto root = parsed_json(text);
        ASSERT_FALSE(root.ok()) << text;
        EXPECT_EQ(root.error().kind, ErrorKind::malformed);
    }
    EXPECT_THAT(parsed_json(R"({"a": 1, "a": 1})").error().message, HasSubstr("the key 'a' appears twice"));
}

TEST(ParseJson, RefusesWhatSomeParsersIgnore) {
    EXPECT_THAT(parsed_json("\xEF\xBB\xBF{}").error().message, HasSubstr("byte order mark"));
    EXPECT_THAT(parsed_json(std::string_view("{}\0{}", 5)).error().message,
                HasSubstr("header: not JSON: contains a zero byte (at offset 10)"));
}

TEST(ParseJson, NamesThePositionOfAnError) {
    EXPECT_THAT(parsed_json(R"({"a": x})").error().message, HasSubstr("invalid JSON (at offset 14)"));
}

TEST(ParseJson, CountsValues) {
    const auto list = [](std::uint64_t zeros) {
        std::string text = "[0";
        for (std::uint64_t i = 1; i < zeros; ++i) text += ",0";
        return text + "]";
    };
    EXPECT_TRUE(parsed_json(list(kMaxJsonValues - 1)).ok());
    EXPECT_THAT(parsed_json(list(kMaxJsonValues)).error().message, HasSubstr("more than 1,048,576 values"));
}

Result<std::string> members(std::string_view text) {
    std::string seen;
    const auto visit = [&](const std::string& key, const nlohmann::json& value) -> Result<void> {
        if (value.is_null()) return Error{ErrorKind::unsupported, "no nulls", {}};
        seen += key + "=" + value.dump() + ";";
        return {};
    };
    MODELSEAL_TRY(parse_json_members(MemorySource("m", {}), 8, text, "header", 3, visit));
    return seen;
}

TEST(ParseJsonMembers, HandsOverEachMemberInOrder) {
    EXPECT_EQ(members(R"({"b": 1, "a": {"x": [1, "2"]}, "c": []})").value(), R"(b=1;a={"x":[1,"2"]};c=[];)");
    EXPECT_EQ(members("{}").value(), "");
}

TEST(ParseJsonMembers, EndsWithTheVisitorsError) {
    const auto result = members(R"({"a": 1, "b": null, "c": x})");
    EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(result.error().message, "no nulls");
}

TEST(ParseJsonMembers, IsAsStrictAsParseJson) {
    EXPECT_THAT(members(R"({"a": 1, "a": 2})").error().message, HasSubstr("the key 'a' appears twice"));
    EXPECT_THAT(members(R"({"a": {"b": 1, "b": 2}})").error().message, HasSubstr("the key 'b' appears twice"));
    EXPECT_TRUE(members(R"({"a": {"a": {}}})").ok());
    EXPECT_THAT(members(R"({"a": {"a": {"a": {}}}})").error().message, HasSubstr("nested too deeply"));
    for (const std::string_view text : {"[]", "1", "\"a\"", "[{}]"}) {
        EXPECT_THAT(members(text).error().message, HasSubstr("not a JSON object")) << text;
    }
    for (const std::string_view text : {"", "{", "{} {}", "{\"a\": 1,}", "{\"a\"}"}) {
        EXPECT_THAT(members(text).error().message, HasSubstr("invalid JSON")) << text;
    }
}

}  // namespace
}  // namespace modelseal::formats
