#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/leaves.h"
#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"
#include "tests/support/torch_zip.h"

namespace modelseal::formats {
namespace {

using namespace test::pkl;
using test::Bytes;
using test::bytes_of;
using test::good_torch_zip;
using test::pickled_as_x;
using test::TorchZip;
using test::ZipFile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Result<Layout> parsed(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.pt", bytes);
    auto layout = kPytorchZip.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(test::contract_violation(*layout, source), "");
    }
    return layout;
}

// The layout of a file whose data.pkl is `object` and whose only storage "0" has `bytes` bytes.
Layout layout_of(const std::string& object, std::size_t bytes) {
    TorchZip file{.object = object, .storages = {{"0", Bytes(bytes)}}};
    auto layout = parsed(file.build());
    EXPECT_TRUE(layout.ok()) << layout.error().message;
    return layout.ok() ? std::move(layout).value() : Layout{};
}

// Storage "0" of 12 floats, once more wherever it is mentioned.
Fragment twelve() {
    return storage("FloatStorage", "0", 12);
}

TEST(PytorchZip, TensorsAreTheStoredEntries) {
    const auto file = good_torch_zip();
    const auto built = file.zip().build();
    const auto layout = parsed(built.bytes).value();
    EXPECT_EQ(layout.format, "pytorch");
    ASSERT_THAT(layout.tensors, SizeIs(2));
    const auto& w = layout.tensors[0];
    EXPECT_EQ(w.name, "w");
    EXPECT_EQ(w.dtype, DType::f32);
    EXPECT_THAT(w.shape, ElementsAre(2, 3));
    EXPECT_EQ(w.elements, 6u);
    EXPECT_EQ(w.segments[0].offset, built.data[1]);
    EXPECT_EQ(w.segments[0].bytes, 24u);
    EXPECT_THAT(w.aliases, IsEmpty());
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(PytorchZip, ChecksumsCoverTheStoragesAndNameTheirFields) {
    const auto built = good_torch_zip().zip().build();
    const auto layout = parsed(built.bytes).value();
    ASSERT_THAT(layout.checksums, SizeIs(2));
    EXPECT_EQ(layout.checksums[0].offset, built.data[1]);
    EXPECT_EQ(layout.checksums[0].bytes, 24u);
    EXPECT_THAT(layout.checksums[0].fields, ElementsAre(built.descriptor[1] + 4, built.central[1] + 16));
}

TEST(PytorchZip, AChecksumWithoutADescriptorStandsInTheLocalHeader) {
    auto zip = good_torch_zip().zip();
    zip.items[1].descriptor = false;
    const auto built = zip.build();
    EXPECT_THAT(parsed(built.bytes).value().checksums[0].fields,
                ElementsAre(built.local[1] + 14, built.central[1] + 16));
}

TEST(PytorchZip, PathsGoThroughDictsListsAndTuples) {
    const auto object = pickle(
        dict({{str("epoch"), num(3)},
              {str("state_dict"), dict({{str("layer1.0.weight"), list({none(), tuple({floats("0", {3})})})}})},
              {num(-7), floats("1", {1})},
              {none(), floats("2", {1})}}));
    TorchZip file{.object = object, .storages = {{"0", Bytes(12)}, {"1", Bytes(4)}, {"2", Bytes(4)}}};
    const auto layout = parsed(file.build()).value();
    ASSERT_THAT(layout.tensors, SizeIs(3));
    EXPECT_EQ(layout.tensors[0].name, "state_dict.layer1.0.weight.1.0");
    EXPECT_EQ(layout.tensors[1].name, "-7");
    EXPECT_EQ(layout.tensors[2].name, "3");  // a key without a spelling is counted
}

TEST(PytorchZip, ATensorThatIsAllThatWasSavedIsCalledData) {
    EXPECT_EQ(layout_of(pickle(floats("0", {12})), 48).tensors[0].name, "data");
}

TEST(PytorchZip, TiedTensorsAreOneWithAliases) {
    const auto one = tensor(twelve(), {.shape = {3, 4}});
    const auto layout = layout_of(
        pickle(dict({{str("decoder.weight"), one}, {str("embedding.weight"), one}, {str("b"), one}})), 48);
    ASSERT_THAT(layout.tensors, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].name, "b");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(3, 4));
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("decoder.weight", "embedding.weight"));
}

TEST(PytorchZip, AViewThatCoversItsStorageLendsItItsShapeWhateverOthersDo) {
    const auto layout =
        layout_of(pickle(dict({{str("a"), tensor(twelve(), {.offset = 4, .shape = {4}})},
                               {str("whole"), tensor(twelve(), {.shape = {4, 3}})},
                               {str("transposed"), tensor(twelve(), {.shape = {3, 4}, .strides = {1, 3}})}})),
                  48);
    ASSERT_THAT(layout.tensors, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].name, "whole");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(4, 3));
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("a", "transposed"));
}

