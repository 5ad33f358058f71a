// PKCS#11 URIs: what RFC 7512 allows is read, and nothing else, without telling a PIN.
#include "crypto/token/pkcs11_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Pkcs11Uri, ParsesEveryAttribute) {
    const auto uri = parse_pkcs11_uri(
        "pkcs11:token=a;manufacturer=b;model=c;serial=d;object=e;id=%00%ff1;type=private;slot-id=7;"
        "slot-manufacturer=f;slot-description=g;library-manufacturer=h;library-description=i"
        "?module-path=/usr/lib/x.so&pin-value=1234");
    ASSERT_TRUE(uri.ok()) << uri.error().message;
    EXPECT_EQ(uri->token, "a");
    EXPECT_EQ(uri->manufacturer, "b");
    EXPECT_EQ(uri->model, "c");
    EXPECT_EQ(uri->serial, "d");
    EXPECT_EQ(uri->object, "e");
    EXPECT_EQ(uri->id, std::string("\0\xff"
                                   "1",
                                   3));
    EXPECT_EQ(uri->type, "private");
    EXPECT_EQ(uri->slot_id, 7u);
    EXPECT_EQ(uri->slot_manufacturer, "f");
    EXPECT_EQ(uri->slot_description, "g");
    EXPECT_EQ(uri->library_manufacturer, "h");
    EXPECT_EQ(uri->library_description, "i");
    EXPECT_EQ(uri->module_path, "/usr/lib/x.so");
    EXPECT_EQ(uri->pin_value, "1234");
    EXPECT_EQ(uri->pin_source, std::nullopt);
}

TEST(Pkcs11Uri, MatchesAnythingThatItDoesNotName) {
    const auto uri = parse_pkcs11_uri("pkcs11:");
    ASSERT_TRUE(uri.ok()) << uri.error().message;
    for (const auto& field : {uri->token, uri->object, uri->id, uri->pin_value}) EXPECT_EQ(field, std::nullopt);
    EXPECT_EQ(parse_pkcs11_uri("pkcs11:token=")->token, "");
}

TEST(Pkcs11Uri, DecodesPercentSigns) {
    const auto uri = parse_pkcs11_uri("PKCS11:token=My%20Token%3b%2F1;object=a&b=c?pin-source=file:/a/b%3f");
    ASSERT_TRUE(uri.ok()) << uri.error().message;
    EXPECT_EQ(uri->token, "My Token;/1");
    EXPECT_EQ(uri->object, "a&b=c");
    EXPECT_EQ(uri->pin_source, "file:/a/b?");
    EXPECT_EQ(parse_pkcs11_uri("pkcs11:token=%E6%9D%B1%E4%BA%AC")->token, "東京");
}

TEST(Pkcs11Uri, IsNotTakenForAFile) {
    EXPECT_TRUE(is_pkcs11_uri("pkcs11:"));
    EXPECT_TRUE(is_pkcs11_uri("PKCS11:token=a"));
    for (const char* text : {"", "pkcs11", "./pkcs11:", "vendor.key", "pkcs12:"})
        EXPECT_FALSE(is_pkcs11_uri(text));
}

TEST(Pkcs11Uri, IsShownWithoutItsPin) {
    const auto shown = [](const char* text) { return parse_pkcs11_uri(text)->shown(); };
    EXPECT_EQ(shown("pkcs11:token=a;object=b?pin-value=1234"), "token 'a', object 'b'");
    EXPECT_EQ(shown("pkcs11:serial=77;id=%01%fe"), "token with serial '77', object of id 01fe");
    EXPECT_EQ(shown("pkcs11:token=%1b%5B"), "token '\\x1b['");
    EXPECT_EQ(shown("pkcs11:"), "token");
}

struct Row {
    const char* name;
    std::string text;
    const char* says;
};

class SpoiledUri : public testing::TestWithParam<Row> {};

