// The operators against the conformance cases of the ONNX project. Cases that are not supported are listed with
// the reason beside this file, so that one which comes or goes is noticed.
#include <cstdlib>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/torch/onnx_case.h"

namespace modelseal {
namespace {

using Kind = test::Outcome::Kind;

std::set<std::string> lines_of(const std::filesystem::path& path) {
    std::set<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line[0] != '#') lines.insert(line);
    }
    return lines;
}

struct Counts {
    int passed = 0, unsupported = 0, failed = 0;
};

// Cases of Debian's package (ONNX 1.12) whose data are not what they declare: bfloat16 as uint16.
const std::set<std::string> kWrongData = {
    "node/test_cast_BFLOAT16_to_FLOAT",     "node/test_cast_FLOAT_to_BFLOAT16",
    "node/test_castlike_BFLOAT16_to_FLOAT", "node/test_castlike_BFLOAT16_to_FLOAT_expanded",
    "node/test_castlike_FLOAT_to_BFLOAT16", "node/test_castlike_FLOAT_to_BFLOAT16_expanded",
};

enum class Cases { all, some };  // of those that a list is about

Counts run_all(const std::filesystem::path& root, const char* list, Cases cases) {
    auto expected = lines_of(std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "torch" / list);
    if (cases == Cases::some)
        std::erase_if(expected,
                      [&](const auto& line) { return !exists(root / line.substr(0, line.find(':'))); });
    Counts counts;
    std::set<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().filename() == "model.onnx") folders.insert(entry.path().parent_path());
    }
    for (const auto& folder : folders) {
        const auto name = std::filesystem::relative(folder, root).string();
        if (kWrongData.contains(name)) continue;
        const auto outcome = test::run_case(folder);
        if (outcome.kind == Kind::passed) ++counts.passed;
        if (outcome.kind == Kind::unsupported) {
            ++counts.unsupported;
            const auto line = fmt::format("{}: {}", name, outcome.reason);
            if (expected.erase(line) == 0) ADD_FAILURE() << "not in " << list << ":\n" << line;
        }
        if (outcome.kind == Kind::failed) {
            ++counts.failed;
            ADD_FAILURE() << "failed: " << name << ": " << outcome.reason;
        }
    }
    for (const auto& line : expected) ADD_FAILURE() << "in " << list << ", but not so:\n" << line;
    fmt::print("{}: {} passed, {} unsupported, {} failed\n", root.string(), counts.passed, counts.unsupported,
               counts.failed);
    return counts;
}

TEST(OnnxConformance, EveryCaseOfTheProjectPassesOrIsListed) {
    MODELSEAL_NEED_DATA();
    const auto counts = run_all(test::data_folder() / "onnx-node", "onnx_unsupported.txt", Cases::some);
    EXPECT_EQ(counts.failed, 0);
    EXPECT_GT(counts.passed, 1000);
}

TEST(OnnxConformance, EveryCaseOfOnnx123PassesOrIsListed) {
    const char* made = std::getenv("MODELSEAL_ONNX_CASES");
    if (made == nullptr || *made == 0)
        GTEST_SKIP() << "MODELSEAL_ONNX_CASES is not set (tests/torch/onnx_cases.sh)";
    const auto counts = run_all(made, "onnx_unsupported.txt", Cases::all);
    EXPECT_EQ(counts.failed, 0);
    EXPECT_EQ(counts.passed + counts.unsupported, 1884);
}

TEST(OnnxConformance, EveryCaseOfDebiansPackagePassesOrIsListed) {
    const std::filesystem::path root = "/usr/share/libonnx-testdata/data";
    if (!std::filesystem::exists(root)) GTEST_SKIP() << "libonnx-testdata is not installed";
    const auto counts = run_all(root, "onnx_unsupported_debian.txt", Cases::all);
    EXPECT_EQ(counts.failed, 0);
    EXPECT_GT(counts.passed, 1000);
}

TEST(OnnxConformance, RealNetworksAnswerAsTheirAuthorsRecorded) {
    MODELSEAL_NEED_DATA();
    const auto folder = test::data_folder() / "models" / "onnx";
    for (const auto* name : {"mnist-8", "super_resolution_10"}) {
        const auto outcome = test::run_case(folder / name);
        EXPECT_EQ(outcome.kind, Kind::passed) << name << ": " << outcome.reason;
    }
    // Where a product lies between two integers, the rounding of float32 decides, and engines differ: ONNX
    // Runtime with its fusions and without them by two steps of the output, 0.1531 each.
    const auto outcome = test::run_case(folder / "mobilenetv2-int8-qdq-imagenet", 2.01 * 0.1531);
    EXPECT_EQ(outcome.kind, Kind::passed) << outcome.reason;
}

TEST(OnnxConformance, ANetworkOfBranchesAndLstmsRuns) {
    MODELSEAL_NEED_DATA();
    auto file = model::read_onnx_file(
        model::open_model(test::data_folder() / "models" / "onnx" / "silero_vad.onnx").value());
    ASSERT_TRUE(file.ok()) << file.error().message;
    auto opened = libtorch::onnx::Interpreter::open(std::move(file).value(), at::kCPU, 1u << 30);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const auto sound = at::arange(576, at::TensorOptions(at::kFloat)).mul(0.1).sin().reshape({1, 576});
    const auto state = at::zeros({2, 1, 128}, at::TensorOptions(at::kFloat));
    const auto outputs = (*opened)->run({sound, state, at::scalar_tensor(16000, at::TensorOptions(at::kLong))});
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    const auto probability = outputs->at(0).tensor;
    EXPECT_EQ(probability.numel(), 1);
    EXPECT_GT(probability.item<float>(), 0);
    EXPECT_LT(probability.item<float>(), 1);
    EXPECT_EQ(outputs->at(1).tensor.sizes(), state.sizes());
}

}  // namespace
}  // namespace modelseal
