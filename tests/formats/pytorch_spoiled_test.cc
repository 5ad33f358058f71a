// A good archive of PyTorch with one thing spoiled a row, in the archive or in its pickle.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/registry.h"
#include "tests/support/models/torch_zip.h"

namespace modelseal::formats {
namespace {

using namespace test::pkl;
using test::Bytes;
using test::bytes_of;
using test::good_torch_zip;
using test::parsed_torch;
using test::pickled_as_x;
using test::TorchZip;
using testing::HasSubstr;

struct TorchCase {
    const char* name;
    std::function<void(TorchZip&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const TorchCase& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledPytorchZip : public testing::TestWithParam<TorchCase> {};

TEST_P(SpoiledPytorchZip, IsRefused) {
    auto file = good_torch_zip();
    GetParam().spoil(file);
    const auto layout = parsed_torch(file.build());
    ASSERT_FALSE(layout.ok());
    EXPECT_EQ(layout.error().kind, GetParam().kind) << layout.error().message;
    EXPECT_THAT(layout.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(layout.error().message, testing::StartsWith("m.pt: "));
}

// A row whose data.pkl holds `value` at "x"; storage "0" has 24 bytes, "1" has 16.
TorchCase with_value(const char* row, const Fragment& value, const char* message,
                     ErrorKind kind = ErrorKind::malformed) {
    return {row, [=](TorchZip& file) { file.object = pickled_as_x(value); }, message, kind};
}

TorchCase with_view(const char* row, const View& view, const char* message) {
    return with_value(row, tensor(storage("FloatStorage", "0", 6), view), message);
}

Fragment id_of(const std::vector<Fragment>& parts) {
    return persistent(tuple(parts));
}

constexpr std::int64_t kHugeExtent = std::int64_t{1} << 62;

const TorchCase kTorchCases[] = {
    {"no_folder", [](TorchZip& f) { f.root = ""; },
     "not a PyTorch archive: data.pkl is not in its only top folder"},
    {"folder_in_a_folder", [](TorchZip& f) { f.root = "a/b/"; },
     "not a PyTorch archive: data.pkl is not in its only top folder"},
    {"entry_that_leaves_the_archive", [](TorchZip& f) { f.others.push_back({.name = "../n"}); },
     "leaves the archive"},
    {"storage_missing", [](TorchZip& f) { f.storages.pop_back(); },
     "tensor 'b': its storage data/1 is missing"},
    {"storage_too_short", [](TorchZip& f) { f.storages[0].second.pop_back(); },
     "tensor 'w': needs a storage of 24 bytes, entry 'm/data/0' has 23"},
    {"storage_too_long", [](TorchZip& f) { f.storages[0].second.emplace_back(); },
     "needs a storage of 24 bytes, entry 'm/data/0' has 25"},
    {"names_differ_in_case", [](TorchZip& f) { f.others.push_back({.name = "DATA.pkl"}); },
     "differ only in case"},
    {"storages_differ_in_case", [](TorchZip& f) { f.others.push_back({.name = "Data/0"}); },
     "differ only in case"},
    {"big_endian", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = bytes_of("big")}); },
     "its tensors are big-endian", ErrorKind::unsupported},
    {"middle_endian", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = bytes_of("mixed")}); },
     "unknown byte order 'mixed'"},
    {"endless_byte_order", [](TorchZip& f) { f.others.push_back({.name = "byteorder", .data = Bytes(65)}); },
     "exceeds the limit of 64"},
    {"pickle_cut", [](TorchZip& f) { f.object.pop_back(); }, "data.pkl: the file ends early"},
    {"pickle_empty", [](TorchZip& f) { f.object.clear(); }, "data.pkl: the file ends early"},
    {"two_pickles", [](TorchZip& f) { f.object += pickle(none()); },
     "data.pkl: pickle: 4 unexplained bytes after its end"},
    {"constants_cut",
     [](TorchZip& f) { f.others.push_back({.name = "constants.pkl", .data = bytes_of("\x80\x02(")}); },
     "constants.pkl: the file ends early"},
    {"key_twice",
     [](TorchZip& f) {
         f.object = pickle(dict({{str("w"), floats("0", {6})}, {str("w"), floats("1", {4})}}));
     },
     "the key 'w' appears twice"},
    {"number_twice",
     [](TorchZip& f) {
         f.object = pickle(dict({{num(1), floats("0", {6})}, {num(1), floats("1", {4})}}));
     },
     "the key 1 appears twice"},
    {"key_twice_as_python_2_wrote_it",
     [](TorchZip& f) {
         const auto pair = list({str("w"), none()});
         f.object = pickle(call(name("collections", "OrderedDict"), {list({pair, pair})}));
     },
     "the key 'w' appears twice"},
    {"attribute_twice",
     [](TorchZip& f) {
         f.object = pickle(object(name("a", "B"), dict({{str("w"), none()}, {str("w"), none()}})));
     },
     "the key 'w' appears twice"},
    {"too_deep", [](TorchZip& f) { f.object = "\x80\x02" + Fragment(300, ']') + Fragment(299, 'a') + "."; },
     "nested more than"},
    with_value("unknown_class", tensor(storage("TritStorage", "0", 6), {.shape = {6}}),
               "unknown storage class 'torch.TritStorage'", ErrorKind::unsupported),
    with_value("class_of_another_module",
               tensor(id_of({str("storage"), name("os", "FloatStorage"), str("0"), str("cpu"), num(6)}),
                      {.shape = {6}}),
               "unknown storage class 'os.FloatStorage'", ErrorKind::unsupported),
    with_value("class_that_is_text", id_of({str("storage"), str("FloatStorage"), str("0"), str("cpu"), num(6)}),
               "'x': a storage is not"),
    with_value("id_too_short", id_of({str("storage"), name("torch", "FloatStorage")}), "'x': a storage is not"),
    with_value("key_that_is_a_number",
               id_of({str("storage"), name("torch", "FloatStorage"), num(0), str("cpu"), num(6)}),
               "'x': a storage is not"),
    with_value("size_negative", tensor(storage("FloatStorage", "0", -1), {.shape = {6}}),
               "the size of a storage is not a whole number"),
    with_value("size_overflows", tensor(storage("FloatStorage", "0", kHugeExtent), {.shape = {6}}),
               "the size of storage '0' exceeds 64 bits"),
    with_value("size_that_is_another_elsewhere", list({floats("0", {6}), floats("0", {3})}),
               "storage '0' has 12 bytes here, but 24 in another place"),
    with_view("offset_negative", {.offset = -1, .shape = {2}}, "the offset is not a whole number"),
    with_view("extent_negative", {.shape = {-2}}, "the shape is not a whole number"),
    with_view("stride_negative", {.shape = {2}, .strides = {-1}}, "the strides is not a whole number"),
    with_view("too_few_strides", {.shape = {2, 3}, .strides = {1}},
              "the number of strides is not the number of dimensions"),
    with_view("shape_too_large", {.shape = {7}}, "'x': exceeds its storage of 24 bytes"),
    with_view("offset_too_large", {.offset = 1, .shape = {6}}, "exceeds its storage of"),
    with_view("stride_too_large", {.shape = {2, 2}, .strides = {5, 1}}, "exceeds its storage of"),
    with_view("offset_overflows", {.offset = kHugeExtent, .shape = {6}}, "exceeds its storage of"),
    with_view("shape_overflows", {.shape = {kHugeExtent, kHugeExtent}, .strides = {0, 0}},
              "the number of elements exceeds 64 bits"),
    with_view("strides_overflow", {.shape = {2, 2}, .strides = {kHugeExtent * 1, kHugeExtent}},
              "exceeds its storage of"),
    with_view("too_many_dimensions", {.shape = std::vector<std::int64_t>(65, 1)}, "its rank of 65"),
    with_value("shape_that_is_a_number",
               call(name("torch._utils", "_rebuild_tensor_v2"),
                    {storage("FloatStorage", "0", 6), num(0), num(6), numbers({1}), truth(false), none()}),
               "the shape is not a tuple"),
    with_value("unknown_type", tensor_v3("trit", {6}, 24), "unknown type 'torch.trit'"),
    with_value("ordered_dict_of_triples",
               call(name("collections", "OrderedDict"), {list({tuple({none(), none(), none()})})}),
               "items are not (key, value) pairs"),
    with_value(
        "part_of_a_storage_without_a_size",
        id_of({str("storage"), name("torch", "FloatStorage"), str("0"), str("cpu"), num(6), tuple({num(1)})}),
        "not described by key, offset and size"),
    with_value("part_that_leaves_its_storage",
               id_of({str("storage"), name("torch", "FloatStorage"), str("0"), str("cpu"), num(6),
                      tuple({str("v"), num(4), num(3)})}),
               "exceeds its storage of"),
    with_value("name_too_long", dict({{str(std::string(70'000, 'n')), floats("0", {6})}}),
               "a name has more than 65,536 bytes"),
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledPytorchZip, testing::ValuesIn(kTorchCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace modelseal::formats
