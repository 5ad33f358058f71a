#include "formats/pytorch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/pickle_text.h"

namespace modelseal::formats::pytorch {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = PickleKind;

Result<Pickle> walked(const std::string& text, const PickleLimits& limits = {}) {
    const MemorySource source("m.pkl", std::as_bytes(std::span(text)));
    Reader reader(source);
    return Pickle::walk(reader, limits);
}

// A pickle as one line: each case of the table below is a pickle and its text.
std::string told(const Pickle& pickle, PickleRef ref);

std::string told(const Pickle& pickle, std::span<const PickleRef> refs) {
    std::string out;
    for (const auto ref : refs) out += (out.empty() ? "" : ",") + told(pickle, ref);
    return out;
}

std::string told(const Pickle& pickle, PickleRef ref) {
    switch (pickle.kind(ref)) {
        case Kind::none:
            return "None";
        case Kind::boolean:
            return pickle.integer(ref) != 0 ? "True" : "False";
        case Kind::integer:
            return std::to_string(pickle.integer(ref));
        case Kind::big_integer:
            return "big" + std::to_string(pickle.text(ref).size());
        case Kind::real:
            return "real";
        case Kind::text:
            return "'" + std::string(pickle.text(ref)) + "'";
        case Kind::bytes:
            return "b'" + std::string(pickle.text(ref)) + "'";
        case Kind::tuple:
            return "(" + told(pickle, pickle.items(ref)) + ")";
        case Kind::list:
            return "[" + told(pickle, pickle.items(ref)) + "]";
        case Kind::set:
            return "set[" + told(pickle, pickle.items(ref)) + "]";
        case Kind::dict:
            return "{" + told(pickle, pickle.pairs(ref)) + "}";
        case Kind::global:
            return "<" + std::string(pickle.text(ref)) + ">";
        case Kind::persistent:
            return "id" + told(pickle, pickle.id(ref));
        case Kind::object: {
            auto out = told(pickle, pickle.callable(ref)) + told(pickle, pickle.arguments(ref));
            if (!pickle.items(ref).empty()) out += "+[" + told(pickle, pickle.items(ref)) + "]";
            if (!pickle.pairs(ref).empty()) out += "+{" + told(pickle, pickle.pairs(ref)) + "}";
            if (!pickle.states(ref).empty()) out += "=" + told(pickle, pickle.states(ref));
            return out;
        }
    }
    return "?";
}

struct Reading {
    const char* name;
    std::string pickle;
    std::string meaning;
};

void PrintTo(const Reading& row, std::ostream* out) {
    *out << row.name;
}

class PickleOpcode : public testing::TestWithParam<Reading> {};

TEST_P(PickleOpcode, HasTheMeaningOfPython) {
    const auto pickle = walked(GetParam().pickle);
    ASSERT_TRUE(pickle.ok()) << pickle.error().message;
    EXPECT_EQ(told(*pickle, pickle->root()), GetParam().meaning);
}

const Reading kReadings[] = {
    {"none", "N.", "None"},
    {"newtrue", "\x88.", "True"},
    {"newfalse", "\x89.", "False"},
    {"int", "I-12\n.", "-12"},
    {"int_true", "I01\n.", "True"},
    {"int_false", "I00\n.", "False"},
    {"int_too_large", "I123456789012345678901\n.", "big0"},
    {"long", "L7L\n.", "7"},
    {"long_too_large", "L119547037146038801333356L\n.", "big0"},
    {"binint", "J\xfe\xff\xff\xff.", "-2"},
    {"binint1", "K\xff.", "255"},
    {"binint2", "M\x01\x02.", "513"},
    {"long1_of_no_bytes", "\x8a\0."s, "0"},
    {"long1_negative", "\x8a\x01\xff.", "-1"},
    {"long1_of_eight_bytes", "\x8a\x08\0\0\0\0\0\0\0\x80."s, "-9223372036854775808"},
    {"long1_of_nine_bytes", "\x8a\x09\0\0\0\0\0\0\0\0\x01."s, "big9"},
    {"long4", "\x8b\x02\0\0\0\0\x80."s, "-32768"},
    {"float", "F1.5\n.", "real"},
    {"binfloat", "G\0\0\0\0\0\0\0\0."s, "real"},
    {"string", "S'a\\n\\x41\\\\'\n.", "'a\nA\\'"},
    {"binstring", "T\x02\0\0\0ab."s, "'ab'"},
    {"short_binstring",
     "U\x02"
     "ab.",
     "'ab'"},
    {"unicode", "Va\\u00e9\\U0001F600\xe9\n.", "'a\u00e9\U0001F600\u00e9'"},
    {"binunicode", "X\x02\0\0\0ab."s, "'ab'"},
    {"short_binunicode",
     "\x8c\x02"
     "ab.",
     "'ab'"},
    {"binunicode8", "\x8d\x02\0\0\0\0\0\0\0ab."s, "'ab'"},
    {"binbytes", "B\x02\0\0\0ab."s, "b'ab'"},
    {"short_binbytes",
     "C\x02"
     "ab.",
     "b'ab'"},
    {"binbytes8", "\x8e\x02\0\0\0\0\0\0\0ab."s, "b'ab'"},
    {"bytearray8", "\x96\x02\0\0\0\0\0\0\0ab."s, "b'ab'"},
    {"empty_tuple", ").", "()"},
    {"tuple1", "K\x01\x85.", "(1)"},
    {"tuple2", "K\x01K\x02\x86.", "(1,2)"},
    {"tuple3", "K\x01K\x02K\x03\x87.", "(1,2,3)"},
    {"tuple", "(K\x01K\x02K\x03K\x04t.", "(1,2,3,4)"},
    {"empty_list", "].", "[]"},
    {"list", "(K\x01K\x02l.", "[1,2]"},
    {"append",
     "]K\x01"
     "a.",
     "[1]"},
    {"appends",
     "](K\x01K\x02"
     "e.",
     "[1,2]"},
    {"empty_dict", "}.", "{}"},
    {"dict",
     "(K\x01K\x02"
     "d.",
     "{1,2}"},
    {"setitem", "}K\x01K\x02s.", "{1,2}"},
    {"setitems", "}(K\x01K\x02K\x03K\x04u.", "{1,2,3,4}"},
    {"empty_set_and_additems", "\x8f(K\x01K\x02\x90.", "set[1,2]"},
    {"frozenset", "(K\x01\x91.", "set[1]"},
    {"pop",
     "K\x01K\x02"
     "0.",
     "1"},
    {"pop_of_a_mark", "K\x01(0.", "1"},
    {"pop_mark",
     "K\x01(K\x02K\x03"
     "1.",
     "1"},
    {"dup",
     "K\x01"
     "2\x86.",
     "(1,1)"},
    {"global", "cos\nsystem\n.", "<os.system>"},
    {"stack_global", "\x8c\x02os\x8c\x06system\x93.", "<os.system>"},
    {"ext1", "\x82\x05.", "<copyreg.extension 5>"},
    {"ext2", "\x83\x05\x01.", "<copyreg.extension 261>"},
    {"ext4", "\x84\x05\0\x01\0."s, "<copyreg.extension 65541>"},
    {"reduce", "cos\nsystem\nK\x01\x85R.", "<os.system>(1)"},
    {"call_of_a_result", "cos\nf\n)R)R.", "<os.f>()()"},
    {"newobj", "cos\nsystem\nK\x01\x85\x81.", "<os.system>(1)"},
    {"newobj_ex", "cos\nsystem\n)}K\x01K\x02s\x92.", "<os.system>()+{1,2}"},
    {"obj", "(cos\nsystem\nK\x01o.", "<os.system>(1)"},
    {"inst", "(K\x01ios\nsystem\n.", "<os.system>(1)"},
    {"items_of_an_object",
     "ccollections\ndeque\n)R(K\x01"
     "e.",
     "<collections.deque>()+[1]"},
    {"pairs_of_an_object", "ccollections\nOrderedDict\n)RK\x01K\x02s.", "<collections.OrderedDict>()+{1,2}"},
    {"build",
     "ca\nb\n)\x81K\x01"
     "b.",
     "<a.b>()=1"},
    {"build_twice",
     "ca\nb\n)\x81K\x01"
     "bK\x02"
     "b.",
     "<a.b>()=1,2"},
    {"persid", "Pabc\n.", "id'abc'"},
    {"binpersid", "K\x01Q.", "id1"},
    {"put_and_get", "K\x07p5\n0g5\n.", "7"},
    {"binput_and_binget",
     "K\x07q\x05"
     "0h\x05.",
     "7"},
    {"long_binput_and_long_binget",
     "K\x07r\0\0\x01\0"
     "0j\0\0\x01\0."s,
     "7"},
    {"memoize", "K\x07\x94K\x08\x94h\0h\x01\x86."s, "(7,8)"},
    {"memo_overwritten", "K\x07q\0K\x08q\0h\0."s, "8"},
    {"list_that_grows_after_it_was_shared",
     "]q\0h\0\x86h\0K\x01"
     "a0."s,
     "([1],[1])"},
    {"proto", "\x80\x05N.", "None"},
    {"frame", "\x95\x02\0\0\0\0\0\0\0N."s, "None"},
    {"left_on_the_stack", "K\x01K\x02.", "2"},
};

INSTANTIATE_TEST_SUITE_P(Table, PickleOpcode, testing::ValuesIn(kReadings),
                         [](const auto& row) { return std::string(row.param.name); });

struct Broken {
    const char* name;
    std::string pickle;
    const char* message;
};

void PrintTo(const Broken& row, std::ostream* out) {
    *out << row.name;
}

class BrokenPickle : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPickle, IsRefused) {
    const auto pickle = walked(GetParam().pickle);
    ASSERT_FALSE(pickle.ok());
    EXPECT_THAT(pickle.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(pickle.error().message, testing::StartsWith("m.pkl: "));
}

const Broken kBroken[] = {
    {"empty", "", "the file ends early"},
    {"without_stop", "N", "the file ends early"},
    {"unknown_opcode", "\xff.", "unknown opcode 0xff"},
    {"protocol_6", "\x80\x06N.", "protocol 6"},
    {"stop_on_nothing", ".", "pickle: the stack is empty"},
    {"stop_on_a_mark", "(.", "pickle: the stack is empty"},
    {"pop_of_nothing", "0.", "pickle: the stack is empty"},
    {"below_a_mark", "K\x01(\x85.", "pickle: the stack is empty"},
    {"tuple_without_mark", "K\x01t.", "no mark"},
    {"text_longer_than_the_file",
     "X\xff\xff\xff\x7f"
     "ab.",
     "are missing (pickle: a text of 2,147,483,647 bytes at offset"},
    {"text_of_2_to_the_64", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
     "a text of 18,446,744,073,709,551,615 bytes"},
    {"long_longer_than_the_file", "\x8b\xff\xff\xff\x7f.", "a text of 2,147,483,647 bytes"},
    {"frame_longer_than_the_file", "\x95\x63\0\0\0\0\0\0\0N."s, "pickle: a frame ends early"},
    {"number_that_is_none", "I1x\n.", "pickle: invalid number"},
    {"line_without_end", "I1234", "the file ends early"},
    {"string_without_quotes", "Sabc\n.", "pickle: a text has no quotes"},
    {"string_with_a_broken_escape", "S'\\xg0'\n.", "pickle: invalid escape in a text"},
    {"string_that_ends_in_an_escape", "S'\\'\n.", "pickle: invalid escape in a text"},
    {"unicode_with_a_broken_escape", "V\\u12\n.", "pickle: invalid escape in a text"},
    {"unicode_out_of_range", "V\\UFFFFFFFF\n.", "pickle: invalid escape in a text"},
    {"memo_never_made", "h\x05.", "pickle: memo index 5"},
    {"memo_place_that_is_none", "gx\n.", "pickle: invalid memo index"},
    {"memo_place_too_high", "Np4294967296\n.", "pickle: memo index too large"},
    {"memo_of_nothing", "q\0."s, "pickle: the stack is empty"},
    {"odd_dict",
     "(K\x01"
     "d.",
     "pickle: a key of a dict has no value"},
    {"odd_setitems", "}(K\x01u.", "sets a key without a value"},
    {"append_to_a_tuple",
     ")K\x01"
     "a.",
     "appends to a tuple"},
    {"append_to_a_dict",
     "}K\x01"
     "a.",
     "appends to a dict"},
    {"setitem_of_a_list", "]K\x01K\x02s.", "sets items of a list"},
    {"state_for_a_number",
     "K\x01K\x02"
     "b.",
     "pickle: sets a state of a number"},
    {"call_of_a_text", "U\x01x)R.", "calls a text"},
    {"call_with_a_list", "cos\nsystem\n]R.", "calls with a list"},
    {"name_that_is_a_number", "K\x01U\x01x\x93.", "pickle: a name is not a text"},
    {"module_that_is_a_list", "]U\x01x\x93.", "pickle: a name is not a text"},
    {"instance_of_nothing", "(o.", "pickle: an instance has no class"},
    {"keywords_that_are_a_list", "ca\nb\n)]\x92.", "pickle: the keyword arguments are not a dict"},
    {"next_buffer", "\x97.", "outside the pickle"},
    {"readonly_buffer", "N\x98.", "outside the pickle"},
};

INSTANTIATE_TEST_SUITE_P(Table, BrokenPickle, testing::ValuesIn(kBroken),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Pickle, CallsAreListedOnceWithTheirNames) {
    const auto pickle = walked("cos\nsystem\nU\x01x\x85Rcos\nsystem\n)Rcsys\nmodules\nK\x01K\x02sca\nb\n0.");
    ASSERT_TRUE(pickle.ok()) << pickle.error().message;
    ASSERT_THAT(pickle->globals(), SizeIs(3));
    EXPECT_EQ(pickle->globals()[0].name, "os.system");
    EXPECT_TRUE(pickle->globals()[0].called);
    EXPECT_EQ(pickle->globals()[1].name, "sys.modules");
    EXPECT_TRUE(pickle->globals()[1].changed);
    EXPECT_FALSE(pickle->globals()[2].called || pickle->globals()[2].changed);
}

TEST(Pickle, TheReaderIsAfterTheStop) {
    const std::string text = "N.K\x01.";
    const MemorySource source("m.pkl", std::as_bytes(std::span(text)));
    Reader reader(source);
    ASSERT_TRUE(Pickle::walk(reader).ok());
    EXPECT_EQ(reader.position(), 2u);
    const auto second = Pickle::walk(reader).value();
    EXPECT_EQ(second.integer(second.root()), 1);
    EXPECT_EQ(reader.left(), 0u);
}

TEST(Pickle, MayContainItself) {
    const auto pickle = walked("]q\0h\0a."s).value();
    EXPECT_THAT(pickle.items(pickle.root()), ElementsAre(pickle.root()));
}

TEST(Pickle, EveryTruncationIsRefused) {
    using namespace test::pkl;
    const auto whole = pickle(dict({{str("w"), floats("0", {2, 300})}}));
    ASSERT_TRUE(walked(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = walked(whole.substr(0, size));
        ASSERT_FALSE(cut.ok()) << size;
        EXPECT_EQ(cut.error().kind, ErrorKind::malformed) << size;
    }
}

// Short programs that would build much: each is stopped at its limit.
TEST(PickleLimits, RefuseAPickleThatCostsTooMuch) {
    const PickleLimits limits{.memory_bytes = 1u << 20, .steps = 100'000};
    const auto repeated = [](const std::string& part, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += part;
        return out + ".";
    };
    for (const std::string part : {"N", "]", ")", "(", "N0", "NN0", "(1", "N2", "]N0"}) {
        EXPECT_FALSE(walked(repeated(part, 200'000), limits).ok()) << part;
    }
    // A text that is there, and longer than the limit allows.
    const auto text = "X\0\0\x20\0"s + std::string(2u << 20, 'x') + ".";
    EXPECT_THAT(walked(text, limits).error().message, HasSubstr("needs more than 1,048,576 bytes of memory"));
    // Doubled at each step: 2^20 items after 20 lines.
    std::string doubled = "(N";
    for (int i = 0; i < 30; ++i) doubled += "tq\0(h\0h\0"s;
    EXPECT_TRUE(walked(doubled + "t.", limits).ok());
}

}  // namespace
}  // namespace modelseal::formats::pytorch