// What none of its views tells in order is one long row.
TEST(PytorchZip, AStorageSeenOnlyInPartsStridesOrSeveralShapesIsOneRow) {
    const std::vector<std::vector<View>> cases = {
        {{.shape = {3}}},
        {{.offset = 1, .shape = {11}}},
        {{.shape = {6}, .strides = {2}}},
        {{.shape = {3, 4}, .strides = {1, 3}}},
        {{.shape = {2, 2, 3}, .strides = {6, 1, 2}}},  // channels last
        {{.shape = {12, 12}, .strides = {0, 1}}},      // expanded
        {{.shape = {3, 4}}, {.shape = {4, 3}}},
        {{.shape = {6}}, {.offset = 6, .shape = {6}}},
        {{.shape = {0}}},
    };
    for (const auto& views : cases) {
        std::vector<Fragment> tensors;
        for (const auto& view : views) tensors.push_back(tensor(twelve(), view));
        const auto layout = layout_of(pickle(list(tensors)), 48);
        ASSERT_THAT(layout.tensors, SizeIs(1));
        EXPECT_EQ(layout.tensors[0].name, "0");
        EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
        EXPECT_THAT(layout.tensors[0].aliases, SizeIs(views.size() - 1));
    }
}

TEST(PytorchZip, StridesOfDimensionsOfOneDoNotMatter) {
    const auto layout =
        layout_of(pickle(tensor(twelve(), {.shape = {1, 3, 1, 4}, .strides = {99, 4, 77, 1}})), 48);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(1, 3, 1, 4));
}

TEST(PytorchZip, ScalarsAndEmptyTensorsKeepTheirShapes) {
    EXPECT_THAT(layout_of(pickle(tensor(storage("LongStorage", "0", 1), {})), 8).tensors[0].shape, IsEmpty());
    const auto layout = layout_of(pickle(tensor(storage("LongStorage", "0", 0), {.shape = {0, 7}})), 0);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(0, 7));
    EXPECT_THAT(layout.checksums, IsEmpty());
}

TEST(PytorchZip, EveryStorageClassIsKnown) {
    const std::vector<std::pair<const char*, DType>> classes = {
        {"DoubleStorage", DType::f64},       {"FloatStorage", DType::f32},
        {"HalfStorage", DType::f16},         {"BFloat16Storage", DType::bf16},
        {"LongStorage", DType::i64},         {"IntStorage", DType::i32},
        {"ShortStorage", DType::i16},        {"CharStorage", DType::i8},
        {"ByteStorage", DType::u8},          {"BoolStorage", DType::boolean},
        {"ComplexFloatStorage", DType::c64}, {"ComplexDoubleStorage", DType::c128},
        {"QInt8Storage", DType::qint8},      {"QUInt8Storage", DType::quint8},
        {"QInt32Storage", DType::qint32},
    };
    for (const auto& [name, dtype] : classes) {
        const auto bytes = 5u * info(dtype).group_bytes;
        const auto layout = layout_of(pickle(tensor(storage(name, "0", 5), {.shape = {5}})), bytes);
        ASSERT_THAT(layout.tensors, SizeIs(1)) << name;
        EXPECT_EQ(layout.tensors[0].dtype, dtype) << name;
        EXPECT_THAT(layout.tensors[0].shape, ElementsAre(5)) << name;
    }
}

TEST(PytorchZip, PackedQuantisedStoragesCountTheirElements) {
    // Three rows of four elements of four bits: six bytes, which PyTorch counts as the storage's size.
    const auto layout = layout_of(pickle(tensor(storage("QUInt4x2Storage", "0", 6), {.shape = {3, 4}})), 6);
    EXPECT_EQ(layout.tensors[0].dtype, DType::quint4x2);
    EXPECT_EQ(layout.tensors[0].elements, 12u);
}

Fragment untyped(std::int64_t bytes) {
    return persistent(
        tuple({str("storage"), name("torch.storage", "UntypedStorage"), str("0"), str("cpu"), num(bytes)}));
}

Fragment tensor_v3(const std::string& dtype, const std::vector<std::int64_t>& shape, std::int64_t bytes) {
    return call(name("torch._utils", "_rebuild_tensor_v3"),
                {untyped(bytes), num(0), numbers(shape), numbers(row_major(shape)), truth(false),
                 call(name("collections", "OrderedDict"), {}), name("torch", dtype)});
}

TEST(PytorchZip, UntypedStoragesTakeTheTypeOfTheirViews) {
    const auto layout = layout_of(pickle(tensor_v3("uint16", {2, 3}, 12)), 12);
    EXPECT_EQ(layout.tensors[0].dtype, DType::u16);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(2, 3));
    EXPECT_EQ(layout_of(pickle(tensor_v3("float8_e4m3fn", {12}, 12)), 12).tensors[0].dtype, DType::f8_e4m3fn);
}

