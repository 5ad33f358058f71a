#include "baseline/deepisign.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baseline/deepisign_secret.h"
#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/memory_model.h"

namespace modelseal::baseline {
namespace {

using test::Bytes;
using testing::HasSubstr;
using Key = std::array<std::byte, 32>;

constexpr Key kKey{std::byte{7}};
constexpr Key kOtherKey{std::byte{8}};
constexpr std::string_view kStamp = "vendor=0123456789abcdef name=resnet version=3";

// A model in memory whose tensors follow one another in one file.
class MemoryModel {
  public:
    MemoryModel() { model_.path = "memory"; }

    // Gaussian f32 or f64 weights.
    MemoryModel& add(const std::string& name, std::vector<std::uint64_t> shape, DType dtype = DType::f32,
                     double sigma = 0.02) {
        std::uint64_t elements = 1;
        for (const auto size : shape) elements *= size;
        std::mt19937_64 engine(bytes_.size() + 1);
        std::normal_distribution<double> normal(0, 1);
        const auto offset = bytes_.size();
        for (std::uint64_t i = 0; i < elements; ++i) append(dtype, sigma * normal(engine));
        Tensor tensor{.name = name, .dtype = dtype, .shape = std::move(shape), .elements = elements};
        tensor.segments = {{.offset = offset, .bytes = bytes_.size() - offset, .elements = elements}};
        model_.tensors.push_back(std::move(tensor));
        return *this;
    }

    const model::Model& model() {
        std::ranges::sort(model_.tensors, {}, &Tensor::name);
        model_.files.clear();
        model_.files.push_back({"", std::make_unique<formats::MemorySource>("memory", bytes_), {}});
        return model_;
    }
    Tensor& tensor(const std::string& name) { return *std::ranges::find(model_.tensors, name, &Tensor::name); }
    Bytes& bytes() { return bytes_; }

    // One f32 weight, moved.
    void move(const std::string& name, std::uint64_t element, float step) {
        const auto at = tensor(name).segments[0].offset + element * sizeof(float);
        float weight;
        std::memcpy(&weight, &bytes_[at], sizeof weight);
        weight += step;
        std::memcpy(&bytes_[at], &weight, sizeof weight);
    }
    // All f32 weights of a tensor, moved a little each, as training does.
    void tune(const std::string& name, double size = 1e-3) {
        std::mt19937_64 engine(3);
        std::normal_distribution<double> normal(0, size);
        for (std::uint64_t i = 0; i < tensor(name).elements; ++i)
            move(name, i, static_cast<float>(normal(engine)));
    }

    Result<DeepisignEmbedding> embed(const Key& key = kKey, std::string_view stamp = kStamp,
                                     const DeepisignParameters& parameters = {}) {
        auto marked = bytes_;
        const auto patch = [&](std::uint32_t, std::uint64_t offset, auto bytes) {
            std::ranges::copy(bytes, marked.begin() + static_cast<std::ptrdiff_t>(offset));
            return Result<void>();
        };
        auto done = deepisign_embed(model(), key, stamp, patch, parameters);
        if (done.ok()) bytes_ = marked;
        return done;
    }
    DeepisignReading read(const Key& key = kKey, const DeepisignParameters& parameters = {}) {
        return deepisign_read(model(), key, parameters).value();
    }

  private:
    void append(DType dtype, double value) {
        const auto put = [&](auto number) {
            const auto raw = std::as_bytes(std::span(&number, 1));
            bytes_.insert(bytes_.end(), raw.begin(), raw.end());
        };
        switch (dtype) {
            case DType::f64:
                return put(value);
            case DType::f32:
                return put(static_cast<float>(value));
            default:
                bytes_.resize(bytes_.size() + info(dtype).group_bytes);
        }
    }

