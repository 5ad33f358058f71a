// From a model to a verdict without reading its weights, as on the command line.
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/safetensors.h"
#include "tests/support/models/script_file.h"
#include "tests/support/models/small_graphs.h"
#include "tests/support/models/small_models.h"
#include "tests/support/picture_files.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal {
namespace {

using nlohmann::json;
using test::modelseal;
using test::run;
using test::Words;
using testing::HasSubstr;

class FingerprintCommand : public testing::Test {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        auto network = test::small_network();
        write("net.pt", network);
        network.weights[0].values[0] *= 1.05f;
        write("changed.pt", network);
        network.weights[0].values[0] = std::nextafter(network.weights[0].values[0] / 1.05f, 10.0f);
        write("one-ulp.pt", network);
        const auto vendor = test::test_key();
        folder_.write("v.key", *signing_key_pem(vendor, ""));
        folder_.write("v.pub", public_key_pem(vendor.public_key()));
        folder_.write("other.pub", public_key_pem(test::test_key(2).public_key()));
        // One for all tests: making it takes longer than any of them.
        if (print_.empty()) {
            const auto made =
                of({"fingerprint", "net.pt", "-k", "v.key", "-o", "net.fp", "--pairs", "4", "--input-shape",
                    "2,5,5", "--device", "cpu", "--preview", "net.png", "--json"});
            ASSERT_EQ(made.code, 0) << made.err;
            made_ = json::parse(made.out);
            print_ = test::content_of(folder_ / "net.fp");
            preview_ = test::content_of(folder_ / "net.png");
        }
        folder_.write("net.fp", print_);
        folder_.write("net.png", preview_);
    }
    static void TearDownTestSuite() {
        print_.clear();
        made_ = {};
    }
    void write(const char* name, const test::ScriptFile& network) const {
        const auto bytes = network.build();
        folder_.write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    test::Outcome of(const Words& words) const { return run(modelseal(words), {.folder = folder_.path()}); }
    test::Outcome check(Words words) const {
        words.insert(words.begin(), {"check", "--fingerprint", "net.fp"});
        return of(words);
    }
    const test::Scratch folder_;
    static inline std::string print_, preview_;
    static inline json made_;
};

TEST_F(FingerprintCommand, DistinguishesTheModelFromAChangedOne) {
    EXPECT_EQ(made_["schema"], "modelseal-fingerprint/1");
    EXPECT_TRUE(test::content_of(folder_ / "net.png").starts_with("\x89PNG"));
    const auto intact = check({"--pub", "v.pub", "--device", "cpu", "--black-box", "net.pt"});
    EXPECT_EQ(intact.code, 0) << intact.err;
    EXPECT_THAT(intact.out, HasSubstr("net.pt: intact, none of 4 pairs on rung fp32 differs, "));
    const auto changed =
        check({"--pub", "v.pub", "--device", "cpu", "--black-box", "changed.pt", "--html", "r.html", "--json"});
    EXPECT_EQ(changed.code, 1) << changed.err;
    const auto finding = json::parse(changed.out)["checks"][0];
    EXPECT_EQ(finding["outcome"], "tampered");
    EXPECT_EQ(finding["id"], made_["id"]);
    EXPECT_THAT(test::content_of(folder_ / "r.html"), testing::Not(HasSubstr("data:image/png;base64,")));
}

TEST_F(FingerprintCommand, ShowsPairsOnAPageOnlyIfAskedAndThenToTheOwnerAlone) {
    ASSERT_EQ(check({"--pub", "v.pub", "--device", "cpu", "--black-box", "net.pt", "--html", "r.html",
                     "--html-pairs"})
                  .code,
              0);
    EXPECT_THAT(test::content_of(folder_ / "r.html"), HasSubstr("data:image/png;base64,"));
    EXPECT_EQ(std::filesystem::status(folder_ / "r.html").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto idle = check({"--pub", "v.pub", "--black-box", "net.pt", "--html-pairs"});
    EXPECT_EQ(idle.code, 2);
    EXPECT_THAT(idle.err, HasSubstr("--html"));
}

// By a generator that is trained in the worker; the model file stays what it is.
TEST_F(FingerprintCommand, MakesGeneratedTriggers) {
    const auto before = test::content_of(folder_ / "net.pt");
    const Words words = {
        "fingerprint",   "net.pt", "-k",        "v.key", "-o",     "t.fp", "--method", "generator",
        "--triggers",    "20",     "--width",   "8",     "--seed", "3",    "--device", "cpu",
        "--input-shape", "2,5,5",  "--preview", "t.png", "--json"};
    const auto made = of(words);
    ASSERT_EQ(made.code, 0) << made.err;
    const auto summary = json::parse(made.out);
    EXPECT_EQ(summary["method"], "generator");
    EXPECT_EQ(summary["generator"]["width"], 8);
    EXPECT_EQ(summary["generator"]["arm"], "both");
    EXPECT_GT(summary["rungs"][0]["triggers"], 10);
    EXPECT_TRUE(test::content_of(folder_ / "t.png").starts_with("\x89PNG"));
    EXPECT_EQ(test::content_of(folder_ / "net.pt"), before);
    const auto check_with = [&](Words more) {
        more.insert(more.begin(),
                    {"check", "--fingerprint", "t.fp", "--pub", "v.pub", "--device", "cpu", "--black-box"});
        return of(more);
    };
    const auto intact = check_with({"net.pt", "--json", "--html", "t.html", "--html-pairs"});
    EXPECT_EQ(intact.code, 0) << intact.out << intact.err;
    const auto finding = json::parse(intact.out)["checks"][0];
    EXPECT_EQ(finding["method"], "generator");
    EXPECT_EQ(finding["acc_tri"]["matched"], finding["acc_tri"]["count"]);
    EXPECT_EQ(finding["triggers"], summary["rungs"][0]["triggers"]);
    EXPECT_THAT(test::content_of(folder_ / "t.html"), HasSubstr("some triggers"));
    EXPECT_THAT(check_with({"net.pt"}).out, HasSubstr("intact, none of"));
    auto other = test::small_network();
    for (auto& value : other.weights[0].values) value = -value;
    write("other.pt", other);
    const auto changed = check_with({"other.pt"});
    EXPECT_EQ(changed.code, 1) << changed.out << changed.err;
    EXPECT_THAT(changed.out, HasSubstr("triggers on rung fp32 differ"));
    const auto shown = of({"inspect", "t.fp", "--pub", "v.pub", "--json"});
    EXPECT_EQ(json::parse(shown.out)["method"], "generator") << shown.out;
    const auto again =
        of({"fingerprint",   "net.pt", "-k",        "v.key", "-o",     "u.fp", "--method", "generator",
            "--triggers",    "20",     "--width",   "8",     "--seed", "3",    "--device", "cpu",
            "--input-shape", "2,5,5",  "--preview", "u.png"});
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(test::content_of(folder_ / "u.png"), test::content_of(folder_ / "t.png"));
}

// The runtime that made the fingerprint answers the same to the last bit; any other may round otherwise.
TEST_F(FingerprintCommand, NoticesTheLeastChangeOnTheSameRuntime) {
    const auto here = check({"--pub", "v.pub", "--device", "cpu", "--black-box", "one-ulp.pt", "--json"});
    EXPECT_EQ(here.code, 1) << here.err;
    EXPECT_EQ(json::parse(here.out)["checks"][0]["rung"], "exact");
    const auto elsewhere =
        check({"--pub", "v.pub", "--device", "cpu", "--black-box", "one-ulp.pt", "--json", "--jobs", "7"});
    EXPECT_EQ(elsewhere.code, 0) << elsewhere.err;
    EXPECT_EQ(json::parse(elsewhere.out)["checks"][0]["outcome"], "other-runtime");
}

// Another library of matrix products under the same names: the text of the runtime states no library, the canary knows.
TEST_F(FingerprintCommand, AnotherLibraryOfProductsIsAnotherRuntime) {
    constexpr const char* kReference = "/usr/lib/x86_64-linux-gnu/blas";
    if (!std::filesystem::exists(std::filesystem::path(kReference) / "libblas.so.3"))
        GTEST_SKIP() << "the reference BLAS is not installed (libblas3)";
    const auto there = run(modelseal({"check", "net.pt", "--fingerprint", "net.fp", "--pub", "v.pub",
                                      "--device", "cpu", "--black-box", "--json"}),
                           {.folder = folder_.path(), .variables = {{"LD_LIBRARY_PATH", kReference}}});
    EXPECT_EQ(there.code, 0) << there.out << there.err;
    EXPECT_EQ(json::parse(there.out)["verdict"], "intact");
    // The probe sees it, even where this small network does not.
    const auto one_ulp = run(modelseal({"check", "one-ulp.pt", "--fingerprint", "net.fp", "--pub", "v.pub",
                                        "--device", "cpu", "--black-box", "--json"}),
                             {.folder = folder_.path(), .variables = {{"LD_LIBRARY_PATH", kReference}}});
    EXPECT_EQ(one_ulp.code, 0) << "not compared bit by bit: " << one_ulp.out;
}

TEST_F(FingerprintCommand, StatesWhatEachRuntimeWasOffBy) {
    std::set<std::string> fp32, mixed;
    for (const auto& one : made_["runtimes"]) {
        (one["rung"] == "fp32" ? fp32 : mixed).insert(one["name"].get<std::string>());
        EXPECT_GE(one["largest"], one["mean"]);
        EXPECT_LE(std::abs(one["drift"].get<double>()), one["mean"].get<double>() * (1 + 1e-9));
    }
    for (const auto* name : {"sums one term at a time", "Winograd F(4,3)",
                             "operators off by half a unit in the last place", "inputs with 7 digits"})
        EXPECT_TRUE(fp32.contains(name)) << name;
    for (const auto* name : {"TF32 products", "bfloat16", "half precision", "inputs in half precision"})
        EXPECT_TRUE(mixed.contains(name)) << name;
}

// The network has 2 x 2 x 3 x 3 and 32 x 3 weights or so: every tensor is listed, and nothing is written.
TEST_F(FingerprintCommand, ShowsWhatAFingerprintWouldSee) {
    const Words words = {"fingerprint", "net.pt",        "-k",    "v.key",    "--pairs",
                         "60",          "--input-shape", "2,5,5", "--device", "cpu"};
    auto asked = words;
    asked.insert(asked.end(), {"--coverage", "--json"});
    const auto shown = of(asked);
    ASSERT_EQ(shown.code, 0) << shown.err;
    const auto coverage = json::parse(shown.out)["coverage"];
    EXPECT_EQ(coverage["change"], 0.01);
    EXPECT_GT(coverage["noticed"], 0);
    std::uint64_t weights = 0, noticed = 0;
    for (const auto& one : coverage["tensors"]) {
        weights += one["weights"].get<std::uint64_t>();
        noticed += one["noticed"].get<std::uint64_t>();
        EXPECT_FALSE(one["name"].get<std::string>().empty());
    }
    EXPECT_EQ(coverage["weights"], weights);
    EXPECT_EQ(coverage["noticed"], noticed);
    EXPECT_FALSE(json::parse(shown.out).contains("file"));
    EXPECT_EQ(of(words).code, 2) << "no file, and not asked for coverage";
    auto both = asked;
    both.insert(both.end(), {"-o", "no.fp"});
    EXPECT_EQ(of(both).code, 2);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "no.fp"));
    const auto inspected = json::parse(of({"inspect", "net.fp", "--pub", "v.pub", "--json"}).out);
    EXPECT_EQ(inspected["coverage_weights"], weights) << inspected.dump(2);
}