TEST_P(SpoiledUri, IsRefusedWithoutShowingAPin) {
    const auto uri = parse_pkcs11_uri(GetParam().text);
    ASSERT_FALSE(uri.ok());
    EXPECT_EQ(uri.error().kind, ErrorKind::usage);
    EXPECT_THAT(uri.error().message, HasSubstr(GetParam().says));
    EXPECT_THAT(uri.error().message + uri.error().hint, Not(HasSubstr("8642")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiledUri,
    testing::Values(
        Row{"NoScheme", "token=a", "does not begin with 'pkcs11:'"},
        Row{"OtherScheme", "pkcs12:token=a", "does not begin"},
        Row{"NoEquals", "pkcs11:token=a;object", "attribute 2: has no '='"},
        Row{"PinWithoutName", "pkcs11:token=a?8642", "attribute 1 after the '?': has no '='"},
        Row{"PinCutByAmpersand", "pkcs11:?pin-value=1&8642", "attribute 2 after the '?': has no '='"},
        Row{"Empty", "pkcs11:token=a;;object=b", "attribute 2: has no '='"},
        Row{"TrailingSemicolon", "pkcs11:token=a;", "ends with a separator"},
        Row{"TrailingAmpersand", "pkcs11:?pin-value=8642&", "ends with a separator"},
        Row{"Unknown", "pkcs11:tokne=a", "unknown attribute 'tokne'"},
        Row{"UnknownInUpperCase", "pkcs11:Token=a", "unknown attribute 'Token'"},
        Row{"UnknownWithControl", "pkcs11:to\x1bken=a", "unknown attribute 'to\\x1bken'"},
        Row{"UnknownBehindQuestion", "pkcs11:?pin-vaule=8642", "unknown attribute 'pin-vaule'"},
        Row{"VendorAttribute", "pkcs11:x-more=a", "unknown attribute 'x-more'"},
        Row{"LibraryVersion", "pkcs11:library-version=2", "unknown attribute 'library-version'"},
        Row{"Twice", "pkcs11:token=a;token=a", "token: is given twice"},
        Row{"PinTwice", "pkcs11:?pin-value=8642&pin-value=8642", "pin-value: is given twice"},
        Row{"SlotTwice", "pkcs11:slot-id=1;slot-id=1", "slot-id: is given twice"},
        Row{"PinInPath", "pkcs11:token=a;pin-value=8642", "pin-value: is after the '?'"},
        Row{"ModuleInPath", "pkcs11:module-path=a", "module-path: is after the '?'"},
        Row{"TokenInQuery", "pkcs11:?token=a", "token: is before the '?'"},
        Row{"SlotInQuery", "pkcs11:?slot-id=1", "unknown attribute 'slot-id'"},
        Row{"PercentAtEnd", "pkcs11:token=a%", "token: has a '%' that two"},
        Row{"PercentCut", "pkcs11:token=a%4", "token: has a '%' that two"},
        Row{"PercentNotHex", "pkcs11:token=a%4g", "token: has a '%' that two"},
        Row{"PercentSign", "pkcs11:token=a%+1", "token: has a '%' that two"},
        Row{"PinNotHex", "pkcs11:?pin-value=8642%zz", "pin-value: has a '%' that two"},
        Row{"Space", "pkcs11:token=My Token", "token: contains a character that must be percent-encoded"},
        Row{"SlashInPath", "pkcs11:token=a/b", "token: contains a character that must be"},
        Row{"QuestionTwice", "pkcs11:token=a?pin-value=8642#", "pin-value: contains a character that must be"},
        Row{"NotAscii", "pkcs11:token=\xc3\xa9", "token: contains a character that must be"},
        Row{"BrokenUtf8", "pkcs11:token=%ff", "token: is not UTF-8"},
        Row{"ZeroByte", "pkcs11:token=a%00b", "token: is not UTF-8 text"},
        Row{"ZeroByteInPin", "pkcs11:?pin-value=8642%00", "pin-value: is not UTF-8 text"},
        Row{"SlotNotNumber", "pkcs11:slot-id=a", "slot-id: is not a number"},
        Row{"SlotEmpty", "pkcs11:slot-id=", "slot-id: is not a number"},
        Row{"SlotNegative", "pkcs11:slot-id=-1", "slot-id: is not a number"},
        Row{"SlotTooLarge", "pkcs11:slot-id=18446744073709551616", "slot-id: is not a number"},
        Row{"TwoPins", "pkcs11:?pin-value=8642&pin-source=f", "both pin-value and pin-source"},
        Row{"TwoModules", "pkcs11:?module-path=a&module-name=b", "both module-path and module-name"},
        Row{"ModuleNameIsPath", "pkcs11:?module-name=../a", "module-name: has a '/'"},
        Row{"EmptyModule", "pkcs11:?module-path=", "an empty attribute"},
        Row{"PinFromProgram", "pkcs11:?pin-source=|cat%20pin", "pin-source: programs are not run to get a PIN"},
        Row{"OtherType", "pkcs11:type=secret-key", "type: neither 'private' nor"},
        Row{"TooLong", "pkcs11:token=" + std::string(9000, 'a'), "longer than 8192"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace modelseal::crypto
