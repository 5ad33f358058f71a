// A model behind a server that runs it with an engine of its own, and the fingerprint that tells whether it is
// the one.
#include <gmock/gmock.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/services/runtime_server.h"
#include "tests/support/services/worker.h"
#include <modelseal/check.h>
#include <modelseal/fingerprint.h>

namespace modelseal {
namespace {

using Outcome = FingerprintFinding::Outcome;
using test::RuntimeServer;

class ServedModel : public ::testing::Test {
  protected:
    // One fingerprint for all: making it takes longer than any of them.
    static void TearDownTestSuite() { made_.clear(); }
    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        MODELSEAL_NEED_ONNXRUNTIME();
        if (!made_.empty()) {
            scratch_.write("model.fp", made_);
            return;
        }
        const auto model = test::data_folder() / "models/onnx" / kModel;
        const FingerprintOptions options{.key = vendor_, .check = check_, .pairs = 30};
        const auto made = fingerprint_model(model, print_, options);
        ASSERT_TRUE(made.ok()) << made.error().message;
        made_ = test::content_of(print_);
    }

    CheckReport ask(const std::string& url, const EndpointOptions& endpoint = {}) {
        const FingerprintCheck asked{.file = print_, .keys = {check_}, .endpoint = endpoint};
        return check_model(url, {.fingerprint = asked}).value();
    }

    static constexpr const char* kModel = "cifar10-resnet20.onnx";
    test::Scratch scratch_;
    std::filesystem::path print_ = scratch_ / "model.fp";
    static inline std::string made_;
    const SigningKey vendor_ = test::test_key();
    CheckKey check_ = public_check_key(vendor_.public_key());
};

TEST_F(ServedModel, IsIntactOnAnotherEngineWhateverItsThreadsAndBatches) {
    for (const std::string threads : {"1", "3"}) {
        const RuntimeServer server(kModel, {"--threads", threads});
        for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{0}}) {
            const auto report = ask(server.url, {.batch = batch});
            EXPECT_EQ(report.verdict, Verdict::intact) << report.error;
            ASSERT_TRUE(report.fingerprint);
            EXPECT_EQ(report.fingerprint->mismatched, 0u);
            EXPECT_EQ(report.fingerprint->rung, "fp32");
        }
    }
}

TEST_F(ServedModel, ThatIsAnotherModelIsTampered) {
    const RuntimeServer server("cifar10-resnet32.onnx");
    const auto report = ask(server.url);
    EXPECT_EQ(report.verdict, Verdict::tampered) << report.error;
    ASSERT_TRUE(report.fingerprint);
    EXPECT_GT(report.fingerprint->mismatched, 10u);
}

// A vendor who has nothing but the service that they trust: the fingerprint that is made of it holds for the file elsewhere.
TEST_F(ServedModel, GetsAFingerprintWithoutItsFile) {
    const std::string model = "mnist-8/model.onnx";
    const RuntimeServer server(model), changed(kModel);
    const auto out = scratch_ / "served.fp";
    const FingerprintOptions options{.key = vendor_, .check = check_, .pairs = 20};
    const auto made = fingerprint_model(server.url, out, options);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->device, "server");
    EXPECT_EQ(made->classes, 10u);
    EXPECT_FALSE(made->sealed);
    print_ = out;
    EXPECT_EQ(ask(server.url).verdict, Verdict::intact);
    const FingerprintCheck asked{.file = out, .keys = {check_}};
    const auto file =
        check_model((test::data_folder() / "models/onnx" / model).string(), {.fingerprint = asked});
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->fingerprint);
    EXPECT_THAT(file->fingerprint->outcome, ::testing::AnyOf(Outcome::intact, Outcome::other_runtime));
    EXPECT_EQ(file->fingerprint->mismatched, 0u);
    EXPECT_NE(ask(changed.url).verdict, Verdict::intact);
}

TEST_F(ServedModel, CannotHaveWhatNeedsItsWeights) {
    const auto out = scratch_ / "served.fp";
    const FingerprintOptions options{
        .key = vendor_, .check = check_, .method = FingerprintMethod::generator, .triggers = 10};
    const auto made = fingerprint_model("http://127.0.0.1:1/v2/models/net", out, options);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().kind, ErrorKind::usage);
    EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(ServedModel, OfAnotherShapeIsRefused) {
    const RuntimeServer server("mnist-8/model.onnx");
    const auto report = ask(server.url);
    EXPECT_EQ(report.verdict, Verdict::error);
    ASSERT_TRUE(report.fingerprint);
    EXPECT_EQ(report.fingerprint->outcome, Outcome::error);
}

}  // namespace
}  // namespace modelseal
