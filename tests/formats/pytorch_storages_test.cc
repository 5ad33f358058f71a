// From pickles to storages: where tensors sit, which views share a storage, what wraps them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/registry.h"
#include "tests/support/models/torch_zip.h"

namespace modelseal::formats {
namespace {

using namespace test::pkl;
using test::Bytes;
using test::parsed_torch;
using test::pickled_as_x;
using test::TorchZip;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The layout of a file whose data.pkl is `object` and whose only storage "0" has `bytes` bytes.
Layout layout_of(const std::string& object, std::size_t bytes) {
    TorchZip file{.object = object, .storages = {{"0", Bytes(bytes)}}};
    auto layout = parsed_torch(file.build());
    EXPECT_TRUE(layout.ok()) << layout.error().message;
    return layout.ok() ? std::move(layout).value() : Layout{};
}

// Storage "0" of 12 floats, once more wherever it is mentioned.
Fragment twelve() {
    return storage("FloatStorage", "0", 12);
}

TEST(PytorchStorages, PathsGoThroughDictsListsAndTuples) {
    const auto object = pickle(
        dict({{str("epoch"), num(3)},
              {str("state_dict"), dict({{str("layer1.0.weight"), list({none(), tuple({floats("0", {3})})})}})},
              {num(-7), floats("1", {1})},
              {none(), floats("2", {1})}}));
    TorchZip file{.object = object, .storages = {{"0", Bytes(12)}, {"1", Bytes(4)}, {"2", Bytes(4)}}};
    const auto layout = parsed_torch(file.build()).value();
    ASSERT_THAT(layout.tensors, SizeIs(3));
    EXPECT_EQ(layout.tensors[0].name, "state_dict.layer1.0.weight.1.0");
    EXPECT_EQ(layout.tensors[1].name, "-7");
    EXPECT_EQ(layout.tensors[2].name, "3");  // a key without a spelling is counted
}

TEST(PytorchStorages, ATensorThatIsAllThatWasSavedIsCalledData) {
    EXPECT_EQ(layout_of(pickle(floats("0", {12})), 48).tensors[0].name, "data");
}

TEST(PytorchStorages, TiedTensorsAreOneWithAliases) {
    const auto one = tensor(twelve(), {.shape = {3, 4}});
    const auto layout = layout_of(
        pickle(dict({{str("decoder.weight"), one}, {str("embedding.weight"), one}, {str("b"), one}})), 48);
    ASSERT_THAT(layout.tensors, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].name, "b");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(3, 4));
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("decoder.weight", "embedding.weight"));
}

TEST(PytorchStorages, AViewThatCoversItsStorageLendsItItsShapeWhateverOthersDo) {
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

// A storage that no view covers in order is one long row.
TEST(PytorchStorages, AStorageSeenOnlyInPartsStridesOrSeveralShapesIsOneRow) {
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

TEST(PytorchStorages, StridesOfDimensionsOfOneDoNotMatter) {
    const auto layout =
        layout_of(pickle(tensor(twelve(), {.shape = {1, 3, 1, 4}, .strides = {99, 4, 77, 1}})), 48);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(1, 3, 1, 4));
}

TEST(PytorchStorages, ScalarsAndEmptyTensorsKeepTheirShapes) {
    EXPECT_THAT(layout_of(pickle(tensor(storage("LongStorage", "0", 1), {})), 8).tensors[0].shape, IsEmpty());
    const auto layout = layout_of(pickle(tensor(storage("LongStorage", "0", 0), {.shape = {0, 7}})), 0);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(0, 7));
    EXPECT_THAT(layout.checksums, IsEmpty());
}

TEST(PytorchStorages, EveryStorageClassIsKnown) {
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

TEST(PytorchStorages, PackedQuantizedStoragesCountTheirElements) {
    // Three rows of four elements of four bits: six bytes, which PyTorch counts as the storage's size.
    const auto layout = layout_of(pickle(tensor(storage("QUInt4x2Storage", "0", 6), {.shape = {3, 4}})), 6);
    EXPECT_EQ(layout.tensors[0].dtype, DType::quint4x2);
    EXPECT_EQ(layout.tensors[0].elements, 12u);
}

TEST(PytorchStorages, UntypedStoragesTakeTheTypeOfTheirViews) {
    const auto layout = layout_of(pickle(tensor_v3("uint16", {2, 3}, 12)), 12);
    EXPECT_EQ(layout.tensors[0].dtype, DType::u16);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(2, 3));
    EXPECT_EQ(layout_of(pickle(tensor_v3("float8_e4m3fn", {12}, 12)), 12).tensors[0].dtype, DType::f8_e4m3fn);
}

TEST(PytorchStorages, UntypedStoragesOfSeveralTypesAreOpaque) {
    const auto layout =
        layout_of(pickle(list({tensor_v3("uint16", {6}, 12), tensor_v3("uint32", {3}, 12)})), 12);
    ASSERT_THAT(layout.tensors, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].dtype, DType::opaque);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
}

TEST(PytorchStorages, AStorageOfTwoClassesIsOpaque) {
    const auto layout = layout_of(pickle(list({tensor(storage("FloatStorage", "0", 3), {.shape = {3}}),
                                               tensor(storage("IntStorage", "0", 3), {.shape = {3}})})),
                                  12);
    EXPECT_EQ(layout.tensors[0].dtype, DType::opaque);
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
}

