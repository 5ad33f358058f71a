#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hook/oci/names.h"
#include "hook/oci/unpack.h"
#include "tests/support/scratch.h"
#include "tests/support/tar_builder.h"

namespace modelseal::hook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Form = Layer::Form;
using test::gzipped, test::tar_end, test::tar_member;

std::span<const std::byte> bytes_in(const std::string& text) {
    return std::as_bytes(std::span(text));
}

class Unpacking : public testing::Test {
  protected:
    Result<void> unpack(const std::string& bytes, Form form, const std::string& title = {},
                        std::size_t step = 1000) {
        return unpack(
            Layer{.digest = digest_of(bytes_in(bytes)), .size = bytes.size(), .form = form, .title = title},
            bytes, step);
    }
    Result<void> unpack(const Layer& layer, const std::string& bytes, std::size_t step = 1000) {
        if (!folder) folder.emplace(ArtifactFolder::create(scratch / "job", limits).value());
        MODELSEAL_TRY_ASSIGN(const auto unpacker, LayerUnpacker::begin(layer, *folder));
        for (std::size_t at = 0; at < bytes.size(); at += step)
            MODELSEAL_TRY(unpacker->take(bytes_in(bytes).subspan(at, std::min(step, bytes.size() - at))));
        return unpacker->finish();
    }
    std::string refusal(const std::string& bytes, Form form, const std::string& title = {}) {
        folder.reset();
        const auto done = unpack(bytes, form, title);
        return done.ok() ? "unpacked" : done.error().message;
    }
    std::string content(const std::string& name) const { return test::content_of(scratch / "job" / name); }

    test::Scratch scratch;
    UnpackLimits limits;
    std::optional<ArtifactFolder> folder;
};

TEST_F(Unpacking, WritesRawLayersUnderTheirTitles) {
    ASSERT_TRUE(unpack("weights", Form::raw, "sub/./model.bin").ok());
    ASSERT_TRUE(unpack("", Form::raw, "empty").ok());
    ASSERT_TRUE(unpack("nameless", Form::raw).ok());
    EXPECT_EQ(content("sub/model.bin"), "weights");
    EXPECT_EQ(folder->files().size(), 3u);
    EXPECT_EQ(std::filesystem::status(scratch / "job").permissions(), std::filesystem::perms::owner_all);
    folder.reset();
    EXPECT_FALSE(std::filesystem::exists(scratch / "job"));
}

