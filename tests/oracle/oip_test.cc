#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle/endpoint.h"
#include "tests/support/services/oip_model.h"

namespace modelseal::oracle {
namespace {

using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using test::OipTestModel;
using testing::HasSubstr;
using Tensors = EndpointOptions::Tensors;

const InputShape kInput{"", {2, 2}};

// `count` inputs of four elements; the sum of input i is a little more than i.
std::vector<float> some_inputs(std::size_t count) {
    std::vector<float> inputs;
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = static_cast<float>(i);
        inputs.insert(inputs.end(), {number, 0.1f, -0.025f, 1e-3f});
    }
    return inputs;
}

std::vector<float> answers_to(const std::vector<float>& inputs, std::size_t classes = 3) {
    std::vector<float> answers;
    for (std::size_t i = 0; i < inputs.size(); i += 4) {
        const float sum = std::accumulate(inputs.begin() + static_cast<std::ptrdiff_t>(i),
                                          inputs.begin() + static_cast<std::ptrdiff_t>(i) + 4, 0.0f);
        for (std::size_t c = 0; c < classes; ++c) answers.push_back(static_cast<float>(c) + sum);
    }
    return answers;
}

// A served model and its client.
struct Served {
    OipTestModel model;
    HttpServer server{[this](const HttpAsked& asked) { return model.answer(asked); }};

    explicit Served(OipTestModel of = {}) : model(std::move(of)) {}
    Result<std::unique_ptr<Oracle>> open(Tensors tensors = Tensors::automatic, EndpointOptions options = {},
                                         const InputShape& expected = kInput) {
        options.tensors = tensors;
        return connect(server.url("/v2/models/net"), options, expected);
    }
    Result<Answers> ask(std::size_t count, Tensors tensors = Tensors::automatic, EndpointOptions options = {}) {
        MODELSEAL_TRY_ASSIGN(const auto oracle, open(tensors, std::move(options)));
        return oracle->ask(some_inputs(count), count);
    }
    // Requests to infer, by the number of inputs in each.
    std::size_t asked(bool binary) const {
        std::size_t found = 0;
        for (const auto& one : server.asked()) {
            const bool is_binary = !one.field("inference-header-content-length").empty();
            found += one.method == "POST" && is_binary == binary ? 1 : 0;
        }
        return found;
    }
};

TEST(Oip, ReportsTheInputOfTheModel) {
    Served served;
    const auto oracle = served.open(Tensors::automatic, {}, {});
    ASSERT_TRUE(oracle.ok()) << oracle.error().message;
    EXPECT_EQ((*oracle)->input().name, "pixels");
    EXPECT_EQ((*oracle)->input().shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ((*oracle)->name(), served.server.url("/v2/models/net"));
}

TEST(Oip, AnswersInTextAndBytesHaveTheSameBits) {
    for (const auto tensors : {Tensors::json, Tensors::binary}) {
        Served served;
        const auto answers = served.ask(7, tensors);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->count, 7u);
        EXPECT_EQ(answers->classes, 3u);
        EXPECT_EQ(answers->values, answers_to(some_inputs(7)));
        EXPECT_EQ(answers->rounding, 0);
    }
}

TEST(Oip, SendsBytesWhereTheServerListsThem) {
    for (const bool lists : {false, true}) {
        Served served;
        served.model.lists_binary = lists;
        ASSERT_TRUE(served.ask(2).ok());
        EXPECT_EQ(served.asked(true), lists ? 1u : 0u);
        EXPECT_EQ(served.asked(false), lists ? 0u : 1u);
    }
}

TEST(Oip, FallsBackToTextAndRemembersIt) {
    Served served;
    served.model.lists_binary = true;
    served.model.takes_binary = false;
    const auto oracle = served.open();
    ASSERT_TRUE(oracle.ok());
    for (int i = 0; i < 3; ++i) {
        const auto answers = (*oracle)->ask(some_inputs(2), 2);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->values, answers_to(some_inputs(2)));
    }
    EXPECT_EQ(served.asked(true), 1u);
    EXPECT_EQ(served.asked(false), 3u);
}

