#include "oracle/protocols/tf_serving.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "oracle/endpoint.h"
#include "tests/support/services/http_server.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::ElementsAre;
using testing::HasSubstr;

const InputShape kTfInput{"", {1, 2}};

// As TensorFlow Serving prints it.
const char* const kMetadata = R"({"model_spec":{"name":"net","signature_name":"","version":"1"},
 "metadata":{"signature_def":{"signature_def":{"serving_default":{
  "inputs":{"x":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""},{"size":"1","name":""},
            {"size":"2","name":""}],"unknown_rank":false},"name":"x:0"}},
  "outputs":{"y":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""},{"size":"2","name":""}],
            "unknown_rank":false},"name":"y:0"}},"method_name":"tensorflow/serving/predict"}}}}})";

// Answers with each input reversed.
HttpReply reverse(const HttpAsked& asked, bool metadata, std::size_t max_batch) {
    if (asked.target == "/v1/models/net/metadata") return metadata ? HttpReply{200, kMetadata} : HttpReply{404};
    if (asked.target == "/v1/models/net") return {200, "{}"};
    if (asked.target != "/v1/models/net:predict") return {404, R"({"error":"no such model"})"};
    json rows = json::array();
    const auto request = json::parse(asked.body);
    if (request["instances"].size() > max_batch) return {400, R"({"error":"too many"})"};
    for (const auto& input : request["instances"]) rows.push_back({input[0][1], input[0][0]});
    return {200, json{{"predictions", rows}}.dump()};
}

struct ServedByTf {
    bool metadata = true;
    std::size_t max_batch = 1000;
    HttpServer server{[this](const HttpAsked& asked) { return reverse(asked, metadata, max_batch); }};
    Result<std::unique_ptr<Oracle>> open(const InputShape& expected = kTfInput) {
        return connect(server.url("/v1/models/net"), {}, expected);
    }
};

TEST(TfServing, AnswersRowByRow) {
    for (const bool metadata : {true, false}) {
        ServedByTf served;
        served.metadata = metadata;
        const auto oracle = served.open();
        ASSERT_TRUE(oracle.ok()) << oracle.error().message;
        const auto answers = (*oracle)->ask(std::vector<float>{0.1f, 0.2f, 3, 4}, 2);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_THAT(answers->values, ElementsAre(0.2f, 0.1f, 4, 3));
        EXPECT_EQ(answers->classes, 2u);
        EXPECT_EQ(served.server.asked().back().body, "{\"instances\":[[[0.1,0.2]],[[3,4]]]}");
    }
}

// Its "instances" always have a batch dimension, its "inputs" need not.
TEST(TfServing, AnswersForAModelWithoutABatchDimension) {
    std::string metadata = kMetadata;
    metadata.erase(metadata.find(R"({"size":"-1","name":""},)"), std::strlen(R"({"size":"-1","name":""},)"));
    HttpServer server([&](const HttpAsked& asked) {
        if (asked.method == "GET") return HttpReply{200, metadata};
        const auto request = json::parse(asked.body);
        return HttpReply{200, json{{"outputs", {request["inputs"][0][1], request["inputs"][0][0]}}}.dump()};
    });
    const auto oracle = connect(server.url("/v1/models/net"), {}, kTfInput);
    ASSERT_TRUE(oracle.ok()) << oracle.error().message;
    const auto answers = (*oracle)->ask(std::vector<float>{0.1f, 0.2f, 3, 4}, 2);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_THAT(answers->values, ElementsAre(0.2f, 0.1f, 4, 3));
    EXPECT_EQ(server.asked().back().body, "{\"inputs\":[[3,4]]}");
}

