// The fingerprint file: only its customer reads it, and only as the vendor signed it.
#include "blackbox/container/container.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blackbox/container/payload.h"
#include "formats/reader.h"
#include "tests/support/models/small_fingerprint.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::blackbox {
namespace {

using formats::MemorySource;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15

class Container : public testing::Test {
  protected:
    std::string saved(const Fingerprint& made, const CheckKey& check) const {
        return saved(made, vendor_, check);
    }
    static std::string saved(const Fingerprint& made, const SigningKey& vendor, const CheckKey& check) {
        const auto encoded = encode(made, vendor, check);
        if (!encoded.ok()) throw std::runtime_error(encoded.error().message);
        return {reinterpret_cast<const char*>(encoded->bytes.data()), encoded->bytes.size()};
    }
    static Result<Fingerprint> read(const std::string& bytes, const CheckKey& check, std::int64_t now = kNow) {
        return load(MemorySource("net.fp", std::as_bytes(std::span(bytes))), check, now);
    }
    static std::string refusal(const std::string& bytes, const CheckKey& check, std::int64_t now = kNow) {
        const auto result = read(bytes, check, now);
        if (result.ok()) return "was read";
        EXPECT_EQ(result.error().kind == ErrorKind::internal, false);
        return result.error().message;
    }
    static void expect_same(const Fingerprint& a, const Fingerprint& b) {
        EXPECT_EQ(*encode_payload(a), *encode_payload(b));
        EXPECT_EQ(a.created, b.created);
        EXPECT_EQ(a.expires, b.expires);
    }

    const SigningKey vendor_ = test::test_key(1), stranger_ = test::test_key(2);
    const CheckKey everybody_ = public_check_key(vendor_.public_key());
    const CheckKey customer_ = test::customer_key(vendor_);
    Fingerprint made_ = test::small_fingerprint();
};

TEST_F(Container, OpensUnderItsKey) {
    made_.expires = "2030-01-01T00:00:00Z";
    const auto open = read(saved(made_, everybody_), everybody_);
    ASSERT_TRUE(open.ok()) << open.error().message;
    expect_same(*open, made_);
    made_.customer = "acme";
    const auto closed = read(saved(made_, customer_), customer_);
    ASSERT_TRUE(closed.ok()) << closed.error().message;
    expect_same(*closed, made_);
}

TEST_F(Container, ShowsWhatNeedsNoKey) {
    made_.customer = "acme";
    made_.expires = "2030-01-01T00:00:00Z";
    const test::Scratch folder;
    const auto id = test::write_fingerprint(made_, vendor_, customer_, folder / "net.fp");
    const auto bytes = test::content_of(folder / "net.fp");
    const MemorySource source("net.fp", std::as_bytes(std::span(bytes)));
    EXPECT_TRUE(looks_like_fingerprint(source));
    const auto shown = show(source);
    ASSERT_TRUE(shown.ok());
    EXPECT_EQ(shown->id, id);
    EXPECT_EQ(shown->id.size(), 64u);
    EXPECT_EQ(shown->vendor_key, to_hex(vendor_.public_key().id()));
    EXPECT_EQ(shown->created, made_.created);
    EXPECT_EQ(shown->expires, made_.expires);
    EXPECT_FALSE(shown->for_everybody);
    EXPECT_THAT(bytes, testing::Not(HasSubstr("acme")));
}

TEST_F(Container, TwiceTheSameFingerprintHasNoBoxInCommon) {
    const auto a = saved(made_, everybody_), b = saved(made_, everybody_);
    EXPECT_EQ(a.substr(0, 57), b.substr(0, 57));
    EXPECT_NE(a.substr(57, 32), b.substr(57, 32));
    EXPECT_NE(a.substr(97, 32), b.substr(97, 32));
}

TEST_F(Container, IsRefusedWithAnyBitChanged) {
    const auto good = saved(made_, everybody_);
    ASSERT_TRUE(read(good, everybody_).ok());
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        ASSERT_NE(refusal(bad, everybody_), "was read") << "bit " << bit;
        ASSERT_FALSE(show(MemorySource("net.fp", std::as_bytes(std::span(bad)))).ok()) << "bit " << bit;
    }
}

TEST_F(Container, CutShortOrLengthenedIsRefused) {
    const auto good = saved(made_, everybody_);
    for (std::size_t size = 0; size < good.size(); ++size) {
        const auto why = refusal(good.substr(0, size), everybody_);
        ASSERT_THAT(why, HasSubstr(size == 0  ? "the file is empty"
                                   : size < 7 ? "not a fingerprint"
                                              : "ends early"))
            << size;
    }
    EXPECT_THAT(refusal(good + '\0', everybody_), HasSubstr("unexplained bytes after the fingerprint"));
}

TEST_F(Container, OpensUnderNoOtherKey) {
    EXPECT_THAT(refusal(saved(made_, everybody_), customer_), HasSubstr("made for everybody"));
    made_.customer = "acme";
    const auto bytes = saved(made_, customer_);
    EXPECT_THAT(refusal(bytes, everybody_), HasSubstr(": made for the check key of a customer"));
    EXPECT_THAT(refusal(bytes, test::customer_key(vendor_, "other", 8)),
                HasSubstr(": made for the check key of another customer"));
    const auto other = public_check_key(stranger_.public_key());
    EXPECT_THAT(refusal(bytes, other),
                HasSubstr(": made by another vendor, with key " + to_hex(vendor_.public_key().id())));
    EXPECT_EQ(read(bytes, other).error().kind, ErrorKind::mismatch);
}

