#include "formats/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A file with this dictionary, padded as NumPy does it, and these bytes of elements.
std::string npy(const std::string& dictionary, const std::string& elements, int version = 1) {
    std::string text = dictionary + "\n";
    std::string out = "\x93NUMPY";
    out += {static_cast<char>(version), '\0'};
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out.push_back(static_cast<char>(text.size() >> (8 * i)));
    return out + text + elements;
}

constexpr const char* kFloats = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
const std::string kTwo("\0\0\x80\x3f\0\0\0\xc0", 8);  // 1, -2

struct Read {
    Result<NpyArray> array;
    std::vector<double> floats;
    std::vector<std::int64_t> integers;
};

Read read(const std::string& bytes) {
    const MemorySource source("a.npy", std::as_bytes(std::span(bytes)));
    Read out{.array = parse_npy(source)};
    if (!out.array.ok()) return out;
    out.array->kind == NpyArray::Kind::floating ? void(out.floats = *read_npy_floats(source, *out.array))
                                                : void(out.integers = *read_npy_integers(source, *out.array));
    return out;
}

TEST(Npy, ReadsEveryVersionAndSpelling) {
    for (const int version : {1, 2, 3})
        EXPECT_THAT(read(npy(kFloats, kTwo, version)).floats, ElementsAre(1, -2));
    EXPECT_THAT(read(npy(R"({"shape":(2,),"descr":"<f4","fortran_order":False})", kTwo)).floats,
                ElementsAre(1, -2));
    EXPECT_THAT(read(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", kTwo)).floats,
                ElementsAre(1, -2));
}

TEST(Npy, ReadsBothByteOrdersAndBothSizes) {
    const auto of = [](const std::string& type, const std::string& elements) {
        return read(npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,), }", elements));
    };
    EXPECT_THAT(of(">f4", std::string("\xc0\0\0\0", 4)).floats, ElementsAre(-2));
    EXPECT_THAT(of("<f8", std::string("\0\0\0\0\0\0\0\xc0", 8)).floats, ElementsAre(-2));
    EXPECT_THAT(of(">f8", std::string("\xc0\0\0\0\0\0\0\0", 8)).floats, ElementsAre(-2));
    EXPECT_THAT(of("<i4", "\xfe\xff\xff\xff").integers, ElementsAre(-2));
    EXPECT_THAT(of(">i8", "\xff\xff\xff\xff\xff\xff\xff\xfe").integers, ElementsAre(-2));
}

TEST(Npy, RoundTrips) {
    for (const auto& shape : std::vector<std::vector<std::uint64_t>>{{2}, {1, 2}, {2, 1, 1, 1}}) {
        const auto file = npy_header(shape) + kTwo;
        EXPECT_EQ(npy_header(shape).size() % 64, 0u);
        const auto back = read(file);
        ASSERT_TRUE(back.array.ok()) << back.array.error().message;
        EXPECT_EQ(back.array->shape, shape);
        EXPECT_THAT(back.floats, ElementsAre(1, -2));
    }
}

struct NpyCase {
    const char* name;
    std::string bytes;
    const char* message;
};

class SpoiledNpy : public testing::TestWithParam<NpyCase> {};

TEST_P(SpoiledNpy, IsRefused) {
    const auto refused = read(GetParam().bytes);
    ASSERT_FALSE(refused.array.ok());
    EXPECT_THAT(refused.array.error().message, HasSubstr(GetParam().message));
}

std::string with(const std::string& from, const std::string& to) {
    std::string dictionary = kFloats;
    return npy(dictionary.replace(dictionary.find(from), from.size(), to), kTwo);
}

INSTANTIATE_TEST_SUITE_P(
    Each, SpoiledNpy,
    testing::Values(NpyCase{"Empty", "", "magic"},
                    NpyCase{"Magic", "\x93NUMPX" + npy(kFloats, kTwo).substr(6), "NumPy"},
                    NpyCase{"Version", npy(kFloats, kTwo, 4), "version 4.0"},
                    NpyCase{"Cut", npy(kFloats, kTwo).substr(0, 30), "header"},
                    NpyCase{"TooFew", npy(kFloats, kTwo.substr(1)), "need 8 bytes, the file has 7"},
                    NpyCase{"TooMany", npy(kFloats, kTwo + "x"), "need 8 bytes, the file has 9"},
                    NpyCase{"Half", with("<f4", "<f2"), "type '<f2'"},
                    NpyCase{"Object", with("<f4", "|O"), "type '|O'"},
                    NpyCase{"Structured", with("'<f4'", "[('a', '<f4')]"), "invalid header"},
                    NpyCase{"Fortran", with("False", "True"), "Fortran order"},
                    NpyCase{"KeyTwice", with("}", "'descr': '<f4'}"), "invalid header"},
                    NpyCase{"KeyMissing", with("'fortran_order': False, ", ""), "invalid header"},
                    NpyCase{"KeyUnknown", with("}", "'a': 'b'}"), "invalid header"},
                    NpyCase{"Code", with("(2, 1)", "__import__('os')"), "invalid header"},
                    NpyCase{"NegativeExtent", with("(2, 1)", "(-2, 1)"), "invalid header"},
                    NpyCase{"NoTuple", with("(2, 1)", "(2)"), "invalid header"},
                    NpyCase{"Overflow", with("(2, 1)", "(4294967296, 4294967296)"), "more than"},
                    NpyCase{"HugeExtent", with("(2, 1)", "(99999999999999999999, 1)"), "invalid header"},
                    NpyCase{"TooManyElements", with("(2, 1)", "(1000000000, 1)"), "more than"},
                    NpyCase{"Behind", with("}", "} x"), "invalid header"}),
    [](const auto& each) { return each.param.name; });

TEST(Npy, IsCompatibleWithNumpy) {
    if (test::run({"python3", "-c", "import numpy"}).code != 0) GTEST_SKIP() << "no numpy";
    const test::Scratch folder;
    folder.write("ours.npy", npy_header({2, 1}) + kTwo);
    const auto outcome =
        test::run({"python3", "-c",
                   "import numpy as n; a = n.load('ours.npy'); print(a.tolist()); n.save('theirs.npy', a)"},
                  {.folder = folder.path()});
    EXPECT_EQ(outcome.out, "[[1.0], [-2.0]]\n") << outcome.err;
    EXPECT_THAT(read(test::content_of(folder / "theirs.npy")).floats, ElementsAre(1, -2));
}

}  // namespace
}  // namespace modelseal::formats
