// Statements: those of the reference reproduce their root digests, ours come back, and the rules hold.
#include "oms/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/oms/data.h"
#include <modelseal/keys.h>

namespace modelseal::oms {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::content_of;
using testing::HasSubstr;

Statement small() {
    Statement out{.subject = "model"};
    out.ignore_paths = {".git"};
    for (const char* name : {"a", "b/c", "\xC3\xA9"}) {
        out.resources.push_back({.name = name, .digest = Bytes(32, std::byte{1})});
    }
    out.resources[0].tensors["w"] = Bytes(32, std::byte{2});
    out.seal_root = "aa";
    out.fingerprint = "bb";
    out.root = root_of(out.resources);
    return out;
}

json small_json() {
    return json::parse(test::text_of(write_statement(small())));
}

Result<Statement> parse(const json& document) {
    return parse_statement(bytes_of(document.dump()), "s");
}

// An object that looks through all its members at each insertion would take minutes.
TEST(Statement, OfAQuarterMillionTensorsComesBack) {
    auto statement = small();
    auto& tensors = statement.resources[0].tensors;
    for (int i = 0; i < 250'000; ++i) tensors.emplace(std::to_string(i), Bytes(32, std::byte{3}));
    const auto back = parse_statement(write_statement(statement), "s");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->resources[0].tensors, tensors);
}

TEST(Statement, OfTheReferenceReproducesItsRootDigest) {
    MODELSEAL_NEED_DATA();
    std::size_t seen = 0, empty = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(test::oms_folder() / "model-transparency/payload_goldens")) {
        const auto text = content_of(file.path());
        const auto statement = parse_statement(bytes_of(text), file.path().filename().string());
        ++seen;
        if (json::parse(text)["predicate"]["resources"].empty()) {
            ++empty;
            ASSERT_FALSE(statement.ok()) << file.path();
            EXPECT_THAT(statement.error().message, HasSubstr("'resources' is empty"));
            continue;
        }
        ASSERT_TRUE(statement.ok()) << statement.error().message;
        EXPECT_EQ(to_hex(root_of(statement->resources)),
                  json::parse(text)["subject"][0]["digest"]["sha256"].get<std::string>());
    }
    EXPECT_EQ(seen, 21u);
    EXPECT_EQ(empty, 7u);
}

TEST(Statement, RoundTrips) {
    for (const bool shards : {false, true}) {
        auto statement = small();
        if (shards) {
            statement.shard_size = 8;
            statement.resources = {{.name = "a:b", .begin = 0, .end = 8, .digest = Bytes(32, std::byte{1})},
                                   {.name = "a:b", .begin = 8, .end = 9, .digest = Bytes(32, std::byte{3})}};
            statement.root = root_of(statement.resources);
        }
        const auto again = parse_statement(write_statement(statement), "again");
        ASSERT_TRUE(again.ok()) << again.error().message;
        EXPECT_EQ(write_statement(*again), write_statement(statement));
        EXPECT_EQ(again->resources.back().name, statement.resources.back().name);
        EXPECT_EQ(again->resources.back().end, statement.resources.back().end);
    }
}

TEST(Statement, MayHaveKeysOfOtherTools) {
    auto document = small_json();
    document["more"] = 1;
    document["subject"][0]["more"] = 1;
    document["subject"][0]["digest"]["sha512"] = "00";
    document["predicate"]["more"] = 1;
    document["predicate"]["serialization"]["more"] = 1;
    document["predicate"]["resources"][0]["more"] = 1;
    document["predicate"]["resources"][0]["annotations"]["theirs"] = 1;
    const auto statement = parse(document);
    ASSERT_TRUE(statement.ok()) << statement.error().message;
    EXPECT_EQ(statement->resources[0].tensors.size(), 1u);
}

struct Spoiled {
    const char* what;
    void (*spoil)(json&);
    const char* message;
};

class SpoiledStatement : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledStatement, IsRefused) {
    auto document = small_json();
    GetParam().spoil(document);
    const auto statement = parse(document);
    ASSERT_FALSE(statement.ok());
    EXPECT_THAT(statement.error().message, HasSubstr(GetParam().message));
    EXPECT_NE(statement.error().kind, ErrorKind::internal);
}

json& first(json& document) {
    return document["predicate"]["resources"][0];
}

