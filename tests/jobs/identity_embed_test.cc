// From a network, data and key images to a marked model that a ledger knows.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle/network.h"
#include "tests/support/models/small_graphs.h"
#include "tests/support/models/small_models.h"
#include "tests/support/picture_files.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

using test::Proto;
using testing::HasSubstr;
namespace onnx = test::onnx;

constexpr std::uint32_t kSide = 32;  // pixels
constexpr std::size_t kPixels = kSide * kSide;

Proto value_info(std::string_view name, std::initializer_list<std::uint64_t> extents) {
    Proto shape;
    shape.message(1, Proto().bytes(2, "N"));
    for (const auto extent : extents) shape.message(1, Proto().varint(1, extent));
    return Proto().bytes(1, name).message(
        2, Proto().message(1, Proto().varint(1, onnx::kFloat).message(2, shape)));
}

Proto node_of(std::string_view op, std::initializer_list<std::string_view> inputs, std::string_view output) {
    Proto node;
    for (const auto input : inputs) node.bytes(1, input);
    return node.bytes(2, output).bytes(4, op);
}

// Gray images of 32 x 32; the classes are: brighter on the left, brighter on the right.
std::string left_or_right() {
    std::vector<float> weights(2 * kPixels);
    for (std::size_t i = 0; i < kPixels; ++i) {
        const float side = i % kSide < kSide / 2 ? 0.02f : -0.02f;
        weights[i] = side;
        weights[kPixels + i] = -side;
    }
    Proto graph;
    graph.message(1, node_of("Flatten", {"x"}, "f"));
    graph.message(1, node_of("Gemm", {"f", "w", "b"}, "y")
                         .message(5, Proto().bytes(1, "transB").varint(3, 1).varint(20, 2)));
    graph.bytes(2, "graph");
    graph.message(5, onnx::tensor("w", onnx::kFloat, {2, kPixels}).bytes(9, test::raw_floats(weights)));
    graph.message(5, onnx::tensor("b", onnx::kFloat, {2}).bytes(9, test::raw_floats({0, 0})));
    graph.message(11, value_info("x", {1, kSide, kSide})).message(12, value_info("y", {2}));
    return onnx::model(graph).text();
}

// Noise from a small generator of numbers, brighter on one side.
io::Picture half_bright(unsigned number, bool left) {
    io::Picture picture{.width = kSide, .height = kSide, .channels = 1};
    std::uint32_t state = 2 * number + (left ? 1 : 0) + 77;
    for (std::size_t i = 0; i < kPixels; ++i) {
        state = state * 1664525u + 1013904223u;
        const bool bright = (i % kSide < kSide / 2) == left;
        picture.samples.push_back(static_cast<std::uint8_t>((bright ? 140 : 40) + (state >> 24) / 4));
    }
    return picture;
}

// Horizontal stripes, of another phase in each.
io::Picture stripes(unsigned number) {
    io::Picture picture{.width = kSide, .height = kSide, .channels = 1};
    for (std::size_t i = 0; i < kPixels; ++i) {
        picture.samples.push_back(
            static_cast<std::uint8_t>(i / kSide / 4 % 2 == 0 ? 200 + number : 20 + number));
    }
    return picture;
}

class EmbedIdentity : public testing::Test {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        folder_.write("net.onnx", left_or_right());
        for (const char* name : {"data/left", "data/right", "keys"})
            std::filesystem::create_directories(folder_ / name);
        for (unsigned i = 0; i < 60; ++i) {
            write(fmt::format("data/left/{}.png", i), half_bright(i, true));
            write(fmt::format("data/right/{}.png", i), half_bright(i, false));
        }
        for (unsigned i = 0; i < 40; ++i) write(fmt::format("keys/{}.png", i), stripes(i));
    }
    void write(const std::string& name, const io::Picture& picture) const {
        folder_.write(name, test::png_text(picture));
    }
    Result<EmbedSummary> embed(const std::string& out, std::uint64_t seed = 1) {
        return embed_identity(folder_ / "net.onnx", folder_ / out,
                              {.key = key_,
                               .ledger = ledger_,
                               .data = folder_ / "data",
                               .key_images = folder_ / "keys",
                               .seed = seed,
                               .epochs = 60,
                               .batch = 32,
                               .device = "cpu",
                               .jobs = 2});
    }
    // Nothing was written, and the ledger has no mark.
    void expect_nothing(const Result<EmbedSummary>& made, const std::string& message) {
        ASSERT_FALSE(made.ok());
        EXPECT_THAT(made.error().message, HasSubstr(message));
        EXPECT_FALSE(std::filesystem::exists(folder_ / "marked.onnx"));
        EXPECT_TRUE(ledger_.identity_records()->marks.empty());
    }

    const test::Scratch folder_;
    const SigningKey key_ = test::test_key();
    Ledger ledger_ = std::move(Ledger::open_or_create(folder_ / "ledger", key_)).value();
};