TEST(PytorchStorages, StoragesSavedAsSuchAreRows) {
    const auto layout = layout_of(pickled_as_x(twelve()), 48);
    EXPECT_EQ(layout.tensors[0].name, "x");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(12));
    EXPECT_EQ(layout_of(pickled_as_x(untyped(12)), 12).tensors[0].dtype, DType::opaque);
}

TEST(PytorchStorages, ATensorLendsItsShapeAndNameToAStorageThatWasSavedBesideIt) {
    const auto layout =
        layout_of(pickle(dict({{str("a"), twelve()}, {str("b"), tensor(twelve(), {.shape = {3, 4}})}})), 48);
    EXPECT_EQ(layout.tensors[0].name, "b");
    EXPECT_THAT(layout.tensors[0].shape, ElementsAre(3, 4));
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("a"));
}

TEST(PytorchStorages, TensorsThatAreKeysAreFound) {
    EXPECT_EQ(layout_of(pickle(dict({{floats("0", {12}), num(1)}})), 48).tensors[0].name, "0");
}

// PyTorch's wrappers around a tensor do not change its path.
TEST(PytorchStorages, WrappersAreSeenThrough) {
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

TEST(PytorchStorages, OrderedDictsOfPython2AreDicts) {
    const auto object =
        call(name("collections", "OrderedDict"), {list({list({str("w"), tensor(twelve(), {.shape = {12}})})})});
    EXPECT_EQ(layout_of(pickle(object), 48).tensors[0].name, "w");
}

TEST(PytorchStorages, ModulesAreCalledAsInTheirStateDict) {
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
TEST(PytorchStorages, OtherAttributesOfAModuleGiveAliases) {
    const auto weight = floats("0", {12});
    const auto model = object(name("net", "Net"), dict({{str("_parameters"), dict({{str("weight"), weight}})},
                                                        {str("_flat_weights"), list({weight})},
                                                        {str("_modules"), dict({})}}));
    const auto layout = layout_of(pickle(model), 48);
    EXPECT_EQ(layout.tensors[0].name, "weight");
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("_flat_weights.0"));
}

TEST(PytorchStorages, PlainDictsKeepKeysThatModulesUseToo) {
    const auto object = pickled_as_x(dict({{str("_parameters"), floats("0", {12})}}));
    EXPECT_EQ(layout_of(object, 48).tensors[0].name, "x._parameters");
}

TEST(PytorchStorages, QuantizersAndSparseTensorsNameTheirParts) {
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
    const auto layout = parsed_torch(file.build()).value();
    std::vector<std::string> names;
    for (const auto& one : layout.tensors) names.push_back(one.name);
    EXPECT_THAT(names, ElementsAre("q", "q.scales", "q.zero_points", "s.indices", "s.values"));
    EXPECT_EQ(layout.tensors[0].dtype, DType::qint8);
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(PytorchStorages, NamesThatCollideAreCounted) {
    TorchZip file{.object = pickle(dict({{str("a.b"), floats("0", {1})},
                                         {str("a"), dict({{str("b"), floats("1", {1})}})},
                                         {str("a.b#2"), floats("2", {1})}})),
                  .storages = {{"0", Bytes(4)}, {"1", Bytes(4)}, {"2", Bytes(4)}}};
    const auto layout = parsed_torch(file.build()).value();
    EXPECT_EQ(layout.tensors[0].name, "a.b");
    EXPECT_EQ(layout.tensors[1].name, "a.b#2");
    EXPECT_EQ(layout.tensors[2].name, "a.b#2#2");
}

TEST(PytorchStorages, NamesThatAreNotUtf8AreEscaped) {
    EXPECT_EQ(layout_of(pickle(dict({{str("w\xff"), floats("0", {12})}})), 48).tensors[0].name, "w\\xff");
}

TEST(PytorchStorages, CyclesEnd) {
    // A list that contains itself and a tensor.
    const auto object =
        "]q\x09h\x09"
        "a" +
        tensor(twelve(), {.shape = {12}}) + "a";
    EXPECT_EQ(layout_of(pickle(object), 48).tensors[0].name, "1");
}

TEST(PytorchStorages, SharedValuesGetAllTheirNames) {
    const auto shared = dict({{str("w"), tensor(twelve(), {.shape = {12}})}}) + "q\x09";
    const auto layout = layout_of(pickle(dict({{str("b"), shared}, {str("a"), "h\x09"}})), 48);
    EXPECT_EQ(layout.tensors[0].name, "a.w");
    EXPECT_THAT(layout.tensors[0].aliases, ElementsAre("b.w"));
}

TEST(PytorchStorages, ValuesSharedTooOftenAreNotAllNamed) {
    // 2^40 paths lead to the one tensor.
    auto object = tensor(twelve(), {.shape = {12}});
    for (int i = 0; i < 40; ++i) object += "q\x09" + Fragment("0") + "h\x09h\x09\x86";
    const auto layout = layout_of(pickle(object), 48);
    EXPECT_THAT(layout.tensors, SizeIs(1));
    EXPECT_THAT(layout.warnings, ElementsAre(HasSubstr("in too many places")));
}

// Each of these would take hours if what is shared were looked through at each of its places.
TEST(PytorchStorages, WideValuesSharedOftenEndSoon) {
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
        const auto layout = parsed_torch(file.build());
        if (layout.ok()) {
            EXPECT_THAT(layout->warnings, testing::Contains(HasSubstr("in too many places")));
        } else {
            EXPECT_THAT(layout.error().message, HasSubstr("items are not (key, value) pairs"));
        }
    }
}

}  // namespace
}  // namespace modelseal::formats
