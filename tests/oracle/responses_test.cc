// Answers made offline: every form gives the same answers, and nothing is guessed.
#include "oracle/protocols/responses.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/npy.h"
#include "formats/reader.h"
#include "tests/support/models/tensor_file.h"
#include "tests/support/scratch.h"

namespace modelseal::oracle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Answers> parse(const std::string& name, const std::string& text, std::size_t count = 2,
                      std::size_t classes = 3) {
    return parse_responses(formats::MemorySource(name, std::as_bytes(std::span(text))), count, classes);
}

std::string array(const std::vector<std::uint64_t>& shape, const std::vector<float>& values) {
    return formats::npy_header(shape) + test::raw(values);
}

TEST(Responses, EveryFormGivesTheSameAnswers) {
    const std::pair<const char*, std::string> forms[] = {
        {"responses.npy", array({2, 3}, {1, 2, 3, 4, 5, 6.5f})},
        {"responses.json", R"({"outputs": [[1, 2.0, 3], [4, 5e0, 6.5]]})"},
        {"responses.csv", "1,1,2,3\n2,4,5,6.5\n"},
        {"responses.csv", "input,a,b,c\r\n0002.png, 4, 5, 6.5\r\n0001.png,1,2,3"},
        // With the byte order mark of Windows and of spreadsheets, with and without a heading.
        {"responses.csv",
         "\xEF\xBB\xBF"
         "1,1,2,3\r\n2,4,5,6.5\r\n"},
        {"responses.csv", "\xEF\xBB\xBFinput,a,b,c\n2,4,5,6.5\n1,1,2,3\n"},
        {"responses.json", "\xEF\xBB\xBF{\"outputs\": [[1, 2, 3], [4, 5, 6.5]]}"},
    };
    for (const auto& [name, text] : forms) {
        const auto answers = parse(name, text);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->count, 2u);
        EXPECT_EQ(answers->classes, 3u);
        EXPECT_THAT(answers->values, ElementsAre(1, 2, 3, 4, 5, 6.5f)) << name;
        EXPECT_THAT(answers->labels, IsEmpty());
    }
}

TEST(Responses, LabelsAreRecognized) {
    auto integers = formats::npy_header({2}) + std::string("\7\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 16);
    integers.replace(integers.find("<f4"), 3, "<i8");
    const std::pair<const char*, std::string> forms[] = {
        {"responses.npy", integers},
        {"responses.json", R"({"labels": [7, 3]})"},
        {"responses.csv", "2,3\n1,7\n"},
    };
    for (const auto& [name, text] : forms) {
        const auto answers = parse(name, text);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_THAT(answers->labels, ElementsAre(7, 3));
        EXPECT_THAT(answers->values, IsEmpty());
        EXPECT_EQ(answers->classes, 0u);
    }
}

TEST(Responses, ThatWereRoundedAreRecognized) {
    std::string coarse, fine;
    for (int row = 1; row <= 20; ++row) {
        const double value = 1.0 / (row + 2);
        coarse += fmt::format("{},{:.4f},{:.4f},{:.4f}\n", row, value, 1 - value, value / 3);
        fine += fmt::format("{},{:.9g},{:.9g},{:.9g}\n", row, value, 1 - value, value / 3);
    }
    EXPECT_NEAR(parse("responses.csv", coarse, 20)->rounding, 5e-5, 1e-9);
    EXPECT_EQ(parse("responses.csv", fine, 20)->rounding, 0);
}

struct ResponsesCase {
    const char* name;
    const char* file;
    std::string text;
    const char* message;
};

class SpoiledResponses : public testing::TestWithParam<ResponsesCase> {};

TEST_P(SpoiledResponses, AreRefused) {
    const auto refused = parse(GetParam().file, GetParam().text, 2, 2);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().file));
}

constexpr const char *kNpy = "responses.npy", *kJson = "responses.json", *kCsv = "responses.csv";