TEST(Oip, SendsBytesOnlyIfAsked) {
    Served served;
    served.model.takes_binary = false;
    const auto answers = served.ask(1, Tensors::binary);
    ASSERT_FALSE(answers.ok());
    EXPECT_THAT(answers.error().message, HasSubstr("HTTP status 400: 'cannot parse the request'"));
    EXPECT_EQ(served.asked(false), 0u);
}

TEST(Oip, AcceptsTextAsAnAnswerToBytes) {
    Served served;
    served.model.answers_binary = false;
    const auto answers = served.ask(3, Tensors::binary);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->values, answers_to(some_inputs(3)));
}

TEST(Oip, HalvesTheBatchUntilItIsAcceptedAndRemembersTheSize) {
    for (const unsigned status : {400u, 413u, 422u, 500u}) {
        Served served;
        served.model.max_batch = 40;
        served.model.refusal = status;
        const auto oracle = served.open(Tensors::json);
        ASSERT_TRUE(oracle.ok());
        for (int time = 0; time < 2; ++time) {
            const auto answers = (*oracle)->ask(some_inputs(100), 100);
            ASSERT_TRUE(answers.ok()) << answers.error().message;
            EXPECT_EQ(answers->values, answers_to(some_inputs(100)));
        }
        EXPECT_EQ(served.asked(false), 2u + 4u + 4u) << status;  // 100, 50; then 25 at a time
    }
}

TEST(Oip, HalvesTheBatchOfBytesToo) {
    Served served;
    served.model.lists_binary = true;
    served.model.max_batch = 8;
    const auto answers = served.ask(20);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->values, answers_to(some_inputs(20)));
}

TEST(Oip, NeverExceedsTheGivenBatch) {
    Served served;
    EndpointOptions options;
    options.batch = 10;
    ASSERT_TRUE(served.ask(25, Tensors::json, options).ok());
    EXPECT_EQ(served.asked(false), 3u);
}

TEST(Oip, FillsTheLastBatchOfANetworkOfAFixedBatch) {
    Served served;
    served.model.input_shape = {4, 2, 2};
    const auto answers = served.ask(6, Tensors::json);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->count, 6u);
    EXPECT_EQ(answers->values, answers_to(some_inputs(6)));
    EXPECT_EQ(served.asked(false), 2u);
    EXPECT_THAT(served.server.asked().back().body, HasSubstr("\"shape\":[4,2,2]"));
}

TEST(Oip, QuotesTheErrorOfTheServer) {
    Served served;
    served.model.max_batch = 0;
    const auto answers = served.ask(4, Tensors::json);
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, ErrorKind::unreadable);
    EXPECT_EQ(answers.error().message,
              served.server.url("/v2/models/net") + ": HTTP status 400: 'the batch is too large'");
}

TEST(Oip, AcceptsWiderAndNarrowerTypes) {
    for (const auto* datatype : {"FP64", "BF16", "UINT8"}) {
        Served served;
        served.model.datatype = datatype;
        const auto oracle = served.open(Tensors::binary);
        ASSERT_TRUE(oracle.ok());
        const std::vector<float> inputs{1, 2, 3, 0, 4, 5, 6, 0};
        const auto answers = (*oracle)->ask(inputs, 2);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->values, answers_to(inputs)) << datatype;
        // Integers look rounded, whatever datatype they were sent in.
        const bool narrow = std::string(datatype) == "BF16";
        EXPECT_EQ(answers->rounding, 0.5) << datatype;
        EXPECT_EQ(answers->significand, narrow ? kBfloat16Bits : kFloat32Bits) << datatype;
    }
}

TEST(Oip, SendsDoublesToModelsThatTakeThem) {
    for (const auto tensors : {Tensors::json, Tensors::binary}) {
        Served served;
        served.model.input_datatype = "FP64";
        const auto answers = served.ask(2, tensors);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->values, answers_to(some_inputs(2)));
    }
}