TEST(TfServing, HalvesItsBatches) {
    ServedByTf served;
    served.max_batch = 3;
    const auto oracle = served.open();
    ASSERT_TRUE(oracle.ok());
    const auto answers = (*oracle)->ask(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_THAT(answers->values, ElementsAre(2, 1, 4, 3, 6, 5, 8, 7, 10, 9));
}

TEST(TfServing, RefusesModelsOfAnotherShape) {
    ServedByTf served;
    const auto oracle = served.open({"", {2, 1}});
    ASSERT_FALSE(oracle.ok());
    EXPECT_EQ(oracle.error().kind, ErrorKind::mismatch);
}

TEST(TfServing, ReportsAMissingModel) {
    ServedByTf served;
    const auto oracle = connect(served.server.url("/v1/models/other"), {}, kTfInput);
    ASSERT_FALSE(oracle.ok());
    EXPECT_THAT(oracle.error().message, HasSubstr("no such model"));
}

TEST(TfServing, HasNoBinaryTensors) {
    ServedByTf served;
    EndpointOptions options;
    options.tensors = EndpointOptions::Tensors::binary;
    const auto oracle = connect(served.server.url("/v1/models/net"), options, kTfInput);
    ASSERT_FALSE(oracle.ok());
    EXPECT_EQ(oracle.error().kind, ErrorKind::usage);
}

Result<Answers> answers_of(const std::string& body, const std::string& output = {}) {
    MODELSEAL_TRY_ASSIGN(auto tensors, parse_tf_answer(body, "server"));
    return to_answers(std::move(tensors), output, 2, "server");
}

TEST(TfServing, AcceptsEveryFormOfAnAnswer) {
    for (const auto* body : {R"({"predictions":[[1,2.5],[3,4]]})", R"({"outputs":[[1,2.5],[3,4]]})",
                             R"({"predictions":[{"p":[1,2.5],"c":7,"s":"cat"},{"p":[3,4],"c":8,"s":"dog"}]})",
                             R"({"outputs":{"p":[[1,2.5],[3,4]],"c":[7,8]}})"}) {
        const auto answers = answers_of(body);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_THAT(answers->values, ElementsAre(1, 2.5f, 3, 4)) << body;
    }
    EXPECT_THAT(answers_of(R"({"outputs":{"p":[[1,2.5],[3,4]],"c":[7,8]}})", "c")->labels, ElementsAre(7, 8));
    EXPECT_THAT(answers_of(R"({"predictions":[7,8]})")->labels, ElementsAre(7, 8));
    EXPECT_THAT(answers_of(R"({"predictions":[[7],[8]]})")->labels, ElementsAre(7, 8));
}

struct TfAnswerCase {
    const char* body;
    const char* reason;
};

class SpoiledTfAnswer : public testing::TestWithParam<TfAnswerCase> {};

TEST_P(SpoiledTfAnswer, IsRefused) {
    const auto answers = answers_of(GetParam().body);
    ASSERT_FALSE(answers.ok());
    EXPECT_THAT(answers.error().message, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiledTfAnswer,
    testing::Values(
        TfAnswerCase{"", "invalid JSON"}, TfAnswerCase{"{}", "no predictions"},
        TfAnswerCase{R"({"error":"busy"})", "no predictions: 'busy'"},
        TfAnswerCase{R"({"predictions":3})", "no predictions"},
        TfAnswerCase{R"({"outputs":{}})", "no predictions"},
        TfAnswerCase{R"({"predictions":[]})", "has the shape [0] for 2 inputs"},
        TfAnswerCase{R"({"predictions":[[1,2]]})", "has the shape [1, 2] for 2 inputs"},
        TfAnswerCase{R"({"predictions":[[1,2],[3]]})", "different lengths"},
        TfAnswerCase{R"({"predictions":[0.5,0.25]})", ": answers with one number per input, not one per class"},
        TfAnswerCase{R"({"predictions":["a","b"]})", ": the answers have no numbers"},
        TfAnswerCase{R"({"predictions":[[1,"b"],[2,3]]})", "' instead of a number"},
        TfAnswerCase{R"({"predictions":[{"a":[1,2]},[3,4]]})", "rows of different kinds"},
        TfAnswerCase{R"({"predictions":[{"a":[1,2]},{"b":[3,4]}]})", "is not in every row"},
        TfAnswerCase{R"({"outputs":{"a":[[1.5,2],[3,4]],"b":[[1,2],[3,4]]}})", "several outputs: 'a', 'b'"},
        TfAnswerCase{R"({"predictions":[[[1,2],[1,2]],[[1,2],[1,2]]]})",
                     ", not one row of classes per input"}));

}  // namespace
}  // namespace modelseal::oracle