INSTANTIATE_TEST_SUITE_P(
    Each, SpoiledResponses,
    testing::Values(
        ResponsesCase{"NpyRows", kNpy, array({3, 2}, {1, 2, 3, 4, 5, 6}),
                      "the array has the shape [3, 2]; for the 2 inputs of the challenge it must be"},
        ResponsesCase{"NpyFlat", kNpy, array({2}, {1, 2}), "it must be [2, classes]"},
        ResponsesCase{"NpyDeep", kNpy, array({2, 1, 2}, {1, 2, 3, 4}), "shape [2, 1, 2]"},
        ResponsesCase{"NpyOneClass", kNpy, array({2, 1}, {1, 2}),
                      "answer 1 has 1 output, but the model has 2 classes"},
        ResponsesCase{"NpyManyClasses", kNpy, array({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}),
                      "answer 1 has 4 outputs, but the model has 2 classes"},
        ResponsesCase{"NpyNan", kNpy, array({2, 2}, {1, 2, 3, NAN}), "answer 2: output 2 is nan"},
        ResponsesCase{"NpyInfinite", kNpy, array({2, 2}, {INFINITY, 2, 3, 4}), "answer 1: output 1 is inf"},
        ResponsesCase{"NpyBroken", kNpy, "x", "magic"},
        ResponsesCase{"JsonMissing", kJson, R"({"outputs": [[1, 2]]})", "answer 2 of 2 is missing"},
        ResponsesCase{"JsonTooMany", kJson, R"({"labels": [1, 2, 3]})",
                      "answer 3, but the challenge has 2 inputs"},
        ResponsesCase{"JsonRagged", kJson, R"({"outputs": [[1, 2], [1, 2, 3]]})",
                      "answer 2 has 3 outputs, but the model has 2 classes"},
        ResponsesCase{"JsonText", kJson, R"({"outputs": [[1, "2"], [1, 2]]})",
                      "answer 1 is not a list of numbers"},
        ResponsesCase{"JsonNull", kJson, R"({"outputs": [[1, null], [1, 2]]})",
                      "answer 1 is not a list of numbers"},
        ResponsesCase{"JsonFlat", kJson, R"({"outputs": [1, 2]})", "answer 1 is not a list of numbers"},
        ResponsesCase{"JsonHuge", kJson, R"({"outputs": [[1, 1e39], [1, 2]]})", "answer 1: output 2 is 1e+39"},
        ResponsesCase{"JsonLabel", kJson, R"({"labels": [1, 2.5]})", "label 2 is not a whole number"},
        ResponsesCase{"JsonNegative", kJson, R"({"labels": [1, -2]})", "answer 2: the label -2"},
        ResponsesCase{"JsonHugeLabel", kJson, R"({"labels": [1, 18446744073709551615]})",
                      "answer 2: the label"},
        ResponsesCase{"JsonBoth", kJson, R"({"labels": [1, 2], "outputs": [[1, 2], [3, 4]]})", "neither"},
        ResponsesCase{"JsonTwice", kJson, R"({"labels": [1, 2], "labels": [1, 3]})", "appears twice"},
        ResponsesCase{"JsonOther", kJson, "[[1, 2], [3, 4]]", "neither"},
        ResponsesCase{"JsonBroken", kJson, R"({"labels": [1, 2)", "invalid JSON"},
        ResponsesCase{"CsvTwice", kCsv, "1,1,2\n1,1,2\n", "answer 1 is given twice"},
        ResponsesCase{"CsvMissing", kCsv, "2,1,2\n", "answer 1 of 2 is missing"},
        ResponsesCase{"CsvBeyond", kCsv, "1,1,2\n3,1,2\n", "answer 3, but"},
        ResponsesCase{"CsvZero", kCsv, "0,1,2\n1,1,2\n", "line 1: does not begin with the number"},
        ResponsesCase{"CsvTwoHeadings", kCsv, "a,b\nc,d\n", "line 2: does not begin with the number"},
        ResponsesCase{"CsvOther", kCsv, "1.jpg,1,2\n", "line 1: does not begin with the number"},
        ResponsesCase{"CsvNoAnswer", kCsv, "1\n2\n", "line 1: has no answer"},
        ResponsesCase{"CsvEmptyField", kCsv, "1,1,\n2,1,2\n", "line 1: has an output that is not a number"},
        ResponsesCase{"CsvNan", kCsv, "1,1,nan\n2,1,2\n", "answer 1: output 2 is nan"},
        ResponsesCase{"CsvMixed", kCsv, "1,1,2\n2,1\n", "some answers are labels"},
        ResponsesCase{"CsvMixedToo", kCsv, "1,1\n2,1,2\n", "some answers are labels"},
        ResponsesCase{"CsvEmpty", kCsv, "", "answer 1 of 2 is missing"},
        ResponsesCase{"CsvHex", kCsv, "1,0x1,2\n2,1,2\n", "not a number"}),
    [](const auto& each) { return each.param.name; });

// How much memory and time the answers take follows from the model, not from what somebody wrote into the file.
TEST(Responses, OfMoreOutputsThanTheModelHasTakeNoMemory) {
    std::string line = "1", list = R"({"outputs": [[0)";
    for (int i = 0; i < 6000; ++i) {
        line += ",0";
        list += ",0";
    }
    const std::size_t many = 1u << 24;  // of rows: 400 GB with so many outputs
    EXPECT_THAT(parse(kCsv, line, many).error().message,
                HasSubstr("answer 1 has 6,000 outputs, but the model has 3"));
    EXPECT_THAT(parse(kJson, list + "]]}", many).error().message,
                HasSubstr("answer 1 has 6,001 outputs, but the model has 3"));
}

TEST(Responses, OfMoreBytesThanTheAnswersTakeAreNotRead) {
    const std::string blanks(1u << 20, ' ');
    for (const char* file : {kCsv, kJson}) {
        EXPECT_THAT(parse(file, blanks).error().message,
                    HasSubstr("1,048,576 bytes; the answers to 2 inputs need at most"));
    }
}

TEST(Responses, AreFoundInTheirFolderIfThereIsOne) {
    const test::Scratch folder;
    EXPECT_THAT(read_responses(folder.path(), 2, 9).error().message, HasSubstr("no answers"));
    folder.write("responses.json", R"({"labels": [7, 3]})");
    EXPECT_TRUE(read_responses(folder.path(), 2, 9).ok());
    folder.write("responses.csv", "1,7\n2,3\n");
    EXPECT_THAT(read_responses(folder.path(), 2, 9).error().message,
                HasSubstr("contains both responses.json and responses.csv"));
}

}  // namespace
}  // namespace modelseal::oracle