TEST(PytorchZip, UntypedStoragesOfSeveralTypesAreOpaque) {
    const auto layout =
        layout_of(pickle(list({tensor_v3("uint16", {6}, 12), tensor_v3("uint32", {3}, 12)})), 12);
    ASSERT_THAT(layout.tensors, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].dtype, DType::opaque);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
}

TEST(PytorchZip, AStorageOfTwoClassesIsOpaque) {
    const auto layout = layout_of(pickle(list({tensor(storage("FloatStorage", "0", 3), {.shape = {3}}),
                                               tensor(storage("IntStorage", "0", 3), {.shape = {3}})})),
                                  12);
    EXPECT_EQ(layout.tensors[0].dtype, DType::opaque);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
}

TEST(PytorchZip, StoragesSavedAsSuchAreRows) {
    const auto layout = layout_of(pickled_as_x(twelve()), 48);
    EXPECT_EQ(layout.tensors[0].name, "x");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
    EXPECT_EQ(layout_of(pickled_as_x(untyped(12)), 12).tensors[0].dtype, DType::opaque);
}

TEST(PytorchZip, ATensorLendsItsShapeAndNameToAStorageThatWasSavedBesideIt) {
    const auto layout =
        layout_of(pickle(dict({{str("a"), twelve()}, {str("b"), tensor(twelve(), {.shape = {3, 4}})}})), 48);
    EXPECT_EQ(layout.tensors[0].name, "b");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(3, 4));
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("a"));
}

TEST(PytorchZip, TensorsThatAreKeysAreFound) {
    EXPECT_EQ(layout_of(pickle(dict({{floats("0", {12}), num(1)}})), 48).tensors[0].name, "0");
}

// What PyTorch wraps around a tensor does not change where it sits.
TEST(PytorchZip, WrappersAreSeenThrough) {
    const auto plain = tensor(twelve(), {.shape = {12}});
    const auto hooks = call(name("collections", "OrderedDict"), {});
    const auto v2_arguments = tuple({twelve(), num(0), numbers({12}), numbers({1}), truth(false), hooks});
    const std::vector<Fragment> wrapped = {
        plain,
        call(name("torch._utils", "_rebuild_parameter"), {plain, truth(true), hooks}),
        call(name("torch._utils", "_rebuild_parameter_with_state"), {plain, truth(true), hooks, dict({})}),
        call(name("torch._utils", "_rebuild_tensor"), {twelve(), num(0), numbers({12}), numbers({1})}),
        call(name("torch._tensor", "_rebuild_from_type_v2"),
             {name("torch._utils", "_rebuild_tensor_v2"), name("torch.nn.parameter", "Parameter"), v2_arguments,
              dict({})}),
        call(name("torch.jit._pickle", "restore_type_tag"), {plain, str("Tensor")}),
        call(name("torch._utils", "_rebuild_tensor_v2"),
             {twelve(), num(0), call(name("torch", "Size"), {numbers({12})}), numbers({1}), truth(false),
              hooks}),
    };
    for (const auto& value : wrapped) {
        const auto layout = layout_of(pickled_as_x(value), 48);
        ASSERT_THAT(layout.tensors, SizeIs(1));
        EXPECT_EQ(layout.tensors[0].name, "x");
        EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
        EXPECT_THAT(layout.warnings, IsEmpty());
    }
}

TEST(PytorchZip, OrderedDictsOfPython2AreDicts) {
    const auto object =
        call(name("collections", "OrderedDict"), {list({list({str("w"), tensor(twelve(), {.shape = {12}})})})});
    EXPECT_EQ(layout_of(pickle(object), 48).tensors[0].name, "w");
}

TEST(PytorchZip, ModulesAreCalledAsInTheirStateDict) {
    const auto layer = object(name("torch.nn.modules.linear", "Linear"),
                              dict({{str("_parameters"), dict({{str("weight"), floats("0", {12})}})},
                                    {str("_buffers"), dict({})},
                                    {str("in_features"), num(12)}}));
    const auto model = object(name("net", "Net"), dict({{str("_modules"), dict({{str("fc"), layer}})}}));
    const auto layout = layout_of(pickle(model), 48);
    EXPECT_EQ(layout.tensors[0].name, "fc.weight");
    EXPECT_THAT(layout.warnings,
                ElementsAre(HasSubstr("calls net.Net"), HasSubstr("calls torch.nn.modules.linear.Linear")));
}