// A server that answers in time, each time, and never comes to an end.
TEST(Oip, AllRequestsTogetherHaveALimit) {
    OipTestModel model;
    HttpServer server([&](const HttpAsked& asked) {
        auto reply = model.answer(asked);
        if (asked.method == "POST") reply.delay = std::chrono::milliseconds(300);
        return reply;
    });
    const auto oracle = connect(server.url("/v2/models/net"), {.max_seconds = 1, .batch = 1}, kInput);
    ASSERT_TRUE(oracle.ok()) << oracle.error().message;
    (*oracle)->begin({.inputs = 90});
    const auto begun = std::chrono::steady_clock::now();
    const auto answers = (*oracle)->ask(some_inputs(50), 50);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(answers.error().message,
                testing::ContainsRegex("net: only [1-4] of 90 answers were received within the limit of 1 s"));
    EXPECT_THAT(answers.error().hint, HasSubstr("raise the limit"));
}

TEST(Oip, ProgressIsReportedAfterEachRequest) {
    Served served;
    const auto oracle = served.open(Tensors::automatic, {.batch = 3});
    ASSERT_TRUE(oracle.ok());
    std::vector<std::size_t> heard;
    (*oracle)->begin({.inputs = 7, .answered = [&](std::size_t answers) { heard.push_back(answers); }});
    ASSERT_TRUE((*oracle)->ask(some_inputs(7), 7).ok());
    EXPECT_EQ(heard, (std::vector<std::size_t>{3, 3, 1}));
}

// Thousands of outputs for each of thousands of inputs are not gathered first and refused then.
TEST(Oip, AWrongNumberOfOutputsStopsTheQueries) {
    Served served;
    served.model.classes = 5000;
    const auto oracle = served.open(Tensors::binary, {.batch = 1});
    ASSERT_TRUE(oracle.ok());
    (*oracle)->begin({.inputs = 20, .classes = 3});
    const auto answers = (*oracle)->ask(some_inputs(20), 20);
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(answers.error().message, HasSubstr("5,000 outputs per input, 3"));
    EXPECT_EQ(served.asked(true), 1u);
}

TEST(Oip, LabelsAreLabels) {
    for (const bool column : {false, true}) {
        Served served;
        served.model.labels = true;
        if (column) served.model.tail = {1};
        const auto answers = served.ask(5);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->labels, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
        EXPECT_EQ(answers->classes, 0u);
        EXPECT_TRUE(answers->values.empty());
    }
}

TEST(Oip, AcceptsRowsWithTrailingExtentsOfOne) {
    Served served;
    served.model.tail = {1, 1};
    const auto answers = served.ask(2);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->classes, 3u);
}

TEST(Oip, NoticesRoundedText) {
    Served served;
    served.model.decimals = 4;
    const auto oracle = served.open(Tensors::json);
    ASSERT_TRUE(oracle.ok());
    std::vector<float> inputs;
    for (int i = 0; i < 40; ++i) inputs.push_back(std::sqrt(static_cast<float>(i)));
    const auto answers = (*oracle)->ask(inputs, 10);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_DOUBLE_EQ(answers->rounding, 0.5e-4);
}

TEST(Oip, RequestsTheGivenOutput) {
    Served served;
    served.model.more_outputs = {"features"};
    const auto none = served.open();
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(none.error().message, HasSubstr("has several outputs: 'logits', 'features'"));
    EndpointOptions options;
    options.output = "logits";
    ASSERT_TRUE(served.ask(1, Tensors::json, options).ok());
    EXPECT_THAT(served.server.asked().back().body, HasSubstr("\"outputs\":[{\"name\":\"logits\"}]"));
    options.output = "probabilities";
    const auto missing = served.open(Tensors::json, options);
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message,
                HasSubstr("has no output 'probabilities'; it has 'logits', 'features'"));
}

