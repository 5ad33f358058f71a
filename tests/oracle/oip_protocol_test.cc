#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "oracle/json_text.h"
#include "oracle/protocols/oip.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// Two outputs, one in the JSON and one after it.
struct Good {
    json document = json::parse(R"({"model_name":"net","outputs":[
        {"name":"a","datatype":"FP32","shape":[2,3],"data":[[1,2.5,null],[-3,4e2,0.1]]},
        {"name":"b","datatype":"INT16","shape":[2],"parameters":{"binary_data_size":4}}]})");
    std::string tail = std::string("\x02\x00\xff\xff", 4);
    std::string header = "";  // empty: the true length

    std::string body() const { return document.dump() + tail; }
    Result<std::vector<OutputTensor>> parse() const {
        return parse_oip_answer(body(), header.empty() ? std::to_string(document.dump().size()) : header,
                                "server");
    }
};

TEST(OipProtocol, ReadsBothKindsOfData) {
    const auto tensors = Good{}.parse();
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    ASSERT_EQ(tensors->size(), 2u);
    EXPECT_EQ((*tensors)[0].name, "a");
    EXPECT_TRUE(std::isnan((*tensors)[0].values[2]));
    EXPECT_EQ((*tensors)[0].values[4], 400.0f);
    EXPECT_EQ((*tensors)[0].values[5], 0.1f);
    EXPECT_THAT((*tensors)[1].integers, ElementsAre(2, -1));
}

TEST(OipProtocol, AcceptsTheNamesOfInfinityAndNaN) {
    const auto tensors = parse_oip_answer(
        R"({"note":"a NaN, \"Infinity\"","outputs":[{"name":"a","datatype":"FP32","shape":[1,3],)"
        R"("data":[NaN,-Infinity,1]}]})",
        "", "server");
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    EXPECT_TRUE(std::isnan((*tensors)[0].values[0]));
    EXPECT_TRUE(std::isnan((*tensors)[0].values[1]));
    EXPECT_EQ((*tensors)[0].values[2], 1.0f);
}

TEST(OipProtocol, HalfPrecisionRoundTrips) {
    const std::uint16_t halves[] = {0x0000, 0x8000, 0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00, 0xFC00, 0x3555};
    Good good;
    good.document["outputs"] =
        json::parse(R"([{"name":"a","datatype":"FP16","shape":[1,9],"parameters":{"binary_data_size":18}}])");
    good.tail.assign(reinterpret_cast<const char*>(halves), sizeof halves);
    const auto tensors = good.parse();
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    EXPECT_THAT((*tensors)[0].values, ElementsAre(0.0f, -0.0f, 1.0f, -2.0f, 65504.0f, std::ldexp(1.0f, -24),
                                                  INFINITY, -INFINITY, 0.333251953125f));
}

TEST(OipProtocol, FloatsSurviveTheTextOfARequest) {
    const std::vector<float> values{0.1f, 1e-45f, 3.4028235e38f, -0.0f, 16777217.0f, 0.33333334f};
    const TensorInfo input{"x", "FP32", {}};
    const auto text = oip_json_request({input, {1, 6}, values, "y"});
    const auto parsed = json::parse(text);
    EXPECT_EQ(parsed["inputs"][0]["data"].get<std::vector<float>>(), values);
    EXPECT_EQ(parsed["inputs"][0]["shape"], json({1, 6}));
    EXPECT_EQ(parsed["outputs"], json::parse(R"([{"name":"y"}])"));
}

TEST(OipProtocol, BytesOfARequestFollowTheirJson) {
    const std::vector<float> values{0.1f, -2};
    const TensorInfo input{"x", "FP32", {}};
    std::size_t header = 0;
    const auto text = oip_binary_request({input, {1, 2}, values, ""}, header);
    const auto parsed = json::parse(text.substr(0, header));
    EXPECT_EQ(parsed["inputs"][0]["parameters"]["binary_data_size"], 8);
    EXPECT_EQ(parsed["parameters"]["binary_data_output"], true);
    ASSERT_EQ(text.size(), header + 8);
    EXPECT_EQ(std::memcmp(text.data() + header, values.data(), 8), 0);
}

TEST(OipProtocol, ServersReportWhetherTheyAcceptBytes) {
    EXPECT_TRUE(lists_binary_tensors(R"({"extensions":["x","binary_tensor_data"]})"));
    for (const auto* not_so :
         {R"({"extensions":["binary"]})", R"({"extensions":"binary_tensor_data"})", "{}", "[]", ""}) {
        EXPECT_FALSE(lists_binary_tensors(not_so)) << not_so;
    }
}

struct Spoiled {
    void (*spoil)(Good&);
    const char* reason;
};

class SpoiledOipAnswer : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledOipAnswer, IsRefused) {
    Good good;
    GetParam().spoil(good);
    const auto tensors = good.parse();
    ASSERT_FALSE(tensors.ok());
    EXPECT_EQ(tensors.error().kind, ErrorKind::malformed);
    EXPECT_THAT(tensors.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(tensors.error().message, HasSubstr("server"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiledOipAnswer,
    testing::Values(
        Spoiled{[](Good& g) { g.header = "100000"; }, "bytes, but states a JSON part of '100000'"},
        Spoiled{[](Good& g) { g.header = "-1"; }, "bytes, but states a JSON part of '-1'"},
        Spoiled{[](Good& g) { g.header = "1x"; }, "bytes, but states a JSON part of '"},
        Spoiled{[](Good& g) { g.header = "99999999999999999999999"; }, "bytes, but states a JSON part of '"},
        Spoiled{[](Good& g) { g.header = "20"; }, "invalid JSON"},
        Spoiled{[](Good& g) {
                    g.document = json{{"error", "busy"}};
                },
                "no outputs: 'busy"},
        Spoiled{[](Good& g) { g.document["outputs"] = 3; }, "no outputs"},
        Spoiled{[](Good& g) { g.document["outputs"][0] = 3; }, "without a name"},
        Spoiled{[](Good& g) { g.document["outputs"][0].erase("datatype"); },
                "without a name, datatype or shape"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["shape"] = {-1, 3};
                },
                "has an invalid shape"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["shape"] = {2.0, 3};
                },
                "has an invalid shape"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["shape"] = json::array({1, 1, 1, 1, 1, 1, 1, 2, 3});
                },
                "too many dimensions"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["shape"] = {2, 4};
                },
                "[2, 4] has 6 numbers"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["shape"] = {1099511627776, 1099511627776};
                },
                "6 numbers"},
        Spoiled{[](Good& g) { g.document["outputs"][0].erase("data"); }, "' has no data"},
        Spoiled{[](Good& g) {
                    g.document["outputs"][0]["data"][1] = {1, 2};
                },
                "different lengths"},
        Spoiled{[](Good& g) { g.document["outputs"][0]["data"][1] = 5; }, "different lengths"},
        Spoiled{[](Good& g) { g.document["outputs"][0]["data"][1][0] = "1"; }, "' instead of a number"},
        Spoiled{[](Good& g) { g.document["outputs"][0]["data"][1][0] = true; }, "' instead of a number"},
        Spoiled{[](Good& g) { g.document["outputs"][0]["datatype"] = "INT64"; }, "' instead of a number"},
        Spoiled{[](Good& g) { g.document["outputs"][1]["parameters"]["binary_data_size"] = 5; },
                "' should have 5 bytes, 4 left"},
        Spoiled{[](Good& g) { g.document["outputs"][1]["parameters"]["binary_data_size"] = 2; }, "has 2 bytes"},
        Spoiled{[](Good& g) { g.document["outputs"][1]["parameters"]["binary_data_size"] = -4; },
                "an output has an invalid binary_data_size"},
        Spoiled{[](Good& g) { g.document["outputs"][1]["shape"] = {3}; }, "has 4 bytes"},
        Spoiled{[](Good& g) { g.document["outputs"][1]["datatype"] = "FP32"; }, "has 4 bytes"},
        Spoiled{[](Good& g) { g.document["outputs"][1].erase("parameters"); }, "' has no data"},
        Spoiled{[](Good& g) { g.tail += 'x'; }, "1 byte after the last output"}));