TEST_F(FingerprintCommand, SearchesFromPicturesOfAFolder) {
    auto colored = test::small_network();
    auto& first = colored.weights[0];
    first.shape = {4, 3, 3, 3};
    first.values.resize(108, 0.25f);
    write("rgb.pt", colored);
    const auto make = [&](const char* model, const char* shape, const char* folder) {
        return of({"fingerprint", model, "-k", "v.key", "-o", "rgb.fp", "--pairs", "4", "--input-shape", shape,
                   "--device", "cpu", "--seeds", folder});
    };
    std::filesystem::create_directory(folder_ / "one");
    folder_.write("one/a.png", test::png_text(test::numbered_picture(5, 5, 3, 1)));
    const auto lonely = make("rgb.pt", "3,5,5", "one");
    EXPECT_EQ(lonely.code, 3);
    EXPECT_THAT(lonely.err, HasSubstr("one: one picture; paths lead from one to another"));
    std::filesystem::create_directory(folder_ / "seeds");
    folder_.write("seeds/a.png", test::png_text(test::numbered_picture(5, 5, 3, 1)));
    folder_.write("seeds/b.png", test::png_text(test::numbered_picture(6, 5, 3, 2)));
    const auto wide = make("rgb.pt", "3,5,5", "seeds");
    EXPECT_EQ(wide.code, 3);
    EXPECT_THAT(wide.err, HasSubstr("seeds/b.png: "));
    EXPECT_EQ(make("net.pt", "2,5,5", "seeds").code, 3) << "its inputs are not pictures";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "rgb.fp"));
    folder_.write("seeds/b.png", test::png_text(test::numbered_picture(5, 5, 3, 2)));
    const auto made = make("rgb.pt", "3,5,5", "seeds");
    ASSERT_EQ(made.code, 0) << made.err;
    const auto intact =
        of({"check", "--fingerprint", "rgb.fp", "--pub", "v.pub", "--device", "cpu", "--black-box", "rgb.pt"});
    EXPECT_EQ(intact.code, 0) << intact.out << intact.err;
}

