#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "tests/support/scratch.h"

namespace modelseal::io {
namespace {

using test::content_of;
using test::Scratch;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::size_t entries_of(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsWholeAtCommitAndNotBefore) {
    const Scratch scratch;
    auto file = AtomicFile::create(scratch / "out", 0640, WriteMode::replace).value();
    ASSERT_TRUE(file.reserve(6).ok());
    ASSERT_TRUE(file.write(3, bytes_of("def")).ok());
    ASSERT_TRUE(file.write(0, bytes_of("abc")).ok());
    std::byte back[2];
    ASSERT_TRUE(file.read(2, back).ok());
    EXPECT_EQ(back[1], std::byte{'d'});
    EXPECT_FALSE(file.read(5, back).ok());
    EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
    ASSERT_TRUE(file.commit().ok());
    EXPECT_EQ(content_of(scratch / "out"), "abcdef");
    EXPECT_EQ(entries_of(scratch.path()), 1u);
}

TEST(AtomicFile, LeavesNothingWithoutACommit) {
    const Scratch scratch;
    scratch.write("out", "earlier");
    {
        auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace).value();
        ASSERT_TRUE(file.write(0, bytes_of("half")).ok());
        auto moved = std::move(file);
        auto other = AtomicFile::create(scratch / "other", 0600, WriteMode::replace).value();
        moved = std::move(other);
    }
    EXPECT_EQ(content_of(scratch / "out"), "earlier");
    EXPECT_EQ(entries_of(scratch.path()), 1u);
}

TEST(AtomicFile, ExclusiveNeverReplaces) {
    const Scratch scratch;
    scratch.write("out", "earlier");
    const auto refused = AtomicFile::create(scratch / "out", 0600, WriteMode::exclusive);
    EXPECT_THAT(refused.error().message, HasSubstr("exists already"));
    // ... nor what came between create and commit.
    auto file = AtomicFile::create(scratch / "new", 0600, WriteMode::exclusive).value();
    scratch.write("new", "somebody else's");
    EXPECT_THAT(file.commit().error().message, HasSubstr("exists already"));
    EXPECT_EQ(content_of(scratch / "new"), "somebody else's");
    EXPECT_TRUE(write_text(scratch / "secret", "s", 0600, WriteMode::exclusive).ok());
    struct stat status {};
    ASSERT_EQ(::stat((scratch / "secret").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST(AtomicFile, GoesThroughALinkAndRefusesWhatARenameWouldDestroy) {
    const Scratch scratch;
    std::filesystem::create_symlink("real", scratch / "link");
    EXPECT_THAT(write_text(scratch / "link", "x", 0644, WriteMode::replace).error().message,
                HasSubstr("leads nowhere"));
    scratch.write("real", "earlier");
    EXPECT_TRUE(write_text(scratch / "link", "new", 0644, WriteMode::replace).ok());
    EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
    EXPECT_EQ(content_of(scratch / "real"), "new");

    EXPECT_THAT(write_text(scratch.path(), "x", 0644, WriteMode::replace).error().message,
                HasSubstr("is a directory"));
    EXPECT_THAT(write_text("/dev/null", "x", 0644, WriteMode::replace).error().message,
                HasSubstr("not a regular file"));
    EXPECT_THAT(write_text(scratch / "no" / "out", "x", 0644, WriteMode::replace).error().message,
                HasSubstr("not found"));
}

TEST(AtomicFile, TakesTheLongestNames) {
    const Scratch scratch;
    EXPECT_TRUE(write_text(scratch / std::string(255, 'n'), "x", 0644, WriteMode::replace).ok());
    EXPECT_THAT(write_text(scratch / std::string(256, 'n'), "x", 0644, WriteMode::replace).error().message,
                HasSubstr("too long"));
}

}  // namespace
}  // namespace modelseal::io