TEST(OipProtocol, RefusesDuplicateKeys) {
    const auto tensors = parse_oip_answer(R"({"outputs":[],"outputs":[]})", "", "server");
    ASSERT_FALSE(tensors.ok());
    EXPECT_THAT(tensors.error().message, HasSubstr("appears twice"));
}

TEST(OipProtocol, ReadsMetadata) {
    const auto model = parse_oip_model(
        R"({"name":"n","platform":"p","inputs":[{"name":"x","datatype":"FP32","shape":[-1,3]}],"outputs":[]})",
        "server");
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_THAT(model->inputs.at(0).shape, ElementsAre(-1, 3));
    EXPECT_TRUE(parse_oip_model("{}", "server")->inputs.empty());
    for (const auto* bad :
         {"[]", R"({"inputs":3})", R"({"inputs":[{"name":"x","datatype":"FP32","shape":[-2]}]})",
          R"({"outputs":[{"name":"x","datatype":"F","shape":[]},{"name":"x","datatype":"F","shape":[]}]})"}) {
        EXPECT_FALSE(parse_oip_model(bad, "server").ok()) << bad;
    }
}

TEST(Complaints, AreQuotedAndCut) {
    EXPECT_EQ(complaint_of(R"({"error":"no \u001b[31m such"})"), "no \\x1b[31m such");
    EXPECT_EQ(complaint_of("plain text\n"), "plain text");
    EXPECT_EQ(complaint_of(""), "");
    const auto cut = complaint_of(std::string(5000, 'x'));
    EXPECT_LT(cut.size(), 400u);
}

}  // namespace
}  // namespace modelseal::oracle