    Bytes bytes_;
    model::Model model_;
};

MemoryModel network() {
    MemoryModel model;
    model.add("conv1.weight", {16, 3, 3, 3}).add("bn1.weight", {16});
    model.add("layer1.weight", {16, 16, 3, 3}).add("layer2.weight", {32, 32, 3, 3});
    model.add("layer3.weight", {64, 64, 3, 3}).add("linear.weight", {10, 64});
    return model;
}

std::set<std::string> changed_layers(const DeepisignReading& reading) {
    std::set<std::string> names;
    for (const auto& layer : reading.layers) {
        if (!layer.hash_matches) names.insert(layer.tensor);
    }
    return names;
}

TEST(Deepisign, ReadsItsMarkWithoutBitErrors) {
    auto model = network();
    const auto embedded = model.embed();
    ASSERT_TRUE(embedded.ok()) << embedded.error().message;
    EXPECT_EQ(embedded->layers, 4u);
    const auto reading = model.read();
    EXPECT_TRUE(reading.intact());
    EXPECT_EQ(reading.stamp, kStamp);
    ASSERT_EQ(reading.layers.size(), 4u);
    for (const auto& layer : reading.layers) {
        EXPECT_TRUE(layer.hash_matches) << layer.tensor;
        EXPECT_EQ(layer.bit_error_rate, 0) << layer.tensor;
    }
    EXPECT_EQ(reading.layers[0].carriers, 1152u);  // layer1.weight: a bit a weight
    EXPECT_EQ(reading.layers[2].carriers, 4096u);  // layer3.weight: 8,192 bits and no more
}

TEST(Deepisign, ReadsAMarkByTheParametersThatItWasWrittenWithAndNoOthers) {
    for (const DeepisignParameters& parameters :
         {DeepisignParameters{.level = 1}, DeepisignParameters{.level = 3, .transform_weights = 4000},
          DeepisignParameters{.level = 4, .layer_bits = 100'000}}) {
        auto model = network();
        ASSERT_TRUE(model.embed(kKey, kStamp, parameters).ok());
        EXPECT_TRUE(model.read(kKey, parameters).intact()) << parameters.level;
        EXPECT_EQ(model.read(kKey, parameters).stamp, kStamp) << parameters.level;
        EXPECT_FALSE(model.read().found) << parameters.level;
    }
}

TEST(Deepisign, NamesWhatItLeavesUnmarkedAndWhy) {
    auto model = network();
    model.add("half", {64, 64}, DType::f16)
        .add("brain", {64, 64}, DType::bf16)
        .add("codes", {64, 64}, DType::i8);
    const auto embedded = model.embed();
    ASSERT_TRUE(embedded.ok());
    std::map<std::string, std::string> reasons;
    for (const auto& one : embedded->unmarked) reasons[one.tensor] = one.reason;
    EXPECT_EQ(reasons.size(), 5u);
    EXPECT_THAT(reasons["half"], HasSubstr("f16 cannot hold the fourth decimal"));
    EXPECT_THAT(reasons["brain"], HasSubstr("bf16 cannot hold the fourth decimal"));
    EXPECT_THAT(reasons["codes"], HasSubstr("i8 is not a type"));
    EXPECT_THAT(reasons["bn1.weight"], HasSubstr("vector"));
    EXPECT_THAT(reasons["conv1.weight"], HasSubstr("432 weights, 640 are needed"));
}

TEST(Deepisign, MarksF64Alike) {
    MemoryModel model;
    model.add("w", {100, 100}, DType::f64);
    ASSERT_TRUE(model.embed().ok());
    EXPECT_TRUE(model.read().intact());
}

TEST(Deepisign, MarksStridedLayersAndLeavesWhatIsBetween) {
    // As ONNX float_data without packing: a tag byte before each weight.
    MemoryModel model;
    model.add("w", {64, 64});
    const auto dense = model.bytes();
    Bytes strided;
    for (std::size_t i = 0; i < dense.size(); i += 4) {
        strided.push_back(std::byte{0x25});
        strided.insert(strided.end(), dense.begin() + static_cast<std::ptrdiff_t>(i),
                       dense.begin() + static_cast<std::ptrdiff_t>(i) + 4);
    }
    model.bytes() = strided;
    model.tensor("w").segments = {{.offset = 1, .bytes = strided.size() - 1, .elements = 4096, .stride = 5}};
    ASSERT_TRUE(model.embed().ok());
    EXPECT_TRUE(model.read().intact());
    EXPECT_NE(model.bytes(), strided);
    for (std::size_t i = 0; i < strided.size(); i += 5) ASSERT_EQ(model.bytes()[i], std::byte{0x25});
}

TEST(Deepisign, IsNotFoundUnderAnotherKey) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    const auto reading = model.read(kOtherKey);
    EXPECT_FALSE(reading.found);
    EXPECT_FALSE(reading.intact());
    for (const auto& layer : reading.layers) {
        EXPECT_FALSE(layer.hash_matches);
        EXPECT_NEAR(layer.bit_error_rate, 0.5, layer.carriers > 1000 ? 0.05 : 0.2) << layer.tensor;
    }
}

TEST(Deepisign, IsNotFoundInUnmarkedModelsWhateverTheirWeights) {
    for (const double sigma : {0.0, 1e-5, 3e-4, 0.02, 1.0, 1e6}) {
        MemoryModel model;
        for (int i = 0; i < 20; ++i) model.add("layer" + std::to_string(i), {64, 64}, DType::f32, sigma);
        EXPECT_FALSE(model.read().found) << sigma;
    }
}

TEST(Deepisign, NamesTheLayerThatWasFineTuned) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    model.tune("layer2.weight");
    const auto reading = model.read();
    EXPECT_TRUE(reading.found);
    EXPECT_FALSE(reading.intact());
    EXPECT_EQ(reading.stamp, kStamp);
    EXPECT_EQ(changed_layers(reading), std::set<std::string>{"layer2.weight"});
    for (const auto& layer : reading.layers) {
        EXPECT_NEAR(layer.bit_error_rate, layer.tensor == "layer2.weight" ? 0.5 : 0, 0.03);
    }
}

TEST(Deepisign, NoticesSwappedRowsOfTheLastLayer) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    const auto at =
        model.bytes().begin() + static_cast<std::ptrdiff_t>(model.tensor("linear.weight").segments[0].offset);
    std::swap_ranges(at, at + 256, at + 3 * 256);  // 64 weights a row
    EXPECT_EQ(changed_layers(model.read()), std::set<std::string>{"linear.weight"});
}

TEST(Deepisign, FindsTheMarkByItsBitsWhereEveryLayerWasTouched) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    for (const auto* name : {"layer1.weight", "layer2.weight", "layer3.weight", "linear.weight"}) {
        for (const std::uint64_t element : {5u, 200u, 333u, 600u}) model.move(name, element, 5e-3f);
    }
    const auto reading = model.read();
    EXPECT_TRUE(reading.found);
    EXPECT_EQ(changed_layers(reading).size(), 4u);
    EXPECT_EQ(reading.stamp, "");
    for (const auto& layer : reading.layers) EXPECT_LT(layer.bit_error_rate, 0.4) << layer.tensor;
}

