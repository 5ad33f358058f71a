#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"
#include "tests/support/models/torch_legacy.h"

namespace modelseal::formats {
namespace {

using namespace test::pkl;
using test::Bytes;
using test::bytes_of;
using test::good_torch_legacy;
using test::legacy_keys;
using test::TorchLegacy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Result<Layout> parsed_legacy(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.pth", bytes);
    auto layout = pytorch::kLegacyFormat.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(test::contract_violation(*layout, source), "");
    }
    return layout;
}

TEST(PytorchLegacy, TensorsAreTheStoragesAfterThePickles) {
    const auto bytes = good_torch_legacy().build();
    const auto layout = parsed_legacy(bytes).value();
    EXPECT_EQ(layout.format, "pytorch");
    ASSERT_THAT(layout.tensors, SizeIs(2));
    EXPECT_EQ(layout.tensors[0].name, "b");
    EXPECT_EQ(layout.tensors[0].segments[0].offset, bytes.size() - 24 - 8 - 16);
    EXPECT_EQ(layout.tensors[1].name, "w");
    EXPECT_THAT(layout.tensors[1].shape, ElementsAre(2, 3));
    EXPECT_EQ(layout.tensors[1].segments[0].offset, bytes.size() - 24);
    EXPECT_THAT(layout.checksums, IsEmpty());
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(PytorchLegacy, AFileWithoutTensorsIsAllFrame) {
    auto file = good_torch_legacy();
    file.object = pickle(dict({}));
    file.keys = legacy_keys({});
    file.storages.clear();
    EXPECT_THAT(parsed_legacy(file.build()).value().tensors, IsEmpty());
}

TEST(PytorchLegacy, TheSystemNeedNotStateItsByteOrder) {
    auto file = good_torch_legacy();
    file.system = pickle(dict({{str("protocol_version"), num(1001)}}));
    EXPECT_TRUE(parsed_legacy(file.build()).ok());
}

TEST(PytorchLegacy, PartsOfStoragesAreViewsOfTheWhole) {
    const auto part = persistent(tuple({str("storage"), name("torch", "FloatStorage"), str("17"), str("cpu"),
                                        num(6), tuple({str("18"), num(2), num(4)})}));
    auto file = good_torch_legacy();
    file.object = pickle(dict({{str("b"), floats("5", {4})},
                               {str("part"), tensor(part, {.offset = 1, .shape = {3}})},
                               {str("w"), floats("17", {2, 3})}}));
    const auto layout = parsed_legacy(file.build()).value();
    EXPECT_EQ(layout.tensors[1].name, "w");
    EXPECT_THAT(layout.tensors[1].aliases, ElementsAre("part"));

    file.object =
        pickle(dict({{str("b"), floats("5", {4})}, {str("p"), tensor(part, {.offset = 2, .shape = {3}})}}));
    EXPECT_THAT(parsed_legacy(file.build()).error().message, HasSubstr("'p': exceeds its storage of 24 bytes"));
}

TEST(PytorchLegacy, ClassesSavedWithTheirSourceAreAWarning) {
    const auto net = persistent(tuple({str("module"), name("net", "Net"), str("net.py"), str("import os")}));
    auto file = good_torch_legacy();
    file.object = pickle(object(net, dict({{str("_parameters"), dict({{str("w"), floats("17", {2, 3})}})},
                                           {str("_modules"), dict({})},
                                           {str("b"), floats("5", {4})}})));
    const auto layout = parsed_legacy(file.build()).value();
    EXPECT_EQ(layout.tensors[1].name, "w");
    EXPECT_THAT(layout.warnings, ElementsAre("pickle the object calls net.Net (never executed here)"));
}

TEST(PytorchLegacy, WhateverThePickleWouldCallIsAWarning) {
    auto file = good_torch_legacy();
    file.object = pickle(dict({{str("w"), floats("17", {2, 3})},
                               {str("b"), floats("5", {4})},
                               {str("x"), call(name("posix", "system"), {str("true")})}}));
    EXPECT_THAT(parsed_legacy(file.build()).value().warnings, ElementsAre(HasSubstr("calls posix.system")));
}

struct LegacyCase {
    const char* name;
    std::function<void(TorchLegacy&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const LegacyCase& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledPytorchLegacy : public testing::TestWithParam<LegacyCase> {};

TEST_P(SpoiledPytorchLegacy, IsRefused) {
    auto file = good_torch_legacy();
    GetParam().spoil(file);
    const auto layout = parsed_legacy(file.build());
    ASSERT_FALSE(layout.ok());
    EXPECT_EQ(layout.error().kind, GetParam().kind) << layout.error().message;
    EXPECT_THAT(layout.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(layout.error().message, testing::StartsWith("m.pth: "));
}

using File = TorchLegacy;

const LegacyCase kLegacyCases[] = {
    {"magic_of_another", [](File& f) { f.magic = pickle(num(1)); },
     "does not begin with PyTorch's magic number"},
    {"magic_computed", [](File& f) { f.magic = pickle(call(name("builtins", "eval"), {str("0x19")})); },
     "does not begin with PyTorch's magic number"},
    {"magic_too_long", [](File& f) { f.magic = pickle(str(std::string(10'000, 'x'))); }, "bytes of memory"},
    {"version_1000", [](File& f) { f.version = pickle(num(1000)); },
     "protocol version 1000 is not supported; 1001", ErrorKind::unsupported},
    {"version_that_is_text", [](File& f) { f.version = pickle(str("1001")); },
     "the protocol version is not a number"},
    {"big_endian", [](File& f) { f.system = test::legacy_system(false); }, "its tensors are big-endian",
     ErrorKind::unsupported},
    {"system_that_is_a_list", [](File& f) { f.system = pickle(list({})); }, "is not a dict"},
    {"object_cut", [](File& f) { f.object.pop_back(), f.keys.clear(), f.storages.clear(); },
     "the file ends early"},
    {"no_list_of_keys", [](File& f) { f.keys = pickle(none()); }, "no list of storages after the object"},
    {"key_that_is_a_number", [](File& f) { f.keys = pickle(list({num(5)})); },
     "the key of a storage is not a text"},
    {"key_twice",
     [](File& f) {
         f.keys = legacy_keys({"5", "17", "5"});
     },
     "storage '5' is listed twice"},
    {"key_too_many",
     [](File& f) {
         f.keys = legacy_keys({"5", "17", "6"});
     },
     "storage '6' is listed, but no tensor"},
    {"key_too_few", [](File& f) { f.keys = legacy_keys({"5"}), f.storages.pop_back(); },
     "the list has 1 storage, but the object uses 2"},
    {"keys_in_another_order",
     [](File& f) {
         f.keys = legacy_keys({"17", "5"});
     },
     "tensor 'w': needs 6 elements, its storage has 4"},
    {"size_of_another", [](File& f) { f.storages[0].elements = 5; },
     "tensor 'b': needs 4 elements, its storage has 5"},
    {"size_of_2_to_the_64", [](File& f) { f.storages[1].elements = ~std::uint64_t{0}; },
     "tensor 'w': needs 6 elements"},
    {"storage_cut", [](File& f) { f.storages[1].bytes.pop_back(); },
     "tensor 'w': needs 24 bytes, the file has 23 left"},
    {"storage_missing", [](File& f) { f.storages.pop_back(); }, "the file ends before its storage"},
    {"storage_without_size", [](File& f) { f.storages.pop_back(), f.tail = Bytes(7); },
     "the file ends before its storage"},
    {"bytes_behind", [](File& f) { f.tail = Bytes(3); }, "3 unexplained bytes after the last storage"},
    {"two_files", [](File& f) { f.tail = good_torch_legacy().build(); },
     "unexplained bytes after the last storage"},
    {"storage_of_two_classes",
     [](File& f) {
         f.object = pickle(list({floats("17", {2, 3}), floats("5", {4}), storage("DoubleStorage", "5", 4)}));
     },
     "storage '5' has 32 bytes here, but 16 in another place"},
    {"attribute_twice",
     [](File& f) {
         f.object = pickle(dict({{str("w"), floats("17", {2, 3})}, {str("w"), floats("5", {4})}}));
     },
     "the key 'w' appears twice"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledPytorchLegacy, testing::ValuesIn(kLegacyCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(PytorchLegacy, EveryTruncationIsRefused) {
    const auto whole = good_torch_legacy().build();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto layout =
            parsed_legacy(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(layout.ok()) << size;
        EXPECT_EQ(layout.error().kind, ErrorKind::malformed) << size;
    }
}

TEST(PytorchLegacy, IsRecognizedByItsMagicNumberInAnyBinaryProtocol) {
    const auto recognised = [](const Bytes& bytes) {
        return pytorch::kLegacyFormat.recognises(MemorySource("m", bytes));
    };
    auto file = good_torch_legacy();
    EXPECT_TRUE(recognised(file.build()));
    // As protocol 4 frames it.
    const auto number = file.magic.substr(2, 12);
    file.magic = "\x80\x04\x95" + std::string("\x0d\0\0\0\0\0\0\0", 8) + number + ".";
    EXPECT_TRUE(recognised(file.build()));
    EXPECT_TRUE(parsed_legacy(file.build()).ok());
    file.magic = pickle(call(name("builtins", "eval"), {str("0x1950A86A20F9469CFC6C")}));
    EXPECT_FALSE(recognised(file.build()));
    EXPECT_FALSE(recognised({}));
}

TEST(PytorchLegacy, TarArchivesOfTheFirstVersionsAreRefusedByName) {
    Bytes tar(1024);
    const auto name = bytes_of("storages"), magic = bytes_of("ustar");
    std::ranges::copy(name, tar.begin());
    std::ranges::copy(magic, tar.begin() + 257);
    EXPECT_TRUE(pytorch::kLegacyFormat.recognises(MemorySource("m", tar)));
    const auto layout = parsed_legacy(tar);
    EXPECT_EQ(layout.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(layout.error().message, HasSubstr("tar archives of PyTorch 0.1 are not supported"));
    tar[0] = std::byte{'x'};
    EXPECT_FALSE(pytorch::kLegacyFormat.recognises(MemorySource("m", tar)));
}

// The registry's message for files that no format recognizes.
TEST(Registry, RefusesZipsAndPicklesThatAreNotOfPytorch) {
    const auto message = [](const Bytes& bytes) {
        return parse_model_file(MemorySource("m", bytes)).error().message;
    };
    test::ZipFile zip;
    zip.items.push_back({.name = "a.txt", .data = Bytes(8)});
    EXPECT_THAT(message(zip.build().bytes), HasSubstr("a zip archive, but not of PyTorch: it has no data.pkl"));
    EXPECT_THAT(message(bytes_of(pickle(call(name("os", "system"), {str("true")})))),
                HasSubstr("a Python pickle, but not written by torch.save"));
    const auto cut = zip.build().bytes;
    EXPECT_THAT(message(Bytes(cut.begin(), cut.begin() + 40)), HasSubstr("cut short or not a zip archive"));
    EXPECT_THAT(message(bytes_of("hello")), HasSubstr("not a model file of a supported format"));
}

TEST(Registry, NamesWhatWasGivenInThePlaceOfAModel) {
    const auto about = [](const Bytes& bytes) {
        const auto error = parse_model_file(MemorySource("m", bytes)).error();
        return error.message + "; " + error.hint;
    };
    const auto text = [&](const std::string& front) { return about(bytes_of(front)); };
    EXPECT_EQ(about({}), "m: the file is empty; download or copy the file again");
    EXPECT_EQ(text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
              "m: is a Git LFS pointer, not the file itself; fetch the file with 'git lfs pull'");
    EXPECT_THAT(text("\n <!DOCTYPE html><html>"), HasSubstr("m: is an HTML page; download the file again"));
    EXPECT_THAT(text("<HTML><body>404"), HasSubstr("m: is an HTML page; download the file again"));
    EXPECT_THAT(text("\x1f\x8b\x08"), HasSubstr("m: is compressed with gzip; unpack it"));
    EXPECT_THAT(text(std::string("\xfd"
                                 "7zXZ\0\0",
                                 7)),
                HasSubstr("m: is compressed with xz"));
    EXPECT_THAT(text("\x28\xb5\x2f\xfd"), HasSubstr("m: is compressed with zstd"));
    EXPECT_THAT(text("-" + std::string(256, '0') + "ustar"), HasSubstr("m: is a tar archive"));
    EXPECT_THAT(text("\x89HDF\r\n\x1a\n"), HasSubstr("m: is an HDF5 file, which is not supported"));
}

TEST(PytorchLegacyRealFiles, AreReadAsPytorchReadsThem) {
    MODELSEAL_NEED_DATA();
    const auto read = [](const char* name) {
        return parsed_legacy(test::load(test::data_folder() / "models/checkpoint" / name)).value();
    };
    const auto resnet = read("akamaster-resnet20-12fca82f.th");
    ASSERT_THAT(resnet.tensors, SizeIs(97));
    const auto first = std::ranges::find(resnet.tensors, "state_dict.module.conv1.weight", &Tensor::name);
    ASSERT_NE(first, resnet.tensors.end());
    EXPECT_THAT(first->shape, ElementsAre(16, 3, 3, 3));
    EXPECT_THAT(resnet.warnings, IsEmpty());

    const auto fashion = read("locuslab-models-fashion_mnist.pth");
    ASSERT_THAT(fashion.tensors, SizeIs(8));
    EXPECT_EQ(fashion.tensors[0].name, "5.weight");
    EXPECT_THAT(fashion.tensors[0].shape, ElementsAre(100, 1568));
    EXPECT_THAT(read("akamaster-resnet32-d509ac18.th").tensors, SizeIs(157));
    EXPECT_THAT(read("2.7_80x80_MiniFASNetV2.pth").tensors, SizeIs(334));
}

}  // namespace
}  // namespace modelseal::formats