TEST_F(FingerprintCommand, ReportsWhatAModelLacksAndWritesNothing) {
    folder_.write("weights.safetensors", test::safetensors({{"w", 8}}));
    auto detector = test::small_network();
    detector.body.insert(detector.body.begin(), "_9 = ops.torchvision.nms(x, x, 0.5)");
    write("detector.pt", detector);
    const std::tuple<const char*, const char*, const char*> refused[] = {
        {"net.pt", "3,5,5", "hint: check that it takes inputs of shape 3,5,5"},
        {"weights.safetensors", "2,5,5", ": contains weights (safetensors), but no graph to run"},
        {"none.pt", "2,5,5", "none.pt: cannot open: not found"}};
    for (const auto& [model, shape, message] : refused) {
        const auto outcome =
            of({"fingerprint", model, "-k", "v.key", "-o", "no.fp", "--input-shape", shape, "--device", "cpu"});
        EXPECT_EQ(outcome.code, 3) << model;
        EXPECT_THAT(outcome.err, HasSubstr(message));
        EXPECT_FALSE(std::filesystem::exists(folder_ / "no.fp"));
    }
    const auto outcome =
        of({"fingerprint", "detector.pt", "-k", "v.key", "-o", "no.fp", "--input-shape", "2,5,5"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err,
                HasSubstr("detector.pt: the operator torchvision::nms does not exist in LibTorch "));
    EXPECT_THAT(outcome.err, HasSubstr("hint: export the network without it, or as ONNX"));
    EXPECT_THAT(outcome.err, testing::Not(HasSubstr("shape")));
}

TEST_F(FingerprintCommand, OfAGraphThatEndsInLabelsIsThatOfItsProbabilities) {
    folder_.write("labels.onnx", test::small_labels());
    const std::string note =
        "labels.onnx: the output 'classLabel' is left out: labels (ArgMax, ArrayFeatureExtractor); the graph "
        "is cut "
        "before, at 'loss'";
    const auto made = of({"fingerprint", "labels.onnx", "-k", "v.key", "-o", "labels.fp", "--pairs", "4",
                          "--device", "cpu", "--json"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_THAT(made.out + made.err, HasSubstr(note));
    const auto checked =
        of({"check", "labels.onnx", "--black-box", "--fingerprint", "labels.fp", "--pub", "v.pub", "--json"});
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    EXPECT_THAT(checked.out, HasSubstr(note));
}

// As where activations are quantized by the range of the batch.
TEST_F(FingerprintCommand, OfANetworkThatScalesByItsBatchAsksOneInputAtATime) {
    auto graph = test::small_features();
    graph.node("Abs", {"f"}, "a0").node("ReduceMax", {"a0"}, "m", {test::integer_attribute("keepdims", 0)});
    graph.node("Div", {"f", "m"}, "d").floats("v", {3, 100}, test::waves_of(300, 0.3f));
    graph.node("Gemm", {"d", "v"}, "y", {test::integer_attribute("transB", 1)});
    folder_.write("range.onnx", graph.build("y"));
    const auto made = of({"fingerprint", "range.onnx", "-k", "v.key", "-o", "range.fp", "--pairs", "8",
                          "--device", "cpu", "--json"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("inputs are asked one at a time"));
    const auto checked = of({"check", "range.onnx", "--black-box", "--fingerprint", "range.fp", "--pub",
                             "v.pub", "--batch", "3", "--json"});
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    EXPECT_EQ(json::parse(checked.out)["checks"][0]["rungs"][0]["name"], "exact");
    EXPECT_EQ(json::parse(checked.out)["checks"][0]["rungs"][0]["flipped"], 0);
}

TEST_F(FingerprintCommand, RefusesOtherKeysAndSpoiledFilesBeforeAnyQuery) {
    // No server listens there: only a query would notice.
    const char* nobody = "http://127.0.0.1:1/v2/models/net";
    EXPECT_EQ(check({nobody, "--pub", "other.pub"}).code, 1);
    EXPECT_EQ(check({nobody, "--pub", "v.pub", "--retries", "0"}).code, 3);
    auto spoiled = test::content_of(folder_ / "net.fp");
    spoiled[200] = static_cast<char>(spoiled[200] ^ 1);
    folder_.write("net.fp", spoiled);
    const auto refused = check({nobody, "--pub", "v.pub"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("modelseal: net.fp: changed or forged"));
}

// Without --black-box a file is run only if its seal is intact.
TEST_F(FingerprintCommand, RunsAFileOnlyIfItsSealIsIntact) {
    const auto unsealed = check({"--pub", "v.pub", "--device", "cpu", "net.pt", "--json"});
    EXPECT_EQ(unsealed.code, 4) << unsealed.err;
    const auto entries = json::parse(unsealed.out)["checks"];
    EXPECT_EQ(entries[0]["outcome"], "not-found");
    EXPECT_EQ(entries[1]["kind"], "fingerprint");
    EXPECT_EQ(entries[1]["outcome"], "not-run");
    EXPECT_THAT(check({"--pub", "v.pub", "net.pt"}).out, HasSubstr("the model was not run"));
}

TEST_F(FingerprintCommand, WithoutAFingerprintThereIsNothingToCheckAgainst) {
    const auto outcome = of({"check", "http://127.0.0.1:1/v2/models/net", "--pub", "v.pub"});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_THAT(outcome.out, HasSubstr("no fingerprint was given"));
}

// With a fingerprint or without, an address is one or is not.
TEST_F(FingerprintCommand, RefusesAddressesThatAreNotOfServedModels) {
    const std::pair<const char*, const char*> refused[] = {
        {"https://hub.example/acme/net/model.safetensors", "to check a file, download it first"},
        {"localhost:8000/v2/models/net", "http://localhost:8000/v2/models/net"}};
    for (const auto& [target, hint] : refused) {
        for (const auto& outcome :
             {check({"--pub", "v.pub", target}), of({"check", target, "--pub", "v.pub"})}) {
            EXPECT_EQ(outcome.code, 2) << target;
            EXPECT_THAT(outcome.err, HasSubstr(hint));
        }
    }
}

TEST_F(FingerprintCommand, ShowsThatItAsksAgain) {
    const Words words = {"--pub", "v.pub", "--retries", "1", "http://127.0.0.1:1/v2/models/net"};
    const auto outcome = check(words);
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err,
                HasSubstr("modelseal: http://127.0.0.1:1: cannot connect: Connection refused; trying "
                          "http://127.0.0.1:1 again in "));
    auto quiet = words;
    quiet.push_back("--quiet");
    EXPECT_THAT(check(quiet).err, testing::Not(HasSubstr("again in")));
}

TEST_F(FingerprintCommand, PointsAProgramThatDoesNotAnswerToTheProtocol) {
    for (const auto* target : {"exec:true", "exec:echo hello"}) {
        const auto outcome = check({"--pub", "v.pub", target});
        EXPECT_EQ(outcome.code, 3) << target;
        EXPECT_THAT(outcome.err, HasSubstr("answer in JSON lines"));
        EXPECT_THAT(outcome.err, HasSubstr("hint: modelseal-exec(7)"));
    }
}

TEST_F(FingerprintCommand, AcceptsAnswersMadeElsewhere) {
    ASSERT_EQ(of({"challenge", "net.fp", "--pub", "v.pub", "-o", "ask"}).code, 0);
    EXPECT_EQ(check({"--pub", "v.pub", "--responses", "ask"}).code, 3);
    const auto count = json::parse(test::content_of(folder_ / "ask/manifest.json"))["count"].get<int>();
    std::string wrong;
    for (int i = 1; i <= count; ++i) wrong += std::to_string(i) + ",0.125,-0.25,1.5\n";
    folder_.write("ask/responses.csv", wrong);
    const auto tampered = check({"--pub", "v.pub", "--responses", "ask"});
    EXPECT_EQ(tampered.code, 1) << tampered.err;
    EXPECT_THAT(tampered.out, HasSubstr("ask: tampered"));
}

}  // namespace
}  // namespace modelseal
