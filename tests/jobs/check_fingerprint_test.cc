// A model behind a server that runs it with an engine of its own, and the fingerprint that tells whether it is
// the one.
#include <gmock/gmock.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/services/runtime_server.h"
#include "tests/support/services/worker.h"
#include <modelseal/check.h>

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

TEST_F(ServedModel, OfAnotherShapeIsRefused) {
    const RuntimeServer server("mnist-8/model.onnx");
    const auto report = ask(server.url);
    EXPECT_EQ(report.verdict, Verdict::error);
    ASSERT_TRUE(report.fingerprint);
    EXPECT_EQ(report.fingerprint->outcome, Outcome::error);
}

}  // namespace
}  // namespace modelseal