TEST(Oip, RefusesModelsOfAnotherShape) {
    for (const auto& shape :
         std::vector<std::vector<std::int64_t>>{{-1, 2, 3}, {-1, 4}, {-1, 2}, {2, 3}, {-1, 2, 2, 1}}) {
        Served served;
        served.model.input_shape = shape;
        const auto oracle = served.open();
        ASSERT_FALSE(oracle.ok());
        EXPECT_EQ(oracle.error().kind, ErrorKind::mismatch);
        EXPECT_THAT(oracle.error().message, HasSubstr("takes inputs of shape ["));
    }
    Served any;
    any.model.input_shape = {-1, -1, 2};
    EXPECT_TRUE(any.open().ok());
}

// Triton's max_batch_size 0.
TEST(Oip, SendsInputsOneByOneToAModelWithoutABatchDimension) {
    for (const auto tensors : {Tensors::json, Tensors::binary}) {
        for (const bool labels : {false, true}) {
            Served served;
            served.model.batched = false;
            served.model.input_shape = {2, 2};
            served.model.labels = labels;
            const auto answers = served.ask(5, tensors);
            ASSERT_TRUE(answers.ok()) << answers.error().message;
            EXPECT_EQ(answers->count, 5u);
            if (labels)
                EXPECT_EQ(answers->labels, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
            else
                EXPECT_EQ(answers->values, answers_to(some_inputs(5)));
            EXPECT_EQ(served.asked(tensors == Tensors::binary), 5u);
            EXPECT_THAT(served.server.asked().back().body, HasSubstr("\"shape\":[2,2]"));
        }
    }
}

TEST(Oip, AcceptsExtentsAsStrings) {
    Served served;
    served.model.quoted_extents = true;
    const auto answers = served.ask(3, Tensors::json);
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(answers->values, answers_to(some_inputs(3)));
}

TEST(Oip, SendsHalvesAsBytesIfTheyAreExact) {
    for (const auto tensors : {Tensors::automatic, Tensors::json}) {
        Served served;
        served.model.input_datatype = "FP16";
        const auto oracle = served.open(tensors);
        ASSERT_TRUE(oracle.ok()) << oracle.error().message;
        const std::vector<float> inputs{0, 0.5f, 1, 2, 3, 3, 1, 0};
        const auto answers = (*oracle)->ask(inputs, 2);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->values, answers_to(inputs));
        EXPECT_EQ(served.asked(true), 1u);
        const auto rounded = (*oracle)->ask(some_inputs(1), 1);
        ASSERT_FALSE(rounded.ok());
        EXPECT_EQ(rounded.error().kind, ErrorKind::unsupported);
        EXPECT_THAT(rounded.error().message, HasSubstr("of type FP16, in which input 1 is not exact"));
        EXPECT_EQ(served.asked(true), 1u);
    }
}

TEST(Oip, SendsGrayLevelsToModelsThatTakeBytes) {
    auto shape = kInput;
    auto& levels = shape.gray.emplace_back();
    for (int level = 0; level < 256; ++level) levels.push_back(static_cast<float>(level) / 255.0f);
    for (const auto tensors : {Tensors::json, Tensors::binary}) {
        Served served;
        served.model.input_datatype = "UINT8";
        const auto oracle = served.open(tensors, {}, shape);
        ASSERT_TRUE(oracle.ok()) << oracle.error().message;
        const auto answers =
            (*oracle)->ask(std::vector<float>{levels[0], levels[1], levels[255], levels[7]}, 1);
        ASSERT_TRUE(answers.ok()) << answers.error().message;
        EXPECT_EQ(answers->values, answers_to({0, 1, 255, 7}));
        EXPECT_FALSE((*oracle)->ask(some_inputs(1), 1).ok());
    }
}

