// The payload of a fingerprint file: what is written comes back, and nothing else is taken.
#include "blackbox/container/payload.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "blackbox/pairs/inputs.h"
#include "tests/support/models/small_fingerprint.h"

namespace modelseal::blackbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string text_of(const std::vector<std::byte>& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<Fingerprint> decode(std::string_view text) {
    return decode_payload(std::as_bytes(std::span(text)), "net.fp");
}

std::string payload(const Fingerprint& whole) {
    const auto bytes = encode_payload(whole);
    if (!bytes.ok()) throw std::runtime_error(bytes.error().message);
    return text_of(*bytes);
}

// All that a payload holds, as one text, so that differences show.
std::string print(Fingerprint whole) {
    whole.created.clear();
    whole.expires.clear();
    return payload(whole);
}

TEST(Payload, RoundTrips) {
    auto made = test::small_fingerprint();
    made.customer = "caf\xc3\xa9";
    made.input.mean = {0.485f, 0.1f};
    made.input.std = {0.229f};
    made.batch = 1;
    made.alone = true;
    made.pairs().rungs[0].noise = 1.0 / 3;
    made.pairs().rungs[1].tried = {17, 2213};
    const auto back = decode(payload(made));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(print(*back), print(made));
    EXPECT_EQ(back->input.mean, made.input.mean);
    EXPECT_TRUE(back->alone);
    EXPECT_FALSE(decode(payload(test::small_fingerprint()))->alone);
    EXPECT_EQ(back->pairs().rungs[0].noise, 1.0 / 3);
    EXPECT_EQ(back->pairs().rungs[0].tried.runtimes, 0u);
    EXPECT_EQ(back->pairs().rungs[1].tried.runtimes, 17u);
    EXPECT_EQ(back->pairs().rungs[1].tried.evaluations, 2213u);
    EXPECT_EQ(inputs_of(*back, back->pairs().rungs[1].pairs), inputs_of(made, made.pairs().rungs[1].pairs));
}

TEST(Payload, KeepsTheBoundaryAndTheNoiseOfEachPath) {
    auto made = test::small_fingerprint_of_levels();
    for (auto& path : made.pairs().paths) {
        path.outputs = {0, 2};
        path.weights = {-0.5, 0.5};
    }
    const auto back = decode(payload(made));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(print(*back), print(made));
    const auto& path = back->pairs().paths[1];
    EXPECT_EQ(path.weights, (std::vector{-0.5, 0.5}));
    EXPECT_EQ(path.outputs, (std::vector<std::uint32_t>{0, 2}));
    EXPECT_EQ(path.offset, -3);
    EXPECT_EQ(path.noise, 3e-6);
    EXPECT_EQ(back->pairs().rungs[1].pairs[0].unit, 0.5);
    EXPECT_EQ(back->pairs().shifts.counted, 500u);
    EXPECT_EQ(back->pairs().shifts.beyond, made.pairs().shifts.beyond);
    EXPECT_TRUE(back->pairs().direction.empty());
}

TEST(Payload, KeepsFloatsThatAreNotSmallIntegers) {
    for (const float value : {0.5f, -1.0f, 65536.0f, -0.0f}) {
        auto made = test::small_fingerprint();
        made.pairs().paths[1].base[3] = value;
        made.pairs().paths[0].direction[3] = 200 + value;
        const auto text = payload(made);
        EXPECT_THAT(text, HasSubstr(R"("base":{"dtype":"F32")"));
        const auto back = decode(text);
        ASSERT_TRUE(back.ok());
        EXPECT_EQ(back->pairs().paths[1].base[3], value);
        EXPECT_EQ(std::signbit(back->pairs().paths[1].base[3]), std::signbit(value));
        EXPECT_EQ(back->pairs().paths[0].direction[3], 200 + value);
    }
    EXPECT_THAT(payload(test::small_fingerprint()), HasSubstr(R"("base":{"dtype":"U16")"));
    EXPECT_THAT(payload(test::small_fingerprint()), HasSubstr(R"("direction":{"dtype":"I8")"));
}

TEST(Payload, OfLabelAccessHasNoDirection) {
    auto made = test::small_fingerprint();
    made.access = Access::label;
    made.pairs().direction.clear();
    const auto back = decode(payload(made));
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE(back->pairs().direction.empty());
    EXPECT_EQ(back->access, Access::label);
}

// One thing of a good fingerprint is spoiled.
struct PayloadCase {
    const char* name;
    std::function<void(Fingerprint&)> spoil;
    const char* message;
};

class WhatIsNotWellFormed : public testing::TestWithParam<PayloadCase> {};

TEST_P(WhatIsNotWellFormed, IsNeverWritten) {
    auto made = test::small_fingerprint();
    GetParam().spoil(made);
    const auto refused = encode_payload(made);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
}

const double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Each, WhatIsNotWellFormed,
    testing::Values(
        PayloadCase{"Root", [](auto& made) { made.root = "0A"; }, "root"},
        PayloadCase{"Name", [](auto& made) { made.model = "a\x1b"; }, "a name"},
        PayloadCase{"NoShape", [](auto& made) { made.input.shape.shape.clear(); },
                    "does not have 1 to 8 dimensions"},
        PayloadCase{"Extent", [](auto& made) { made.input.shape.shape[0] = 0; }, "extent below 1"},
        PayloadCase{"HugeExtents",
                    [](auto& made) {
                        made.input.shape.shape = {1 << 30, 1 << 30};
                    },
                    "more than"},
        PayloadCase{"Range", [](auto& made) { made.input.high = 0; }, "range"},
        PayloadCase{"Mean",
                    [](auto& made) {
                        made.input.mean = {1, 2, 3};
                    },
                    "mean or std"},
        PayloadCase{"Std", [](auto& made) { made.input.std = {0}; }, "std is not positive"},
        PayloadCase{"Unit", [](auto& made) { made.unit = kNan; }, "unit"},
        PayloadCase{"Classes", [](auto& made) { made.classes = 1; }, "1 class"},
        PayloadCase{"Batch", [](auto& made) { made.batch = 0; }, "batch of 0"},
        PayloadCase{"AloneInBatches",
                    [](auto& made) {
                        made.batch = 2;
                        made.alone = true;
                    },
                    "in batches of several"},
        PayloadCase{"Direction", [](auto& made) { made.pairs().direction.pop_back(); },
                    "direction of 2 values,"},
        PayloadCase{"DirectionNan", [](auto& made) { made.pairs().direction[0] = kNan; }, "not finite"},
        PayloadCase{"WeightsOfAnotherCount",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        for (auto& path : made.pairs().paths) path.weights.pop_back();
                    },
                    "path 0 has weights of 2 outputs"},
        PayloadCase{"OutputsOutOfOrder",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        for (auto& path : made.pairs().paths) path.outputs = {0, 2, 1};
                    },
                    "path 0 has outputs that are not in order"},
        PayloadCase{"OutputBeyondTheLast",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        for (auto& path : made.pairs().paths) path.outputs = {0, 1, 3};
                    },
                    "do not exist"},
        PayloadCase{"OffsetNan",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().paths[1].offset = kNan;
                    },
                    "path 1 has weights that are not finite"},
        PayloadCase{"NoiseOfAPath",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().paths[1].noise = -1;
                    },
                    "path 1 has a noise of -1"},
        PayloadCase{"UnitOfAPair",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().rungs[1].pairs[0].unit = 0;
                    },
                    "its unit is 0"},
        PayloadCase{"MoreNoticedThanThereAre",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().coverage->tensors[0].noticed = 92;
                    },
                    "the coverage of a tensor"},
        PayloadCase{"CountsThatGrow",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().shifts.beyond = {1, 2, 3, 4, 5};
                    },
                    "the counts of shifts"},
        PayloadCase{"MoreThanWereCounted",
                    [](auto& made) {
                        made = test::small_fingerprint_of_levels();
                        made.pairs().shifts.beyond[0] = 501;
                    },
                    "the counts of shifts"},
        PayloadCase{"NoPaths", [](auto& made) { made.pairs().paths.clear(); }, "no paths"},
        PayloadCase{"ShortPath", [](auto& made) { made.pairs().paths[0].base.pop_back(); },
                    "path 0 has 17 and 18"},
        PayloadCase{"PathNan", [](auto& made) { made.pairs().paths[1].base[0] = static_cast<float>(kNan); },
                    "not finite"},
        PayloadCase{"NoRungs", [](auto& made) { made.pairs().rungs.clear(); }, "no rungs"},
        PayloadCase{"RungTwice", [](auto& made) { made.pairs().rungs[1].rung = Rung::exact; }, "in order"},
        PayloadCase{"NoPairs", [](auto& made) { made.pairs().rungs[1].pairs.clear(); }, "rung fp32: 0 pairs"},
        PayloadCase{"TooManyPairs", [](auto& made) { made.pairs().rungs[0].pairs.resize(10'001); },
                    "10,001 pairs"},
        PayloadCase{"Noise", [](auto& made) { made.pairs().rungs[0].noise = -1; }, "noise"},
        PayloadCase{"PathIndex", [](auto& made) { made.pairs().rungs[0].pairs[0].path = 2; },
                    "path 2 does not exist"},
        PayloadCase{"Target", [](auto& made) { made.pairs().rungs[0].pairs[0].target = 3; },
                    "target 3 does not exist, there are 3"},
        PayloadCase{"Position", [](auto& made) { made.pairs().rungs[1].pairs[1].member[0].position = 64.5; },
                    "pair 1: member 0 has position 64.5"},
        PayloadCase{"PositionNan", [](auto& made) { made.pairs().rungs[1].pairs[1].member[0].position = kNan; },
                    "position nan"},
        PayloadCase{"MarginInside",
                    [](auto& made) { made.pairs().rungs[1].pairs[0].member[1].margin = 2.9e-4; },
                    "member 1 has a margin of 0.00029"},
        PayloadCase{"MarginOfOtherSide",
                    [](auto& made) { made.pairs().rungs[1].pairs[0].member[0].margin = 1; },
                    "member 0 has a margin of 1"},
        PayloadCase{"MarginNan", [](auto& made) { made.pairs().rungs[0].pairs[0].member[0].margin = kNan; },
                    "margin of nan"},
        PayloadCase{"MarginInfinite",
                    [](auto& made) {
                        made.pairs().rungs[0].pairs[0].member[1].margin =
                            std::numeric_limits<double>::infinity();
                    },
                    "margin of inf"},
        PayloadCase{"Label", [](auto& made) { made.pairs().rungs[0].pairs[0].member[0].label = 3; },
                    "label 3, but there are 3"},
        PayloadCase{"NegativeLabel", [](auto& made) { made.pairs().rungs[0].pairs[0].member[0].label = -1; },
                    "label -1"}),
    [](const auto& each) { return each.param.name; });