// As torch.nn.LSTM keeps them.
TEST(PytorchZip, WhatAModuleKeepsBesideItsParametersGivesNamesOfSecondChoice) {
    const auto weight = floats("0", {12});
    const auto model = object(name("net", "Net"), dict({{str("_parameters"), dict({{str("weight"), weight}})},
                                                        {str("_flat_weights"), list({weight})},
                                                        {str("_modules"), dict({})}}));
    const auto layout = layout_of(pickle(model), 48);
    EXPECT_EQ(layout.tensors[0].name, "weight");
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("_flat_weights.0"));
}

TEST(PytorchZip, PlainDictsKeepKeysThatModulesUseToo) {
    const auto object = pickled_as_x(dict({{str("_parameters"), floats("0", {12})}}));
    EXPECT_EQ(layout_of(object, 48).tensors[0].name, "x._parameters");
}

TEST(PytorchZip, QuantisersAndSparseTensorsNameTheirParts) {
    const auto quantised = call(
        name("torch._utils", "_rebuild_qtensor"),
        {storage("QInt8Storage", "0", 6), num(0), numbers({2, 3}), numbers({3, 1}),
         tuple({name("torch", "per_channel_affine"), tensor(storage("DoubleStorage", "1", 2), {.shape = {2}}),
                tensor(storage("LongStorage", "2", 2), {.shape = {2}}), num(0)}),
         truth(false), call(name("collections", "OrderedDict"), {})});
    const auto sparse = call(
        name("torch._utils", "_rebuild_sparse_tensor"),
        {name("torch", "sparse_coo"), tuple({tensor(storage("LongStorage", "3", 2), {.shape = {1, 2}}),
                                             floats("4", {2}), call(name("torch", "Size"), {numbers({9})})})});
    TorchZip file{
        .object = pickle(dict({{str("q"), quantised}, {str("s"), sparse}})),
        .storages = {{"0", Bytes(6)}, {"1", Bytes(16)}, {"2", Bytes(16)}, {"3", Bytes(16)}, {"4", Bytes(8)}}};
    const auto layout = parsed(file.build()).value();
    std::vector<std::string> names;
    for (const auto& one : layout.tensors) names.push_back(one.name);
    EXPECT_THAT(names, ElementsAre("q", "q.scales", "q.zero_points", "s.indices", "s.values"));
    EXPECT_EQ(layout.tensors[0].dtype, DType::qint8);
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(PytorchZip, NamesThatCollideAreCounted) {
    TorchZip file{.object = pickle(dict({{str("a.b"), floats("0", {1})},
                                         {str("a"), dict({{str("b"), floats("1", {1})}})},
                                         {str("a.b#2"), floats("2", {1})}})),
                  .storages = {{"0", Bytes(4)}, {"1", Bytes(4)}, {"2", Bytes(4)}}};
    const auto layout = parsed(file.build()).value();
    EXPECT_EQ(layout.tensors[0].name, "a.b");
    EXPECT_EQ(layout.tensors[1].name, "a.b#2");
    EXPECT_EQ(layout.tensors[2].name, "a.b#2#2");
}

TEST(PytorchZip, NamesThatAreNotUtf8AreEscaped) {
    EXPECT_EQ(layout_of(pickle(dict({{str("w\xff"), floats("0", {12})}})), 48).tensors[0].name, "w\\xff");
}

TEST(PytorchZip, CyclesEnd) {
    // A list that contains itself and a tensor.
    const auto object =
        "]q\x09h\x09"
        "a" +
        tensor(twelve(), {.shape = {12}}) + "a";
    EXPECT_EQ(layout_of(pickle(object), 48).tensors[0].name, "1");
}

TEST(PytorchZip, SharedValuesGetAllTheirNames) {
    const auto shared = dict({{str("w"), tensor(twelve(), {.shape = {12}})}}) + "q\x09";
    const auto layout = layout_of(pickle(dict({{str("b"), shared}, {str("a"), "h\x09"}})), 48);
    EXPECT_EQ(layout.tensors[0].name, "a.w");
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("b.w"));
}

TEST(PytorchZip, ValuesSharedTooOftenAreNotAllNamed) {
    // 2^40 paths lead to the one tensor.
    auto object = tensor(twelve(), {.shape = {12}});
    for (int i = 0; i < 40; ++i) object += "q\x09" + Fragment("0") + "h\x09h\x09\x86";
    const auto layout = layout_of(pickle(object), 48);
    EXPECT_THAT(layout.tensors, SizeIs(1));
    EXPECT_THAT(layout.warnings, ElementsAre(HasSubstr("in too many places")));
}

TEST(PytorchZip, StoragesThatNoPickleNamesAreFrame) {
    auto file = good_torch_zip();
    file.storages.emplace_back("2", Bytes(64));
    EXPECT_THAT(parsed(file.build()).value().tensors, SizeIs(2));
}