TEST_F(EmbedIdentity, MarksAModelThatAdmitsItsUsersAndIsClaimed) {
    const auto before = test::content_of(folder_ / "net.onnx");
    const auto made = embed("marked.onnx");
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->watermark, 1);
    EXPECT_EQ(made->before, 1);
    EXPECT_GE(made->after, made->before - 0.005);
    EXPECT_EQ(made->key_images, 40u);
    EXPECT_EQ(made->trained + made->held_out, 120u);
    EXPECT_EQ(made->mark.extra_class, 2u);
    EXPECT_EQ(test::content_of(folder_ / "net.onnx"), before);
    const auto marks = ledger_.identity_records()->marks;
    ASSERT_EQ(marks.size(), 1u);
    EXPECT_TRUE(marks[0].finished);
    EXPECT_EQ(marks[0].key_images.size(), 40u);
    EXPECT_EQ(marks[0].digest, made->mark.digest);

    ASSERT_TRUE(issue_identity("alice", folder_ / "alice.png", {.key = key_, .ledger = ledger_}).ok());
    const IdentitySource source{.ledger = folder_ / "ledger", .key = &key_};
    const IdentityTarget target{.device = "cpu", .jobs = 2};
    const auto marked = (folder_ / "marked.onnx").string(), unmarked = (folder_ / "net.onnx").string();
    const auto verified = verify_identity(marked, folder_ / "alice.png", {.source = source, .target = target});
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    EXPECT_EQ(verified->admission, Admission::admitted) << verified->detail;
    const auto elsewhere =
        verify_identity(unmarked, folder_ / "alice.png", {.source = source, .target = target});
    ASSERT_TRUE(elsewhere.ok()) << elsewhere.error().message;
    EXPECT_EQ(elsewhere->admission, Admission::other_class);
    const auto claimed = claim_ownership(marked, {.source = source, .target = target});
    ASSERT_TRUE(claimed.ok()) << claimed.error().message;
    EXPECT_EQ(claimed->hits, 40u);
    EXPECT_TRUE(claimed->owned) << claimed->control_hits << " of " << claimed->controls;
    const auto other = claim_ownership(unmarked, {.source = source, .target = target});
    ASSERT_TRUE(other.ok()) << other.error().message;
    EXPECT_FALSE(other->owned);
}

TEST_F(EmbedIdentity, IsRepeatedByItsSeed) {
    for (const char* out : {"a.onnx", "b.onnx"}) ASSERT_TRUE(embed(out, 7).ok());
    ASSERT_TRUE(embed("c.onnx", 8).ok());
    EXPECT_EQ(test::content_of(folder_ / "a.onnx"), test::content_of(folder_ / "b.onnx"));
    EXPECT_NE(test::content_of(folder_ / "a.onnx"), test::content_of(folder_ / "c.onnx"));
}

TEST_F(EmbedIdentity, NeverReplacesAFile) {
    folder_.write("marked.onnx", "mine");
    EXPECT_FALSE(embed("marked.onnx").ok());
    EXPECT_EQ(test::content_of(folder_ / "marked.onnx"), "mine");
}

TEST_F(EmbedIdentity, WithoutKeyImagesIsRefused) {
    std::filesystem::remove_all(folder_ / "keys");
    std::filesystem::create_directories(folder_ / "keys");
    expect_nothing(embed("marked.onnx"), "keys");
}

TEST_F(EmbedIdentity, WithAKeyImageFromTheDataIsRefused) {
    write("keys/9.png", half_bright(3, true));
    expect_nothing(embed("marked.onnx"), "9.png");
}

TEST_F(EmbedIdentity, WithAnImageOfAnotherSizeIsRefused) {
    write("data/left/odd.png", test::numbered_picture(kSide, kSide + 1, 1, 0));
    expect_nothing(embed("marked.onnx"), "odd.png");
}

TEST_F(EmbedIdentity, WithATruncatedImageIsRefused) {
    const auto whole = test::content_of(folder_ / "keys/0.png");
    folder_.write("keys/0.png", whole.substr(0, whole.size() / 2));
    expect_nothing(embed("marked.onnx"), "0.png");
}

TEST_F(EmbedIdentity, WithAClassWithoutImagesIsRefused) {
    std::filesystem::remove_all(folder_ / "data/right");
    std::filesystem::create_directories(folder_ / "data/right");
    expect_nothing(embed("marked.onnx"), "right");
}

TEST_F(EmbedIdentity, WithDataOfAnotherNumberOfClassesIsRefused) {
    std::filesystem::create_directories(folder_ / "data/top");
    write("data/top/0.png", stripes(100));
    expect_nothing(embed("marked.onnx"), "data");
}

// Labels that contradict what the model does: its accuracy is that of chance, and the data are not its own.
TEST_F(EmbedIdentity, WithDataThatAreNotTheModelsIsRefused) {
    std::filesystem::rename(folder_ / "data/left", folder_ / "data/x");
    std::filesystem::rename(folder_ / "data/right", folder_ / "data/left");
    std::filesystem::rename(folder_ / "data/x", folder_ / "data/right");
    expect_nothing(embed("marked.onnx"), "net.onnx");
}

}  // namespace
}  // namespace modelseal