const Spoiled kSpoiled[] = {
    {"type", [](json& d) { d["_type"] = "https://in-toto.io/Statement/v0.1"; }, "'_type'"},
    {"no type", [](json& d) { d.erase("_type"); }, "'_type' is missing"},
    {"predicate type", [](json& d) { d["predicateType"] = "https://model_signing/signature/v1.1"; },
     "', not a model signature of a supported version"},
    {"no predicate", [](json& d) { d.erase("predicate"); }, "'predicate' is missing"},
    {"predicate list", [](json& d) { d["predicate"] = json::array(); }, "is not an object"},
    {"no subject", [](json& d) { d.erase("subject"); }, "'subject' is missing"},
    {"two subjects", [](json& d) { d["subject"].push_back(d["subject"][0]); }, "2 entries, 1 is needed"},
    {"subject name", [](json& d) { d["subject"][0]["name"] = ""; }, "'name' is empty"},
    {"no root", [](json& d) { d["subject"][0]["digest"].erase("sha256"); }, "'sha256' is missing"},
    {"other root", [](json& d) { d["subject"][0]["digest"]["sha256"] = std::string(64, '0'); }, "root digest"},
    {"long root", [](json& d) { d["subject"][0]["digest"]["sha256"] = std::string(66, '0'); }, "hexadecimal"},
    {"empty", [](json& d) { d["predicate"]["resources"] = json::array(); }, "'resources' is empty"},
    {"method", [](json& d) { d["predicate"]["serialization"]["method"] = "tree"; }, "'method'"},
    {"hash", [](json& d) { d["predicate"]["serialization"]["hash_type"] = "md5"; }, "'hash_type'"},
    {"blake3", [](json& d) { d["predicate"]["serialization"]["hash_type"] = "blake3"; }, "blake3"},
    {"links", [](json& d) { d["predicate"]["serialization"]["allow_symlinks"] = 1; }, "true nor false"},
    {"no shard size", [](json& d) { d["predicate"]["serialization"]["method"] = "shards"; },
     "'shard_size' is missing"},
    {"ignore", [](json& d) { d["predicate"]["serialization"]["ignore_paths"] = {1}; }, "'ignore_paths'"},
    {"order",
     [](json& d) {
         std::swap(d["predicate"]["resources"][0]["digest"], d["predicate"]["resources"][1]["digest"]);
         first(d)["digest"] = std::string(64, '3');
     },
     "root digest"},
    {"algorithm", [](json& d) { first(d)["algorithm"] = "sha512"; }, "'algorithm'"},
    {"sharded", [](json& d) { first(d)["algorithm"] = "sha256-sharded-8"; }, "'algorithm'"},
    {"upper case", [](json& d) { first(d)["digest"] = std::string(64, 'A'); }, "lower-case"},
    {"short digest", [](json& d) { first(d)["digest"] = "0101"; }, "32 bytes"},
    {"twice", [](json& d) { first(d)["name"] = "b/c"; }, "' appears twice"},
    {"up", [](json& d) { first(d)["name"] = "../a"; }, "leads out"},
    {"up inside", [](json& d) { first(d)["name"] = "b/../../a"; }, "leads out"},
    {"just up", [](json& d) { first(d)["name"] = ".."; }, "leads out"},
    {"absolute", [](json& d) { first(d)["name"] = "/etc/passwd"; }, "absolute"},
    {"dot", [](json& d) { first(d)["name"] = "./a"; }, "has an empty part, or '.'"},
    {"slashes", [](json& d) { first(d)["name"] = "a//b"; }, "has an empty part, or '.'"},
    {"folder", [](json& d) { first(d)["name"] = "a/"; }, "has an empty part, or '.'"},
    {"no name", [](json& d) { first(d)["name"] = ""; }, "the name is empty"},
    {"whole", [](json& d) { first(d)["name"] = "."; }, "the name '.' is not the only one"},
    {"nul", [](json& d) { first(d)["name"] = std::string("a\0b", 3); }, "NUL"},
    {"tensors", [](json& d) { first(d)["annotations"]["modelseal/tensors"] = 1; }, "is not an object"},
    {"tensor", [](json& d) { first(d)["annotations"]["modelseal/tensors"]["w"] = "00"; }, "no SHA-256"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledStatement, testing::ValuesIn(kSpoiled), [](const auto& row) {
    std::string name = row.param.what;
    std::ranges::replace(name, ' ', '_');
    return name;
});

TEST(Shards, MustCoverTheirFileByteByByte) {
    const auto with = [](std::vector<std::string> names) {
        Statement statement{.subject = "m", .shard_size = 8};
        auto document = json::parse(test::text_of(write_statement(statement)));
        for (const auto& name : names) {
            document["predicate"]["resources"].push_back(
                {{"name", name}, {"algorithm", "sha256-sharded-8"}, {"digest", std::string(64, '1')}});
            statement.resources.push_back({.digest = Bytes(32, std::byte{0x11})});
        }
        document["subject"][0]["digest"]["sha256"] = to_hex(root_of(statement.resources));
        document["predicate"]["serialization"]["shard_size"] = 8.0;
        const auto parsed = parse(document);
        return parsed.ok() ? std::string() : parsed.error().message;
    };
    EXPECT_EQ(with({"a:0:8", "a:8:9"}), "");
    EXPECT_EQ(with({"a:8:16", "b:0:3", "a:0:8"}), "");
    EXPECT_THAT(with({"a:8:16"}), HasSubstr("' have a gap or an overlap at offset"));
    EXPECT_THAT(with({"a:0:8", "a:16:24"}), HasSubstr("' have a gap or an overlap at offset"));
    EXPECT_THAT(with({"a:0:8", "a:0:8"}), HasSubstr("' have a gap or an overlap at offset"));
    EXPECT_THAT(with({"a:0:7", "a:8:9"}), HasSubstr("' have a gap or an overlap at offset"));
    for (const char* name : {"a", "a:0", "a:0:9", "a:8:8", "a:4:8", "a:-1:8", "a:0:08", "a: 0:8", "a:0:8 ",
                             ":0:8", "a:0:", "../a:0:8", "a:18446744073709551616:8"}) {
        EXPECT_NE(with({name}), "") << name;
    }
}

}  // namespace
}  // namespace modelseal::oms
