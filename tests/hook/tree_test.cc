// Objects of git that are trees, and pointers of Git LFS: bytes that anybody can push.
#include "hook/git/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hook/git/lfs.h"
#include "tests/support/scratch.h"

namespace modelseal::hook {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

const std::string kRawId(20, '\xAB');

std::string raw_entry(const std::string& mode, const std::string& name) {
    return mode + " " + name + "\0"s + kRawId;
}

TEST(GitTree, HasNamesIdsAndKinds) {
    const auto tree =
        parse_tree(raw_entry("40000", "data") + raw_entry("100644", "a\nb\"") + raw_entry("100755", "run") +
                       raw_entry("120000", "link") + raw_entry("160000", "module"),
                   20, "tree");
    ASSERT_TRUE(tree.ok()) << tree.error().message;
    ASSERT_EQ(tree->size(), 5u);
    EXPECT_EQ((*tree)[0].name, "a\nb\"");
    EXPECT_EQ((*tree)[0].kind, EntryKind::file);
    EXPECT_EQ(find_entry(*tree, "data")->kind, EntryKind::folder);
    EXPECT_EQ(find_entry(*tree, "link")->kind, EntryKind::link);
    EXPECT_EQ(find_entry(*tree, "module")->kind, EntryKind::submodule);
    EXPECT_EQ(find_entry(*tree, "run")->id, "abababababababababababababababababababab");
    EXPECT_EQ(find_entry(*tree, "ru"), nullptr);
    EXPECT_TRUE(parse_tree("", 20, "tree")->empty());
    EXPECT_EQ(parse_tree("100644 a\0"s + kRawId + kRawId.substr(8), 32, "tree")->front().id.size(), 64u);
}

TEST(GitTree, OfAnAttackerIsRefused) {
    const auto why = [](const std::string& bytes) {
        const auto tree = parse_tree(bytes, 20, "tree");
        return tree.ok() ? "" : tree.error().message;
    };
    for (const auto& name : {""s, "."s, ".."s, "a/b"s, "/etc"s, ".git"s, ".GIT"s, ".gIt"s})
        EXPECT_THAT(why(raw_entry("100644", name)), HasSubstr("is not a name")) << name;
    EXPECT_THAT(why(raw_entry("100644", "a") + raw_entry("40000", "a")), HasSubstr("'a' stands twice"));
    EXPECT_THAT(why(raw_entry("20000", "device")), HasSubstr("unknown mode"));
    EXPECT_THAT(why("100644 a\0short"s), HasSubstr("cut off"));
    EXPECT_THAT(why("100644"), HasSubstr("cut off"));
    EXPECT_THAT(why("\0 "s), HasSubstr("cut off"));
}

const std::string kOid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

std::string pointer_text(const std::string& oid, const std::string& size) {
    return "version https://git-lfs.github.com/spec/v1\noid sha256:" + oid + "\nsize " + size + "\n";
}

TEST(LfsPointerText, NamesDigestAndSize) {
    const auto pointer = parse_lfs_pointer(pointer_text(kOid, "12345"), "net");
    ASSERT_TRUE(pointer.ok()) << pointer.error().message;
    ASSERT_TRUE(*pointer);
    EXPECT_EQ((*pointer)->oid, kOid);
    EXPECT_EQ((*pointer)->bytes, 12345u);
    // As lenient as Git LFS is.
    for (const auto& text :
         {"\n" + pointer_text(kOid, "1") + " \n",
          "version https://hawser.github.com/spec/v1\r\noid sha256:" + kOid + "\r\nsize 1\r\n",
          "version http://git-media.io/v/2\noid sha256:" + kOid + "\nsize 1"}) {
        const auto lenient = parse_lfs_pointer(text, "net");
        ASSERT_TRUE(lenient.ok() && *lenient) << text;
        EXPECT_EQ((*lenient)->bytes, 1u);
    }
    // Blanks of Unicode, which the Go of Git LFS trims.
    for (const char* const bytes :
         {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x8A", "\xE2\x80\xA8",
          "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"}) {
        const std::string blank = bytes;
        const auto behind = parse_lfs_pointer(blank + " " + pointer_text(kOid, "1") + blank, "net");
        EXPECT_TRUE(behind.ok() && *behind);
        EXPECT_TRUE(is_front_of_pointer(blank + pointer_text(kOid, "1") + std::string(2'000, ' ')));
    }
}

TEST(LfsPointerText, IsNotAnyOtherText) {
    for (const auto& text :
         {""s, "version 1\n"s, "# About git-lfs\n"s, pointer_text(kOid, "1") + std::string(1000, '\n')}) {
        const auto pointer = parse_lfs_pointer(text, "net");
        EXPECT_TRUE(pointer.ok() && !*pointer) << text;
    }
}

TEST(LfsPointerText, ThatIsBrokenIsRefused) {
    const auto kind = [](const std::string& text) {
        const auto pointer = parse_lfs_pointer(text, "net");
        return pointer.ok() ? ErrorKind::internal : pointer.error().kind;
    };
    const auto malformed = ErrorKind::malformed;
    EXPECT_EQ(kind(pointer_text(kOid.substr(1), "1")), malformed);
    EXPECT_EQ(kind(pointer_text("../../../../etc/passwd" + kOid.substr(22), "1")), malformed);
    EXPECT_EQ(kind(pointer_text(kOid, "")), malformed);
    EXPECT_EQ(kind(pointer_text(kOid, "-1")), malformed);
    EXPECT_EQ(kind(pointer_text(kOid, "99999999999999999999")), malformed);
    EXPECT_EQ(kind(pointer_text(kOid, "1 2")), malformed);
    EXPECT_EQ(kind(pointer_text(kOid, "1") + "x y\n"), malformed);
    EXPECT_EQ(kind("version https://git-lfs.github.com/spec/v1\n"), malformed);
    EXPECT_EQ(kind("version https://git-lfs.github.com/spec/v1\next-0-foo sha256:" + kOid +
                   "\noid sha256:" + kOid + "\nsize 1\n"),
              ErrorKind::unsupported);
    EXPECT_EQ(kind("ext-0-foo sha256:" + kOid + "\n\n" + pointer_text(kOid, "1")), ErrorKind::unsupported);
}

TEST(LfsStoreFolder, HasObjectsAsServersKeepThem) {
    const test::Scratch scratch;
    const LfsStore store(scratch.path());
    const LfsPointer pointer{kOid, 5};
    EXPECT_EQ(store.open(pointer, "net").error().kind, ErrorKind::unreadable);
    scratch.write("4d/7a/" + kOid, "12345");
    EXPECT_EQ((*store.open(pointer, "net"))->size(), 5u);
    EXPECT_EQ(store.open({kOid, 6}, "net").error().kind, ErrorKind::mismatch);
    const auto object = store.open(pointer, "net").value();
    EXPECT_EQ(verify_lfs_object(*object, pointer, "net").error().kind, ErrorKind::mismatch);
    const std::string hello =
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // SHA-256 of "hello"
    scratch.write("2c/f2/" + hello.substr(4), "hello");
    const auto rest = store.open({hello, 5}, "net");
    ASSERT_TRUE(rest.ok()) << rest.error().message;
    EXPECT_TRUE(verify_lfs_object(**rest, {hello, 5}, "net").ok());
    ASSERT_TRUE(store.place({hello, 5}, "net", scratch / "placed").ok());
    EXPECT_EQ(test::content_of(scratch / "placed"), "hello");
    EXPECT_EQ(store.place(pointer, "net", scratch / "wrong").error().kind, ErrorKind::mismatch);
}

}  // namespace
}  // namespace modelseal::hook