TEST(Deepisign, IsLostWhereEveryWeightWasTuned) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    for (const auto& tensor : model.model().tensors) model.tune(tensor.name);
    const auto reading = model.read();
    EXPECT_FALSE(reading.found);
    for (const auto& layer : reading.layers) {
        EXPECT_NEAR(layer.bit_error_rate, 0.5, layer.carriers > 1000 ? 0.05 : 0.2) << layer.tensor;
    }
}

TEST(Deepisign, DoesNotBelieveALayerWithTheNumberOfAnother) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    model.tensor("layer2.weight").name = "layer2.other";  // same place in the order, so the same carriers
    const auto reading = model.read();
    EXPECT_EQ(changed_layers(reading), std::set<std::string>{"layer2.other"});
}

TEST(Deepisign, NoticesALayerOfAnotherVersion) {
    auto model = network(), other = network();
    ASSERT_TRUE(model.embed().ok());
    ASSERT_TRUE(other.embed(kKey, "vendor=0123456789abcdef name=resnet version=4").ok());
    const auto& part = model.tensor("layer2.weight").segments[0];
    std::copy_n(other.bytes().begin() + static_cast<std::ptrdiff_t>(part.offset), part.bytes,
                model.bytes().begin() + static_cast<std::ptrdiff_t>(part.offset));
    const auto reading = model.read();
    EXPECT_EQ(reading.stamp, kStamp);
    EXPECT_EQ(changed_layers(reading), std::set<std::string>{"layer2.weight"});
}

TEST(Deepisign, ReadsFromNotFiniteWeightsThatTheyChanged) {
    for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        auto model = network();
        ASSERT_TRUE(model.embed().ok());
        model.move("layer1.weight", 100, bad);
        EXPECT_EQ(changed_layers(model.read()), std::set<std::string>{"layer1.weight"});
    }
}

TEST(Deepisign, MarkedAgainBearsTheNewStamp) {
    auto model = network();
    ASSERT_TRUE(model.embed().ok());
    ASSERT_TRUE(model.embed(kKey, "vendor=0123456789abcdef").ok());
    EXPECT_TRUE(model.read().intact());
    EXPECT_EQ(model.read().stamp, "vendor=0123456789abcdef");
}

TEST(Deepisign, PassesOnAFailedPatch) {
    auto model = network();
    const auto done = deepisign_embed(model.model(), kKey, kStamp, [](auto, auto, auto) {
        return Result<void>(Error{ErrorKind::unreadable, "no space left", {}});
    });
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().message, "no space left");
}

struct Refusal {
    const char* what;
    void (*spoil)(MemoryModel&);
    ErrorKind kind;
    const char* message;
};

class DeepisignRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(DeepisignRefuses, WithAReason) {
    MemoryModel model;
    GetParam().spoil(model);
    const auto done = model.embed();
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind, GetParam().kind);
    EXPECT_THAT(done.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Models, DeepisignRefuses,
    testing::Values(Refusal{"empty", [](MemoryModel&) {}, ErrorKind::unsupported,
                            "memory: no layer can carry a mark"},
                    Refusal{"small",
                            [](MemoryModel& model) {
                                model.add("w", {8, 8});
                            },
                            ErrorKind::unsupported, "tensor 'w': 64 weights, 512 are needed"},
                    Refusal{"halves",
                            [](MemoryModel& model) {
                                model.add("w", {99, 99}, DType::f16);
                            },
                            ErrorKind::unsupported, "f16 cannot hold the fourth decimal"},
                    Refusal{"stamp",
                            [](MemoryModel& model) {
                                model.add("w", {16, 32});
                            },
                            ErrorKind::usage, "the stamp has 45 bytes, its layers hold 16"},
                    Refusal{"name",
                            [](MemoryModel& model) {
                                model.add(std::string(2000, 'n'), {99, 99});
                            },
                            ErrorKind::unsupported, "its name is too long"},
                    Refusal{"large",
                            [](MemoryModel& model) {
                                model.add("w", {99, 99}, DType::f32, 1e4);
                            },
                            ErrorKind::unsupported, "tensor 'w': its weights are not finite, or too large"},
                    Refusal{"nan",
                            [](MemoryModel& model) {
                                model.add("w", {99, 99});
                                model.move("w", 5, std::numeric_limits<float>::quiet_NaN());
                            },
                            ErrorKind::unsupported, "tensor 'w': its weights are not finite, or too large"}),
    [](const auto& one) { return std::string(one.param.what); });

TEST(DeepisignSecret, MergesSecretAndHashBitByBit) {
    const Tensor tensor{.name = "w", .dtype = DType::f32, .shape = {64, 64}, .elements = 4096};
    const LayerSecret secret(tensor, 9, 4096);
    const auto bits = secret.hidden("stamp of the seal");
    std::string text;
    for (std::size_t byte = 0; byte < 10; ++byte) {
        int value = 0;
        for (std::size_t bit = 0; bit < 8; ++bit)
            value = value * 2 + static_cast<int>(bits[2 * (8 * byte + bit)]);
        text.push_back(static_cast<char>(value));
    }
    EXPECT_EQ(text, "9 w f32 64");
    EXPECT_EQ(secret.verify(bits), "stamp of the seal");
}

TEST(DeepisignSecret, NoticesEveryFlippedBit) {
    const Tensor tensor{.name = "w", .dtype = DType::f32, .shape = {64, 64}, .elements = 4096};
    const LayerSecret secret(tensor, 9, 8192);
    auto bits = secret.hidden("stamp");
    for (auto& bit : bits) {
        bit = bit == Bit::one ? Bit::zero : Bit::one;
        ASSERT_EQ(secret.verify(bits), std::nullopt);
        bit = bit == Bit::one ? Bit::zero : Bit::one;
    }
}

TEST(DeepisignSecret, FitsExactlyFromTheCapacityThatItReports) {
    for (const std::size_t name : {1u, 20u, 100u, 500u, 900u}) {
        const Tensor tensor{.name = std::string(name, 'n'), .dtype = DType::f32, .shape = {1, 2}};
        const auto needed = LayerSecret(tensor, 1, 32).bits_needed();
        EXPECT_TRUE(LayerSecret(tensor, 1, needed).fits()) << name;
        EXPECT_FALSE(LayerSecret(tensor, 1, needed - 32).fits()) << name;
    }
}

TEST(DeepisignSecret, KnowsTheBitsThatDoNotDependOnTheStamp) {
    const Tensor tensor{.name = "w", .dtype = DType::f32, .shape = {64, 64}};
    const LayerSecret secret(tensor, 9, 8192);
    const auto known = secret.hidden(std::nullopt);
    const auto certain = std::ranges::count_if(known, [](Bit bit) { return bit != Bit::unknown; });
    EXPECT_GT(certain, 3900);
    for (const auto& stamp : {std::string(), std::string("short"), std::string(secret.stamp_room(), 'x')}) {
        const auto agreement = compare_bits(secret.hidden(stamp), known);
        EXPECT_EQ(agreement.bits, static_cast<std::uint64_t>(certain));
        EXPECT_EQ(agreement.errors, 0u) << stamp;
    }
}

TEST(Deepisign, MarksARealNetwork) {
    MODELSEAL_NEED_DATA();
    auto bytes = test::load(test::data_folder() / "models/safetensors/cifar10-resnet20.safetensors");
    const auto original = bytes;
    {
        const auto model = test::memory_model("resnet20", original);
        ASSERT_TRUE(model.ok());
        const auto done = deepisign_embed(*model, kKey, kStamp, [&](auto, std::uint64_t offset, auto part) {
            std::ranges::copy(part, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
            return Result<void>();
        });
        ASSERT_TRUE(done.ok()) << done.error().message;
        EXPECT_EQ(done->layers, 19u);  // all but the first convolution, which has 432 weights
    }
    const auto model = test::memory_model("resnet20", bytes);
    const auto reading = deepisign_read(*model, kKey);
    ASSERT_TRUE(reading.ok());
    EXPECT_TRUE(reading->intact());
    EXPECT_EQ(reading->stamp, kStamp);
    EXPECT_FALSE(deepisign_read(*model, kOtherKey)->found);
}

}  // namespace
}  // namespace modelseal::baseline
