#include "io/folder.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace modelseal::io {
namespace {

using test::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(PathInside, DropsPartsWithoutMeaning) {
    EXPECT_EQ(path_inside("weights.bin", "m").value(), "weights.bin");
    EXPECT_EQ(path_inside("./a//b/./c.bin", "m").value(), "a/b/c.bin");
    EXPECT_EQ(path_inside("..a/b..", "m").value(), "..a/b..");
}

TEST(PathInside, RefusesPathsThatLeadOutside) {
    const std::pair<std::string, const char*> table[] = {
        {"", "empty name"},
        {"/etc/passwd", "absolute path"},
        {"//host/share", "absolute path"},
        {"..", "leads out"},
        {"../w.bin", "leads out"},
        {"a/../../w.bin", "leads out"},
        {"a/../w.bin", "leads out"},  // inside, but not for a reader who follows a link at a
        {"a/..", "leads out"},
        {".", "names a folder"},
        {"a/", "names a folder"},
        {"a/.", "names a folder"},
        {"..\\w.bin", "backslash"},
        {"a\\b", "backslash"},
        {"C:/w.bin", "drive letter"},
        {"c:w.bin", "drive letter"},
        {std::string("a\0b", 3), "NUL"},
        {std::string(5000, 'a'), "5,000 bytes"},
    };
    for (const auto& [text, why] : table) {
        const auto inside = path_inside(text, "m.onnx: external data");
        ASSERT_FALSE(inside.ok()) << text;
        EXPECT_EQ(inside.error().kind, ErrorKind::malformed);
        EXPECT_THAT(inside.error().message, HasSubstr(why)) << text;
        EXPECT_THAT(inside.error().message, HasSubstr("m.onnx: external data")) << text;
    }
}

TEST(Folder, OpensFilesAtAnyDepth) {
    const Scratch scratch;
    scratch.write("a/b/w.bin", "12345");
    const auto folder = Folder::open(scratch.path()).value();
    const auto file = folder.file("a/b/w.bin").value();
    EXPECT_EQ(file->size(), 5u);
    EXPECT_EQ(file->name(), (scratch / "a/b/w.bin").string());
    EXPECT_TRUE(file->unchanged().ok());
    EXPECT_THAT(folder.file("a/b/none").error().message, HasSubstr("not found"));
    EXPECT_THAT(folder.file("a/none/w.bin").error().message, HasSubstr("a/none: cannot open: not found"));
    EXPECT_THAT(folder.file("a/b").error().message, HasSubstr("is a directory"));
    EXPECT_THAT(Folder::open(scratch / "none").error().message, HasSubstr("not found"));
}

TEST(Folder, FollowsNoLinkInAnyPartOfAPath) {
    const Scratch scratch;
    scratch.write("outside/w.bin", "secret");
    scratch.write("model/real/w.bin", "ours");
    std::filesystem::create_symlink("../outside/w.bin", scratch / "model/w.bin");
    std::filesystem::create_symlink("real/w.bin", scratch / "model/inner.bin");
    std::filesystem::create_directory_symlink("../outside", scratch / "model/data");
    std::filesystem::create_symlink("none", scratch / "model/dangling");
    const auto folder = Folder::open(scratch / "model").value();
    for (const char* path : {"w.bin", "inner.bin", "data/w.bin", "dangling"}) {
        const auto opened = folder.file(path);
        ASSERT_FALSE(opened.ok()) << path;
        EXPECT_THAT(opened.error().message, HasSubstr("symbolic link")) << path;
    }
    EXPECT_TRUE(folder.file("real/w.bin").ok());
    // The folder itself may be reached through one: the user named it.
    std::filesystem::create_directory_symlink("model", scratch / "latest");
    EXPECT_TRUE(Folder::open(scratch / "latest").value().file("real/w.bin").ok());
}

TEST(Folder, ListsRegularFilesInOrderWithoutWhatIsSkipped) {
    const Scratch scratch;
    for (const char* path :
         {"b.json", "a/z", "a.bin", "a/y/x", ".hidden", "skip/in/it", "skip.not", "c/skip"}) {
        scratch.write(path, "x");
    }
    std::filesystem::create_directory(scratch / "empty");
    const auto folder = Folder::open(scratch.path()).value();
    const auto skip = [](const Folder::Entry& entry) {
        return entry.kind == Folder::Entry::Kind::folder && entry.path == "skip";
    };
    EXPECT_THAT(folder.files(100, 10, skip).value(),
                ElementsAre(".hidden", "a.bin", "a/y/x", "a/z", "b.json", "c/skip", "skip.not"));
    EXPECT_THAT(folder.files(3, 10, skip).error().message, HasSubstr("contains more than 3 files"));
    EXPECT_THAT(folder.files(100, 2, skip).error().message,
                HasSubstr("contains folders more than 2 levels deep"));
}

TEST(Folder, ListRefusesLinksAndSpecialFiles) {
    const auto all = [](const Folder::Entry&) { return false; };
    const Scratch links;
    links.write("a/w.bin", "x");
    std::filesystem::create_symlink("w.bin", links / "a/link");
    EXPECT_THAT(Folder::open(links.path()).value().files(100, 10, all).error().message,
                HasSubstr("a/link: is a symbolic link"));
    const Scratch pipes;
    ASSERT_EQ(::mkfifo((pipes / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(Folder::open(pipes.path()).value().files(100, 10, all).error().message,
                HasSubstr("pipe: is a pipe, device or socket; a regular file is needed"));
}

// In a cache of Hugging Face a snapshot consists of links.
class LinkedFolder : public testing::Test {
  protected:
    LinkedFolder() {
        scratch.write("name/blobs/1234", "weights");
        scratch.write("outside", "secret");
        std::filesystem::create_directories(snapshot / "sub");
        std::filesystem::create_symlink("../../blobs/1234", snapshot / "w.bin");
        std::filesystem::create_symlink("../../../blobs/1234", snapshot / "sub/w.bin");
    }
    Result<std::vector<std::string>> listed(const std::filesystem::path& path) const {
        MODELSEAL_TRY_ASSIGN(const auto folder, Folder::open(path, Links::inside));
        return folder.files(100, 10, [](const Folder::Entry&) { return false; });
    }
    std::string message(const std::filesystem::path& link) const {
        const auto found = listed(snapshot);
        const auto folder = Folder::open(snapshot, Links::inside).value();
        const auto opened = folder.file(link);
        EXPECT_FALSE(found.ok());
        EXPECT_FALSE(opened.ok());
        return found.ok() ? "" : found.error().message;
    }
    const Scratch scratch;
    const std::filesystem::path snapshot = scratch / "name/snapshots/abcd";
};

TEST_F(LinkedFolder, FollowsLinksToFilesOfItsCache) {
    EXPECT_THAT(listed(snapshot).value(), ElementsAre("sub/w.bin", "w.bin"));
    const auto folder = Folder::open(snapshot, Links::inside).value();
    for (const char* path : {"w.bin", "sub/w.bin"}) {
        const auto file = folder.file(path);
        ASSERT_TRUE(file.ok()) << file.error().message;
        EXPECT_EQ((*file)->size(), 7u);
        EXPECT_TRUE((*file)->unchanged().ok());
    }
    EXPECT_THAT(listed(snapshot / "sub").value(), ElementsAre("w.bin"));
    std::filesystem::create_directory_symlink("name", scratch / "link");
    EXPECT_THAT(listed(scratch / "link/snapshots/abcd").value(), ElementsAre("sub/w.bin", "w.bin"));
}

TEST_F(LinkedFolder, RefusesLinksThatLeadOutOrToNoFile) {
    const std::pair<std::filesystem::path, const char*> links[] = {
        {"../../../outside", "leads out of '"},
        {scratch / "outside", "leads out of '"},
        {scratch / "name/blobs/1234", "leads out of '"},  // absolute: only the name of the root keeps it inside
        {"../../../name/blobs/1234", "leads out of '"},
        {"sub", "is a symbolic link to a folder"},
        {"nowhere", "is a symbolic link to a missing file"},
        {"evil", "loop of links"},
    };
    for (const auto& [target, says] : links) {
        std::filesystem::create_symlink(target, snapshot / "evil");
        EXPECT_THAT(message("evil"), HasSubstr(says)) << target;
        std::filesystem::remove(snapshot / "evil");
    }
    EXPECT_TRUE(listed(snapshot).ok());
}

// A folder that only looks like a snapshot is its own root.
TEST_F(LinkedFolder, IsItsOwnRootOutsideOfACache) {
    std::filesystem::rename(scratch / "name/blobs", scratch / "name/other");
    std::filesystem::remove(snapshot / "sub/w.bin");
    std::filesystem::remove(snapshot / "w.bin");
    std::filesystem::create_symlink("../other/1234", snapshot / "w.bin");
    EXPECT_THAT(listed(snapshot).error().message, HasSubstr("leads out of '"));
    const Scratch plain;
    plain.write("real/w.bin", "x");
    std::filesystem::create_symlink("real/w.bin", plain / "w.bin");
    EXPECT_THAT(listed(plain.path()).value(), ElementsAre("real/w.bin", "w.bin"));
    EXPECT_THAT(listed(plain / "real").value(), ElementsAre("w.bin"));
}

TEST_F(LinkedFolder, KnowsAMountedConfigMap) {
    const Scratch mount;
    mount.write("..2026_11_29/config.json", "{}");
    std::filesystem::create_directory_symlink("..2026_11_29", mount / "..data");
    EXPECT_EQ(Folder::open(mount.path(), Links::inside).value().config_map_folder(), "..2026_11_29");
    EXPECT_EQ(Folder::open(mount.path()).value().config_map_folder(), std::nullopt);
    std::filesystem::remove(mount / "..data");
    std::filesystem::create_directory_symlink("../..2026_11_29", mount / "..data");
    EXPECT_EQ(Folder::open(mount.path(), Links::inside).value().config_map_folder(), std::nullopt);
}

TEST(Folder, NamesAPathThatIsTooLong) {
    const Scratch scratch;
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(scratch.path());
    for (int i = 0; i < 20; ++i) {
        const std::string name(250, 'd');
        std::filesystem::create_directory(name);
        std::filesystem::current_path(name);
    }
    std::ofstream("file") << "x";
    std::filesystem::current_path(here);
    const auto listed =
        Folder::open(scratch.path()).value().files(100, 64, [](const Folder::Entry&) { return false; });
    ASSERT_FALSE(listed.ok());
    EXPECT_THAT(listed.error().message, HasSubstr(" bytes is too long, at most 4095 work"));
}

}  // namespace
}  // namespace modelseal::io