TEST_F(Unpacking, ReadsTarArchivesInPartsOfAnySize) {
    const std::string large(5000, 'x'), long_name(200, 'n');
    const auto pax = fmt::format("{} path=deep/{}\n", 3 + 1 + 10 + long_name.size() + 1, long_name);
    const auto archive = tar_member("./", "", '5') + tar_member("folder/", "", '5') +
                         tar_member("folder/model.bin", large) + tar_member("pax", pax, 'x') +
                         tar_member("short", "pax") + tar_member("long", long_name + "2", 'L') +
                         tar_member("short", "gnu") + tar_end() + tar_end();
    for (const std::size_t step : {1u, 511u, 512u, 100'000u}) {
        for (const auto form : {Form::tar, Form::tar_gzip}) {
            folder.reset();
            const auto done = unpack(form == Form::tar ? archive : gzipped(archive), form, {}, step);
            ASSERT_TRUE(done.ok()) << done.error().message;
            EXPECT_THAT(folder->files(), ElementsAre("deep/" + long_name, "folder/model.bin", long_name + "2"));
            EXPECT_EQ(content("folder/model.bin"), large);
            EXPECT_EQ(content(long_name + "2"), "gnu");
        }
    }
}

TEST_F(Unpacking, ReadsSeveralMembersOfGzip) {
    const auto archive = tar_member("a", "1") + tar_end();
    const auto both = gzipped(archive.substr(0, 600)) + gzipped(archive.substr(600));
    ASSERT_TRUE(unpack(both, Form::tar_gzip).ok());
    EXPECT_EQ(content("a"), "1");
}

TEST_F(Unpacking, RefusesPathsOutOfTheFolder) {
    for (const char* path : {"../x", "/etc/passwd", "a/../../x", "a\\..\\x", "C:x", ""}) {
        if (*path != '\0') {
            EXPECT_NE(refusal("x", Form::raw, path), "unpacked") << path;
        }
        EXPECT_NE(refusal(tar_member(path, "x") + tar_end(), Form::tar), "unpacked") << path;
    }
    EXPECT_FALSE(std::filesystem::exists(scratch / "x"));
    EXPECT_NE(refusal(tar_member("../out/", "", '5') + tar_end(), Form::tar), "unpacked");
    EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

TEST_F(Unpacking, RefusesLinksDevicesAndDuplicatesByName) {
    EXPECT_THAT(refusal(tar_member("link", "", '2', "/etc") + tar_end(), Form::tar),
                HasSubstr("'link' is a link"));
    EXPECT_THAT(refusal(tar_member("hard", "", '1', "a") + tar_end(), Form::tar),
                HasSubstr("'hard' is a link"));
    for (const char type : {'3', '4', '6', '7', 'S', 'K', 'D', 'M', '\x7f'})
        EXPECT_NE(refusal(tar_member("dev", "", type) + tar_end(), Form::tar), "unpacked") << type;
    EXPECT_THAT(refusal(tar_member("a", "1") + tar_member("./a", "2") + tar_end(), Form::tar),
                HasSubstr("'./a' appears twice"));
    EXPECT_THAT(refusal(tar_member("a", "1") + tar_member("a/b", "2") + tar_end(), Form::tar),
                HasSubstr("appears twice"));
    EXPECT_THAT(refusal(tar_member("a/b", "1") + tar_member("a", "2") + tar_end(), Form::tar),
                HasSubstr("appears twice"));
    folder.reset();
    ASSERT_TRUE(unpack("1", Form::raw, "model").ok());
    const auto second = unpack("2", Form::raw, "model");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, ErrorKind::malformed);
}

TEST_F(Unpacking, RefusesDamagedArchives) {
    const auto good = tar_member("a", std::string(600, 'x')) + tar_end();
    auto checksum = good;
    checksum[0] = 'b';
    for (const auto& bad :
         {std::string(), std::string("x"), good.substr(0, 512), good.substr(0, 700), checksum,
          std::string(512, 'x'), tar_end() + good, good + "x", tar_member("g", "10 path=x\n", 'g') + good,
          tar_member("x", "99 path=x\n", 'x') + good, tar_member("x", "10 path=x", 'x') + good,
          tar_member("x", "24 GNU.sparse.major=1.0\n", 'x') + good,
          tar_member("x", "10 path=x\n", 'x') + tar_end()})
        EXPECT_NE(refusal(bad, Form::tar), "unpacked") << bad.size();
    const auto zip = gzipped(good);
    EXPECT_THAT(refusal(zip.substr(0, zip.size() - 4), Form::tar_gzip), HasSubstr("cut off"));
    EXPECT_THAT(refusal(good, Form::tar_gzip), HasSubstr("not compressed with gzip"));
    EXPECT_THAT(refusal(zip, Form::zstd), HasSubstr("zstd"));
}

TEST_F(Unpacking, RefusesSeveralExtendedHeadersForAMember) {
    const auto pax = tar_member("x", "10 path=x\n", 'x'), name = tar_member("l", "y", 'L'),
               global = tar_member("g", "12 comment=\n", 'g'), file = tar_member("a", "1") + tar_end();
    for (const auto& headers : {pax + pax, name + name, pax + name, name + pax, pax + global, name + global})
        EXPECT_THAT(refusal(headers + file, Form::tar), HasSubstr("several extended headers for one member"));
    EXPECT_NE(refusal(pax + tar_end(), Form::tar), "unpacked");
}

TEST_F(Unpacking, CountsFoldersAndTheirDepth) {
    limits.files = 3;
    EXPECT_EQ(refusal(tar_member("a/b/c", "") + tar_member("a/", "", '5') + tar_end(), Form::tar), "unpacked");
    EXPECT_THAT(refusal(tar_member("a/b/c/d", "") + tar_end(), Form::tar), HasSubstr("more than 3 files"));
    EXPECT_THAT(refusal(tar_member("a/b/c/d/", "", '5') + tar_end(), Form::tar),
                HasSubstr("more than 3 files"));
    limits = {};
    std::string deep;
    for (int i = 0; i < 63; ++i) deep += "f/";
    EXPECT_EQ(refusal("x", Form::raw, deep + "x"), "unpacked");
    EXPECT_THAT(refusal("x", Form::raw, deep + "f/x"), HasSubstr("more than 64 components"));
}

TEST_F(Unpacking, RefusesBombs) {
    limits.bytes = 1 << 20;
    EXPECT_THAT(refusal(gzipped(tar_member("bomb", std::string(2 << 20, '\0')) + tar_end()), Form::tar_gzip),
                HasSubstr("the limit of 1,048,576 bytes"));
    EXPECT_THAT(refusal(std::string((1 << 20) + 1, 'x'), Form::raw, "large"),
                HasSubstr("the limit of 1,048,576 bytes"));
    limits = {};
    EXPECT_THAT(refusal(gzipped(tar_member("bomb", std::string(100 << 20, '\0')) + tar_end()), Form::tar_gzip),
                HasSubstr("more than 200 times as large"));
    limits.files = 2;
    EXPECT_THAT(refusal(tar_member("a", "") + tar_member("b", "") + tar_member("c", "") + tar_end(), Form::tar),
                HasSubstr("more than 2 files"));
}

TEST_F(Unpacking, RefusesLayersThatLie) {
    const std::string bytes = "weights";
    const Layer honest{.digest = digest_of(bytes_in(bytes)), .size = bytes.size(), .title = "m"};
    for (auto [size, digest] : {std::pair{honest.size - 1, honest.digest},
                                {honest.size + 1, honest.digest},
                                {honest.size, digest_of(bytes_in("other"))}}) {
        folder.reset();
        auto layer = honest;
        layer.size = size;
        layer.digest = digest;
        const auto done = unpack(layer, bytes);
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind, ErrorKind::mismatch) << done.error().message;
    }
}

}  // namespace
}  // namespace modelseal::hook