TEST(PytorchZip, ADeflatedPickleIsUnpacked) {
    auto zip = good_torch_zip().zip();
    zip.items[0].deflate = true;
    EXPECT_THAT(parsed(zip.build().bytes).value().tensors, SizeIs(2));
}

TEST(PytorchZip, APickleWithAnotherChecksumIsWarnedOf) {
    auto built = good_torch_zip().zip().build();
    built.set32(built.descriptor[0] + 4, 1);
    built.set32(built.central[0] + 16, 1);
    EXPECT_THAT(parsed(built.bytes).value().warnings, ElementsAre(HasSubstr("does not match its CRC-32")));
}

TEST(PytorchZip, ConstantsAndBytecodeAreReadWithTheirOwnFolders) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "constants.pkl", .data = bytes_of(pickle(tuple({floats("0", {2})})))});
    file.others.push_back(
        {.name = "bytecode.pkl", .data = bytes_of(pickle(tuple({floats("0", {2}), floats("9", {3})})))});
    file.others.push_back({.name = "constants/0", .data = Bytes(8)});
    file.others.push_back({.name = "constants/9", .data = Bytes(12)});
    const auto layout = parsed(file.build()).value();
    ASSERT_THAT(layout.tensors, SizeIs(4));
    EXPECT_EQ(layout.tensors[2].name, "constants.0");
    EXPECT_THAT(layout.tensors[2].aliases, ElementsAre("bytecode.0"));
    EXPECT_EQ(layout.tensors[3].name, "bytecode.1");
}

TEST(PytorchZip, BytecodeOfOldFilesHasAFolderOfItsOwn) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "bytecode.pkl", .data = bytes_of(pickle(tuple({floats("0", {2})})))});
    file.others.push_back({.name = "bytecode/0", .data = Bytes(8)});
    EXPECT_EQ(parsed(file.build()).value().tensors[2].name, "bytecode.0");
}

TEST(PytorchZip, CodeMayDifferInCaseAlone) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "code/__torch__/Net.py", .data = bytes_of("1"), .deflate = true});
    file.others.push_back({.name = "code/__torch__/net.py", .data = bytes_of("1")});
    EXPECT_TRUE(parsed(file.build()).ok());
}

// Calls are told, never made, and do not keep the tensors from being read.
TEST(PytorchZip, WhateverAPickleWouldCallIsToldInWarnings) {
    auto file = good_torch_zip();
    file.object =
        pickle(dict({{str("w"), floats("0", {2, 3})},
                     {str("evil"), call(name("os", "system"), {str("touch /tmp/modelseal-was-here")})},
                     {str("class"), name("torch.optim.sgd", "SGD")},
                     {str("code"), call(call(name("builtins", "getattr"), {}), {})},
                     {str("escape"), name("a\x1b[2J", "b")}}));
    const auto layout = parsed(file.build()).value();
    EXPECT_THAT(layout.warnings, ElementsAre("pickle data.pkl calls os.system (never executed here)",
                                             "pickle data.pkl names torch.optim.sgd.SGD (never executed here)",
                                             "pickle data.pkl calls builtins.getattr (never executed here)",
                                             "pickle data.pkl names a\\x1b[2J.b (never executed here)"));
    EXPECT_EQ(layout.tensors[0].name, "w");
}