TEST_F(Container, IsNotMadeForAnotherVendorsKey) {
    const auto refused = encode(made_, stranger_, everybody_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::mismatch);
}

TEST_F(Container, IsRefusedOnceItHasExpired) {
    made_.expires = "2027-01-15T08:00:00Z";  // kNow
    const auto bytes = saved(made_, everybody_);
    EXPECT_TRUE(read(bytes, everybody_, kNow).ok());
    EXPECT_THAT(refusal(bytes, everybody_, kNow + 1), HasSubstr("expired on 2027-01-15T08:00:00Z"));
    EXPECT_EQ(read(bytes, everybody_, kNow + 1).error().kind, ErrorKind::mismatch);
}

TEST_F(Container, NeedsTimesThatAreTimes) {
    made_.expires = "tomorrow";
    EXPECT_THAT(encode(made_, vendor_, everybody_).error().message, HasSubstr("'tomorrow'"));
    made_.expires.clear();
    made_.created.clear();
    EXPECT_EQ(encode(made_, vendor_, everybody_).error().kind, ErrorKind::usage);
}

TEST_F(Container, OfALaterVersionIsReportedAsSuch) {
    auto bytes = saved(made_, everybody_);
    bytes[7] = '3';
    const auto result = read(bytes, everybody_);
    EXPECT_EQ(result.error().kind, ErrorKind::unsupported);
}

// Files of past releases keep opening; tests/golden/README.md describes them.
TEST_F(Container, OfVersion1StillOpens) {
    const auto golden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v1";
    auto theirs = made_;
    theirs.customer = "acme";
    theirs.expires = "2100-01-01T00:00:00Z";
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        test::write_fingerprint(made_, vendor_, everybody_, golden / "everybody.fp");
        test::write_fingerprint(theirs, vendor_, customer_, golden / "acme.fp");
    }
    const auto open = read(test::content_of(golden / "everybody.fp"), everybody_, kNow);
    ASSERT_TRUE(open.ok()) << open.error().message;
    expect_same(*open, made_);
    const auto closed = read(test::content_of(golden / "acme.fp"), customer_, kNow);
    ASSERT_TRUE(closed.ok()) << closed.error().message;
    expect_same(*closed, theirs);
}

TEST_F(Container, OfTriggersStillOpens) {
    const auto golden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v2" / "triggers.fp";
    const auto made = test::small_triggers();
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        test::write_fingerprint(made, vendor_, everybody_, golden);
    }
    const auto open = read(test::content_of(golden), everybody_, kNow);
    ASSERT_TRUE(open.ok()) << open.error().message;
    EXPECT_EQ(*encode_payload(*open), *encode_payload(made));
}

TEST_F(Container, OfPairsWithBoundariesOfTheirOwnStillOpens) {
    const auto golden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v2" / "levels.fp";
    const auto made = test::small_fingerprint_of_levels();
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        test::write_fingerprint(made, vendor_, everybody_, golden);
    }
    const auto open = read(test::content_of(golden), everybody_, kNow);
    ASSERT_TRUE(open.ok()) << open.error().message;
    EXPECT_EQ(*encode_payload(*open), *encode_payload(made));
    EXPECT_EQ(open->pairs().coverage->tensors[1].name, "conv.bias");
    EXPECT_EQ(open->pairs().coverage->all.noticed, 73u);
}

TEST_F(Container, WithQueriesOfAnotherKindThanItsHeaderSaysIsRefused) {
    auto bytes = saved(made_, everybody_);
    bytes[8] = static_cast<char>(bytes[8] ^ 2);
    EXPECT_EQ(read(bytes, everybody_).error().kind, ErrorKind::mismatch) << "the flag is signed";
}

TEST_F(Container, OfVersion2IsThatOfAKeyOnP256) {
    const auto golden =
        std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v1" / "p256_everybody.fp";
    const auto vendor = test::test_key_p256();
    const auto everybody = public_check_key(vendor.public_key());
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) {
        test::write_fingerprint(made_, vendor, everybody, golden);
    }
    EXPECT_THAT(test::content_of(golden), testing::StartsWith("MSFPRNT2"));
    const auto open = read(test::content_of(golden), everybody, kNow);
    ASSERT_TRUE(open.ok()) << open.error().message;
    expect_same(*open, made_);
    EXPECT_EQ(read(test::content_of(golden), everybody_, kNow).error().kind, ErrorKind::mismatch);
}

TEST_F(Container, OfAKeyOnP256WithAnyBitChangedIsRefused) {
    const auto vendor = test::test_key_p256();
    const auto everybody = public_check_key(vendor.public_key());
    const auto good = saved(made_, vendor, everybody);
    const auto box = std::size_t{98}, signature = good.size() - 64;
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        if (bit / 8 > box + 8 && bit / 8 < signature) continue;  // the box: every bit is signed alike
        auto spoiled = good;
        spoiled[bit / 8] = static_cast<char>(spoiled[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_FALSE(read(spoiled, everybody).ok()) << bit;
    }
}

}  // namespace
}  // namespace modelseal::blackbox