TEST(Oip, RefusesInputsOfOtherTypes) {
    Served served;
    served.model.input_datatype = "INT64";
    const auto oracle = served.open();
    ASSERT_FALSE(oracle.ok());
    EXPECT_EQ(oracle.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(oracle.error().message, HasSubstr("of type INT64, not FP32, FP64, FP16 or UINT8"));
}

TEST(Oip, RefusesAnotherNumberOfRows) {
    for (const auto tensors : {Tensors::json, Tensors::binary}) {
        Served served;
        served.model.extra_rows = 1;
        const auto answers = served.ask(2, tensors);
        ASSERT_FALSE(answers.ok());
        EXPECT_EQ(answers.error().kind, ErrorKind::malformed);
        EXPECT_THAT(answers.error().message, HasSubstr("output 'logits' has the shape [3, 3] for 2 inputs"));
    }
}

TEST(Oip, RefusesAnswersThatAreNotRowsOfClasses) {
    Served one;
    one.model.classes = 1;
    const auto answers = one.ask(2, Tensors::json);
    ASSERT_FALSE(answers.ok());
    EXPECT_EQ(answers.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(answers.error().message, HasSubstr(": answers with one number per input, not one per class"));
}

TEST(Oip, ReportsAMissingModel) {
    Served served;
    const auto oracle = connect(served.server.url("/v2/models/other"), {}, kInput);
    ASSERT_FALSE(oracle.ok());
    EXPECT_THAT(oracle.error().message, HasSubstr("HTTP status 404: 'no such model'"));
    EXPECT_THAT(oracle.error().hint, HasSubstr("model's name"));
}

TEST(Connect, RequiresTheAddressOfAModel) {
    for (const auto* path : {"/", "/v2", "/v2/models", "/v2/models/", "/v2/models/a/infer", "/v3/models/a",
                             "/v2/models/a/versions", "/v2/models/a/versions/1/ready"}) {
        const auto oracle = connect(std::string("http://127.0.0.1:9") + path, {}, kInput);
        ASSERT_FALSE(oracle.ok()) << path;
        EXPECT_EQ(oracle.error().kind, ErrorKind::usage) << path;
        EXPECT_THAT(oracle.error().hint, HasSubstr("/v2/models/NAME"));
    }
}

TEST(Connect, TellsWhoCopiedTheAddressOfAFileToDownloadIt) {
    const auto file = check_target("https://hub.example/acme/net/model.safetensors");
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().kind, ErrorKind::usage);
    EXPECT_THAT(file.error().message, HasSubstr("is not the address of a served model"));
    EXPECT_THAT(file.error().hint, HasSubstr("download it first"));
    const auto page = check_target("https://hub.example/acme/net");
    ASSERT_FALSE(page.ok());
    EXPECT_THAT(page.error().hint, testing::Not(HasSubstr("download")));
    EXPECT_TRUE(check_target("https://h/gateway/v2/models/net/versions/3/").ok());
}

TEST(Connect, NoticesAnAddressWithoutItsScheme) {
    for (const auto* target : {"localhost:8000/v2/models/net", "models.example/v1/models/net/versions/1"}) {
        const auto refused = check_target(target);
        ASSERT_FALSE(refused.ok()) << target;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().hint, HasSubstr(std::string("http://") + target));
    }
    for (const auto* target : {"net.onnx", "/v2/models/net", "models/net.onnx", "exec:run /v2/models/net"})
        EXPECT_TRUE(check_target(target).ok()) << target;
}

TEST(Connect, RefusesAddressesThatMayHaveSecretsWithoutShowingThem) {
    for (const auto* target : {"http://me:secret@h/v2/models/net", "http://h/v2/models/net?key=secret",
                               "http://h/v2/models/net#secret", "http://h:0/v2/models/net"}) {
        const auto refused = connect(target, {}, kInput);
        ASSERT_FALSE(refused.ok()) << target;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message + refused.error().hint, testing::Not(HasSubstr("secret")));
    }
}

TEST(Connect, DistinguishesEndpointsFromFiles) {
    for (const auto* endpoint : {"http://h/x", "HTTPS://h/x", "exec:./model"})
        EXPECT_TRUE(is_endpoint(endpoint));
    for (const auto* file : {"model.onnx", "httpd", "http:/x", "./exec:model", ""})
        EXPECT_FALSE(is_endpoint(file));
}

}  // namespace
}  // namespace modelseal::oracle
