// The strongest test: flip any one bit of a sealed file, and the check notices, names the tensor and the place.
#include <cstdlib>
#include <mutex>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "io/threads.h"
#include "mark/checking/evidence.h"
#include "mark/checking/verdict.h"
#include "tests/support/data.h"
#include "tests/support/memory_model.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

// Where a byte lies: an element of a tensor, or the frame.
struct Spot {
    std::string tensor;
    std::uint64_t first = 0, last = 0;  // elements that the byte is part of
};

std::vector<std::optional<Spot>> spots(const model::Model& model) {
    std::vector<std::optional<Spot>> found(model.files[0].source->size());
    for (const auto& tensor : model.tensors) {
        const auto& type = info(tensor.dtype);
        std::uint64_t before = 0;
        for (const auto& segment : tensor.segments) {
            for (std::uint64_t byte = 0;
                 byte < segment.bytes && segment.stride == 0 && segment.encoding == Encoding::dense; ++byte) {
                const auto first = before + byte / type.group_bytes * type.group_elements;
                found[segment.offset + byte] = Spot{tensor.name, first, first + type.group_elements - 1};
            }
            before += segment.elements;
        }
    }
    return found;
}

Result<std::optional<SealFinding>> check_bytes(std::span<const std::byte> bytes, const CheckKey& key) {
    MODELSEAL_TRY_ASSIGN(const auto model, test::memory_model("flipped", bytes));
    MODELSEAL_TRY_ASSIGN(const auto evidence, mark::gather(model, key, {.jobs = 1}, no_progress()));
    if (!evidence) return std::optional<SealFinding>();
    return std::optional(mark::judge(model, *evidence, false));
}

bool names(const SealFinding& finding, const Spot& spot) {
    for (const auto& tensor : finding.tensors) {
        if (tensor.name != spot.tensor) continue;
        for (const auto& range : tensor.changed) {
            if (range.count > 8192) return false;
            if (range.first <= spot.last && spot.first < range.first + range.count) return true;
        }
    }
    return false;
}

// The error in the answer to this one flipped bit, or empty.
std::string problem(std::span<std::byte> bytes, std::uint64_t bit, const CheckKey& key,
                    const std::vector<std::optional<Spot>>& where) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto answer = check_bytes(bytes, key);
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto& spot = where[bit / 8];
    if (!answer) {
        if (answer.error().kind == ErrorKind::internal) return "internal error: " + answer.error().message;
        return spot ? "refused, though only a weight changed: " + answer.error().message : "";
    }
    if (!*answer) return spot ? "no seal found, though only a weight changed" : "";
    const auto& finding = **answer;
    if (finding.outcome == SealFinding::Outcome::intact) return "called intact";
    if (!spot) return "";
    if (!finding.frame_intact) return "the frame is blamed for a weight";
    if (finding.tensors.size() != 1) return fmt::format("{} tensors are blamed", finding.tensors.size());
    return names(finding, *spot) ? "" : fmt::format("not placed in {} at {}", spot->tensor, spot->first);
}

// `step`: of the bits of weights, one in so many; of the frame, every one.
void flip_every_bit(const std::string& original, const SigningKey& key, std::uint64_t step) {
    const auto check = public_check_key(key.public_key());
    const auto sealed = test::sealed_bytes(original, key);
    const auto whole = std::as_bytes(std::span(sealed));
    const auto model = test::memory_model("whole", whole);
    ASSERT_TRUE(model.ok()) << model.error().message;
    const auto where = spots(*model);
    const auto intact = check_bytes(whole, check);
    ASSERT_TRUE(intact.ok() && intact->has_value());
    ASSERT_EQ((*intact)->outcome, SealFinding::Outcome::intact) << (*intact)->detail;

    const auto bits = sealed.size() * 8;
    const unsigned jobs = io::default_jobs();
    std::vector<std::vector<std::byte>> copies(jobs, {whole.begin(), whole.end()});
    std::mutex reporting;
    std::vector<std::string> problems;
    const auto flip = [&](std::size_t byte, unsigned worker) -> Result<void> {
        for (std::uint64_t bit = 8 * byte; bit < 8 * byte + 8; ++bit) {
            if (where[byte] && bit % step != 0) continue;
            const auto text = problem(copies[worker], bit, check, where);
            if (text.empty()) continue;
            const std::scoped_lock lock(reporting);
            problems.push_back(fmt::format("bit {}: {}", bit, text));
        }
        return {};
    };
    ASSERT_TRUE(io::parallel_for(bits / 8, jobs, flip).ok());
    EXPECT_TRUE(problems.empty()) << problems.size() << " of " << bits << ", first: " << problems.front();
}

class EveryBit : public testing::TestWithParam<test::SmallModel> {};

TEST_P(EveryBit, FlippedIsNoticedNamedAndPlaced) {
    // All of one model; the others cover their formats and types.
    flip_every_bit(GetParam().file(), test::test_key(), GetParam().name == "safetensors_i8" ? 1 : 11);
}

INSTANTIATE_TEST_SUITE_P(OfASmallFile, EveryBit, testing::ValuesIn(test::small_models()),
                         [](const auto& given) { return given.param.name; });

TEST(EveryBitUnderAKeyOnP256, FlippedIsNoticedNamedAndPlaced) {
    flip_every_bit(test::small_models().front().file(), test::test_key_p256(), 7);
}

// MODELSEAL_FLIPS=20000 for the long run, shared among the files.
std::size_t flips_wanted() {
    const char* given = std::getenv("MODELSEAL_FLIPS");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : 300;
}

TEST(RandomBits, FlippedInRealModelsAreNoticedNamedAndPlaced) {
    MODELSEAL_NEED_DATA();
    const auto models = test::data_folder() / "models";
    const std::vector<std::filesystem::path> files = {
        "safetensors/cifar10-resnet20.safetensors",  "onnx/cifar10-resnet20.onnx",
        "onnx/squeezenet1.0-fp16-imagenet.onnx",     "onnx/shufflenet-v2-12-int8-imagenet.onnx",
        "torchscript/cifar10-resnet20.pt",           "checkpoint/executorch-nxp-cifar_net.pth",
        "checkpoint/akamaster-resnet20-12fca82f.th", "gguf/superpoint.gguf",
    };
    const auto key = test::test_key();
    const auto check = public_check_key(key.public_key());
    const auto jobs = io::default_jobs();
    for (const auto& file : files) {
        const auto sealed = test::sealed_bytes(test::content_of(models / file), key);
        const auto whole = std::as_bytes(std::span(sealed));
        const auto model = test::memory_model("whole", whole);
        ASSERT_TRUE(model.ok()) << model.error().message;
        const auto where = spots(*model);
        std::vector<std::vector<std::byte>> copies(jobs, {whole.begin(), whole.end()});
        std::mutex reporting;
        std::vector<std::string> problems;
        const auto flip = [&](std::size_t i, unsigned worker) -> Result<void> {
            std::mt19937_64 generator(i);
            const auto bit = generator() % (sealed.size() * 8);
            const auto text = problem(copies[worker], bit, check, where);
            if (text.empty()) return {};
            const std::scoped_lock lock(reporting);
            problems.push_back(fmt::format("bit {}: {}", bit, text));
            return {};
        };
        ASSERT_TRUE(io::parallel_for(flips_wanted() / files.size(), jobs, flip).ok());
        EXPECT_TRUE(problems.empty()) << file << ": " << problems.size()
                                      << " problems, first: " << problems.front();
    }
}

}  // namespace
}  // namespace modelseal