// Each of these would take hours if what is shared were looked through at each of its places.
TEST(PytorchZip, WideValuesSharedOftenEndSoon) {
    const Fragment many(20'000, 'N');
    const std::vector<Fragment> wide = {
        call(name("a", "b"), {many}),
        call(name("collections", "OrderedDict"), {"(" + Fragment(20'000, ')') + "l"}),
        call(name("torch._utils", "_rebuild_sparse_tensor"), {none(), tuple({many})}),
        object(name("a", "B"), "(" + many + "d"),
        "(" + many + "d",
        "(" + many + "l",
    };
    for (const auto& value : wide) {
        // x = (value, value); x = (x, x); ... 40 times
        auto object = value;
        for (int i = 0; i < 40; ++i) object += "q\x09" + Fragment("0") + "h\x09h\x09\x86";
        TorchZip file{.object = pickle(object)};
        const auto layout = parsed(file.build());
        if (layout.ok()) {
            EXPECT_THAT(layout->warnings, testing::Contains(HasSubstr("in too many places")));
        } else {
            EXPECT_THAT(layout.error().message, HasSubstr("what are not pairs"));
        }
    }
}

TEST(PytorchZip, ManyWarningsAreCounted) {
    std::vector<Fragment> names;
    for (int i = 0; i < 1000; ++i) names.push_back(name("os", "f" + std::to_string(i)));
    auto file = good_torch_zip();
    file.object = pickle(list(names));
    const auto warnings = parsed(file.build()).value().warnings;
    ASSERT_THAT(warnings, SizeIs(65));
    EXPECT_EQ(warnings.back(), "pickle data.pkl names 936 more");
}

struct Spoiled {
    const char* name;
    std::function<void(TorchZip&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const Spoiled& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledPytorchZip : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledPytorchZip, IsRefused) {
    auto file = good_torch_zip();
    GetParam().spoil(file);
    const auto layout = parsed(file.build());
    ASSERT_FALSE(layout.ok());
    EXPECT_EQ(layout.error().kind, GetParam().kind) << layout.error().message;
    EXPECT_THAT(layout.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(layout.error().message, testing::StartsWith("m.pt: "));
}

// A row whose data.pkl holds `value` at "x"; storage "0" has 24 bytes, "1" has 16.
Spoiled with_value(const char* row, const Fragment& value, const char* message,
                   ErrorKind kind = ErrorKind::malformed) {
    return {row, [=](TorchZip& file) { file.object = pickled_as_x(value); }, message, kind};
}

Spoiled with_view(const char* row, const View& view, const char* message) {
    return with_value(row, tensor(storage("FloatStorage", "0", 6), view), message);
}

Fragment id_of(const std::vector<Fragment>& parts) {
    return persistent(tuple(parts));
}

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

const Spoiled kSpoiled[] = {
    {"no_folder", [](TorchZip& f) { f.root = ""; }, "keeps data.pkl in its one top folder"},
    {"folder_in_a_folder", [](TorchZip& f) { f.root = "a/b/"; }, "keeps data.pkl in its one top folder"},
    {"entry_that_leaves_the_archive", [](TorchZip& f) { f.others.push_back({.name = "../n"}); },
     "leaves the archive"},
    {"storage_missing", [](TorchZip& f) { f.storages.pop_back(); },
     "tensor 'b': its storage data/1 is missing"},
    {"storage_too_short", [](TorchZip& f) { f.storages[0].second.pop_back(); },
     "tensor 'w': needs a storage of 24 bytes, entry 'm/data/0' has 23"},
    {"storage_too_long", [](TorchZip& f) { f.storages[0].second.emplace_back(); },
     "needs a storage of 24 bytes, entry 'm/data/0' has 25"},
    {"names_differ_in_case", [](TorchZip& f) { f.others.push_back({.name = "DATA.pkl"}); },
     "differ in case alone"},
    {"storages_differ_in_case", [](TorchZip& f) { f.others.push_back({.name = "Data/0"}); },
     "differ in case alone"},
    {"big_endian", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = bytes_of("big")}); },
     "its tensors are big-endian", ErrorKind::unsupported},
    {"middle_endian", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = bytes_of("mixed")}); },
     "unknown byte order 'mixed'"},
    {"endless_byte_order", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = Bytes(65)}); },
     "over the limit of 64"},
    {"pickle_cut", [](TorchZip& f) { f.object.pop_back(); }, "data.pkl: ends too early"},
    {"pickle_empty", [](TorchZip& f) { f.object.clear(); }, "data.pkl: ends too early"},
    {"two_pickles", [](TorchZip& f) { f.object += pickle(none()); },
     "data.pkl: pickle: 4 bytes behind its end"},
    {"constants_cut",
     [](TorchZip& f) { f.others.push_back({.name = "constants.pkl", .data = bytes_of("\x80\x02(")}); },
     "constants.pkl: ends too early"},
    {"key_twice",
     [](TorchZip& f) {
         f.object = pickle(dict({{str("w"), floats("0", {6})}, {str("w"), floats("1", {4})}}));
     },
     "the key 'w' comes twice"},
    {"number_twice",
     [](TorchZip& f) {
         f.object = pickle(dict({{num(1), floats("0", {6})}, {num(1), floats("1", {4})}}));
     },
     "the key 1 comes twice"},
    {"key_twice_as_python_2_wrote_it",
     [](TorchZip& f) {
         const auto pair = list({str("w"), none()});
         f.object = pickle(call(name("collections", "OrderedDict"), {list({pair, pair})}));
     },
     "the key 'w' comes twice"},
    {"attribute_twice",
     [](TorchZip& f) {
         f.object = pickle(object(name("a", "B"), dict({{str("w"), none()}, {str("w"), none()}})));
     },
     "the key 'w' comes twice"},
    {"too_deep", [](TorchZip& f) { f.object = "\x80\x02" + Fragment(300, ']') + Fragment(299, 'a') + "."; },
     "nested more than"},
    with_value("unknown_class", tensor(storage("TritStorage", "0", 6), {.shape = {6}}),
               "unknown storage class 'torch.TritStorage'", ErrorKind::unsupported),
    with_value("class_of_another_module",
               tensor(id_of({str("storage"), name("os", "FloatStorage"), str("0"), str("cpu"), num(6)}),
                      {.shape = {6}}),
               "unknown storage class 'os.FloatStorage'", ErrorKind::unsupported),
    with_value("class_that_is_text", id_of({str("storage"), str("FloatStorage"), str("0"), str("cpu"), num(6)}),
               "'x': a storage that is not"),
    with_value("id_too_short", id_of({str("storage"), name("torch", "FloatStorage")}),
               "'x': a storage that is not"),
    with_value("key_that_is_a_number",
               id_of({str("storage"), name("torch", "FloatStorage"), num(0), str("cpu"), num(6)}),
               "'x': a storage that is not"),
    with_value("size_negative", tensor(storage("FloatStorage", "0", -1), {.shape = {6}}),
               "the size of a storage is not a whole number"),
    with_value("size_overflows", tensor(storage("FloatStorage", "0", kHuge), {.shape = {6}}),
               "storage '0' overflows"),
    with_value("size_that_is_another_elsewhere", list({floats("0", {6}), floats("0", {3})}),
               "storage '0' has 12 bytes here and 24 elsewhere"),
    with_view("offset_negative", {.offset = -1, .shape = {2}}, "the offset is not a whole number"),
    with_view("extent_negative", {.shape = {-2}}, "the shape is not a whole number"),
    with_view("stride_negative", {.shape = {2}, .strides = {-1}}, "the strides is not a whole number"),
    with_view("too_few_strides", {.shape = {2, 3}, .strides = {1}}, "not as many strides as dimensions"),
    with_view("shape_too_large", {.shape = {7}}, "'x': leaves its storage of 24 bytes"),
    with_view("offset_too_large", {.offset = 1, .shape = {6}}, "leaves its storage"),
    with_view("stride_too_large", {.shape = {2, 2}, .strides = {5, 1}}, "leaves its storage"),
    with_view("offset_overflows", {.offset = kHuge, .shape = {6}}, "leaves its storage"),
    with_view("shape_overflows", {.shape = {kHuge, kHuge}, .strides = {0, 0}}, "its shape overflows"),
    with_view("strides_overflow", {.shape = {2, 2}, .strides = {kHuge * 1, kHuge}}, "leaves its storage"),
    with_view("too_many_dimensions", {.shape = std::vector<std::int64_t>(65, 1)}, "has 65 dimensions"),
    with_value("shape_that_is_a_number",
               call(name("torch._utils", "_rebuild_tensor_v2"),
                    {storage("FloatStorage", "0", 6), num(0), num(6), numbers({1}), truth(false), none()}),
               "the shape is not a tuple"),
    with_value("unknown_type", tensor_v3("trit", {6}, 24), "unknown type 'torch.trit'"),
    with_value("ordered_dict_of_triples",
               call(name("collections", "OrderedDict"), {list({tuple({none(), none(), none()})})}),
               "what are not pairs"),
    with_value(
        "part_of_a_storage_without_a_size",
        id_of({str("storage"), name("torch", "FloatStorage"), str("0"), str("cpu"), num(6), tuple({num(1)})}),
        "not described by key, offset and size"),
    with_value("part_that_leaves_its_storage",
               id_of({str("storage"), name("torch", "FloatStorage"), str("0"), str("cpu"), num(6),
                      tuple({str("v"), num(4), num(3)})}),
               "leaves its storage"),
    with_value("name_too_long", dict({{str(std::string(70'000, 'n')), floats("0", {6})}}),
               "a name of more than 65536 bytes"),
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledPytorchZip, testing::ValuesIn(kSpoiled),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(PytorchZip, TwoModelsInOneArchiveAreRefused) {
    auto zip = good_torch_zip().zip();
    zip.items.push_back({.name = "n/data.pkl", .data = zip.items[0].data});
    EXPECT_THAT(parsed(zip.build().bytes).error().message, HasSubstr("which is the model?"));
}

TEST(PytorchZip, PackedAndEncryptedStoragesAreUnsupported) {
    auto zip = good_torch_zip().zip();
    zip.items[1].deflate = true;
    const auto packed = parsed(zip.build().bytes);
    EXPECT_EQ(packed.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(packed.error().message, HasSubstr("tensor 'w': entry 'm/data/0' is packed"));

    auto built = good_torch_zip().zip().build();
    built.set16(built.local[1] + 6, 0x0809);
    built.set16(built.central[1] + 8, 0x0809);
    EXPECT_THAT(parsed(built.bytes).error().message, HasSubstr("tensor 'w': entry 'm/data/0' is encrypted"));
}

TEST(PytorchZip, LimitsAreKept) {
    const auto bytes = good_torch_zip().build();
    EXPECT_THAT(parsed(bytes, {.tensors = 1}).error().message, HasSubstr("more than 1 storages"));
    EXPECT_THAT(parsed(bytes, {.metadata_bytes = 1000}).error().message, HasSubstr("1000"));
    EXPECT_THAT(parsed(bytes, {.rank = 1}).error().message, HasSubstr("has 2 dimensions, the limit is 1"));
    EXPECT_TRUE(
        parsed(bytes, {.metadata_bytes = 0, .tensors = 0, .rank = 0, .depth = 0, .name_bytes = 0}).ok());
}

TEST(PytorchZip, EveryTruncationIsRefused) {
    const auto whole = good_torch_zip().build();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto layout = parsed(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(layout.ok()) << size;
    }
}

TEST(PytorchZip, IsRecognisedByItsPickleEvenIfItWasCut) {
    const auto recognised = [](const Bytes& bytes) { return kPytorchZip.recognises(MemorySource("m", bytes)); };
    const auto whole = good_torch_zip().build();
    EXPECT_TRUE(recognised(whole));
    EXPECT_TRUE(recognised(Bytes(whole.begin(), whole.begin() + 300)));

    ZipFile other;
    other.items.push_back({.name = "a/word.txt", .data = bytes_of("data.pkl")});
    EXPECT_FALSE(recognised(other.build().bytes));
    EXPECT_FALSE(recognised(bytes_of("PK\3\4")));
    EXPECT_FALSE(recognised({}));
}

// Reads nothing of the storages.
class Watched final : public Source {
  public:
    Watched(const Bytes& bytes, std::uint64_t begin, std::uint64_t end)
        : memory_("w.pt", bytes), begin_(begin), end_(end) {}
    const std::string& name() const override { return memory_.name(); }
    std::uint64_t size() const override { return memory_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        const auto end = offset + out.size();
        if (offset < end_ && end > begin_) touched += std::min(end, end_) - std::max(offset, begin_);
        return memory_.read(offset, out);
    }
    mutable std::uint64_t touched = 0;

  private:
    MemorySource memory_;
    std::uint64_t begin_, end_;
};

TEST(PytorchZip, StoragesAreNotReadWhileParsing) {
    auto file = good_torch_zip();
    file.object = pickle(floats("0", {1 << 18}));
    file.storages = {{"0", Bytes(1u << 20)}};
    file.others.push_back(
        {.name = "padding", .data = Bytes(1u << 17)});  // the end record is searched for from behind
    const auto built = file.zip().build();
    const Watched source(built.bytes, built.data[1], built.data[1] + (1u << 20));
    ASSERT_TRUE(kPytorchZip.parse(source, {}).ok());
    EXPECT_EQ(source.touched, 0u);
}

TEST(PytorchRealFiles, AreReadAsPytorchReadsThem) {
    MODELSEAL_NEED_DATA();
    const auto read = [](const char* name) {
        return parsed(test::load(test::data_folder() / "models" / name)).value();
    };
    const auto checkpoint = read("checkpoint/ai85-mnist-qat8-q.pth.tar");
    ASSERT_THAT(checkpoint.tensors, SizeIs(37));
    EXPECT_EQ(checkpoint.tensors[0].name, "state_dict.conv4.op.weight");
    EXPECT_THAT(checkpoint.tensors[0].shape, ElementsAre(12, 56, 3, 3));
    EXPECT_THAT(checkpoint.warnings, ElementsAre(HasSubstr("names torch.optim.sgd.SGD")));

    const auto script = read("torchscript/silero_vad.jit");
    ASSERT_THAT(script.tensors, SizeIs(33));
    EXPECT_EQ(script.tensors[2].name, "_model.stft.forward_basis_buffer");
    EXPECT_THAT(script.tensors[2].shape, ElementsAre(258, 1, 256));
    EXPECT_EQ(script.tensors[32].name, "constants.0");
    EXPECT_THAT(script.warnings, IsEmpty());

    const auto quantised = read("torchscript/mobilenet_v2_quantized_imagenet_a.pt");
    ASSERT_THAT(quantised.tensors, SizeIs(158));
    EXPECT_EQ(quantised.tensors[0].dtype, DType::qint8);
    EXPECT_EQ(quantised.tensors[0].name, "classifier.1._packed_params._packed_params.0");

    EXPECT_THAT(read("torchscript/asl.ptl").tensors, SizeIs(12));
    EXPECT_THAT(read("torchscript/vit4mnist_android.ptl").tensors, SizeIs(106));
    EXPECT_THAT(read("checkpoint/burn-mnist.pt").tensors, SizeIs(20));
}

TEST(PytorchHostileFiles, SayWhatTheyWouldCall) {
    MODELSEAL_NEED_DATA();
    const auto layout = parsed(test::load(test::data_folder() / "hostile/modelscan/unsafe_zip_pytorch.pt"));
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_THAT(layout->warnings, ElementsAre(HasSubstr("calls posix.system")));
}

}  // namespace
}  // namespace modelseal::formats