// One thing of a good file is spoiled: its header, or a text in it.
struct SpoiledFile {
    const char* name;
    std::function<void(json&)> spoil;
    const char* message;
};

class SpoiledPayload : public testing::TestWithParam<SpoiledFile> {};

std::string spoiled(const std::string& good, const std::function<void(json&)>& spoil) {
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i)
        length = length << 8 | static_cast<unsigned char>(good[static_cast<std::size_t>(i)]);
    auto header = json::parse(good.substr(8, length));
    spoil(header);
    const auto text = header.dump();
    std::string file;
    for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>(text.size() >> (8 * i)));
    return file + text + good.substr(8 + length);
}

TEST_P(SpoiledPayload, IsRefused) {
    const auto refused = decode(spoiled(payload(test::small_fingerprint()), GetParam().spoil));
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(refused.error().message, testing::StartsWith("net.fp: "));
}

const auto fact = [](const char* key, const char* value) {
    return [=](json& header) { header["__metadata__"][key] = value; };
};

INSTANTIATE_TEST_SUITE_P(
    Each, SpoiledPayload,
    testing::Values(
        SpoiledFile{"LaterFact", fact("colour", "red"), "unknown fact 'colour'"},
        SpoiledFile{"NoFacts", [](json& header) { header.erase("__metadata__"); }, "has no fact 'root'"},
        SpoiledFile{"NoFact", [](json& header) { header["__metadata__"].erase("unit"); }, "has no fact 'unit'"},
        SpoiledFile{"UnknownWord", fact("access", "telepathy"), "fact 'access'"},
        SpoiledFile{"NoNumber", fact("unit", "1x"), "fact 'unit' is not a number"},
        SpoiledFile{"EmptyNumber", fact("unit", ""), "fact 'unit' is not a number"},
        SpoiledFile{"NegativeCount", fact("classes", "-3"), "fact 'classes' is not a number"},
        SpoiledFile{"BrokenList", fact("input.shape", "2,,3"), "fact 'input.shape' is not a list"},
        SpoiledFile{"ListWithTail", fact("input.shape", "2,3,3,"), "fact 'input.shape' is not a list"},
        SpoiledFile{"LongList", fact("input.shape", "1,1,1,1,1,1,2,3,3"), "fact 'input.shape' is not a list"},
        SpoiledFile{"OtherShape", fact("input.shape", "2,3,4"),
                    "tensor 'base' does not contain inputs of the stated shape"},
        SpoiledFile{"OverflowingShape", fact("input.shape", "4611686018427387904,8"),
                    "the input's shape is not that of an input"},
        SpoiledFile{"NegativeShape", fact("input.shape", "-2,-9"), "the input's shape is not that of an input"},
        SpoiledFile{"RungMissing",
                    [](json& header) {
                        for (const char* key : {"exact.noise", "exact.scale", "exact.floor", "exact.drift"})
                            header["__metadata__"].erase(key);
                    },
                    "contains unknown tensors"},
        SpoiledFile{"RungWithoutTensors",
                    [](json& header) {
                        for (const char* key : {"mixed.noise", "mixed.scale", "mixed.floor", "mixed.drift"})
                            header["__metadata__"][key] = "0";
                    },
                    "tensor 'mixed.path'"},
        SpoiledFile{"OtherRows",
                    [](json& header) {
                        header["base"]["shape"] = {4, 9};
                    },
                    "tensor 'base' does not contain inputs of the stated shape"},
        SpoiledFile{"FlatBase", [](json& header) { header["base"]["shape"] = {36}; },
                    "tensor 'base' does not contain inputs of the stated shape"},
        SpoiledFile{"OtherRank", [](json& header) { header["fp32.margin"]["shape"] = {4}; },
                    "tensor 'fp32.margin' of f64 [2, 2] is missing"},
        SpoiledFile{"OtherType", [](json& header) { header["fp32.label"]["dtype"] = "U64"; },
                    "tensor 'fp32.label' of i64"},
        SpoiledFile{"OtherName",
                    [](json& header) {
                        header["fp32.labels"] = header["fp32.label"];
                        header.erase("fp32.label");
                    },
                    "tensor 'fp32.label'"},
        SpoiledFile{"NotASafetensorsFile", [](json& header) { header["base"]["data_offsets"][1] = 1; },
                    "data_offsets"}),
    [](const auto& each) { return each.param.name; });

// Pixels are made of levels and the range, which is looked at first.
TEST(Payload, LevelsOfAnEmptyRangeAreRefused) {
    auto made = test::small_triggers();
    made.grid = Grid::u8;
    made.unit = (made.input.high - made.input.low) / 255.0;
    for (auto& trigger : made.triggers().triggers) {
        for (auto& pixel : trigger.pixels) pixel = pixel_of(made.input, made.unit, 7);
    }
    const auto good = payload(made);
    EXPECT_TRUE(decode(good).ok());
    const auto refused = decode(spoiled(good, fact("input.low", "7")));
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("not two numbers in ascending order"));
}

TEST(Payload, CutShortAnywhereIsRefused) {
    const auto good = payload(test::small_fingerprint());
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(decode(std::string_view(good).substr(0, size)).ok()) << size;
    }
    EXPECT_FALSE(decode(good + '\0').ok());
}

}  // namespace
}  // namespace modelseal::blackbox
