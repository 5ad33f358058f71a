#include "io/file.h"

#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace modelseal::io {
namespace {

using test::Scratch;
using testing::HasSubstr;

TEST(FileSource, ReadsAnyRangeAndNothingAfterTheEnd) {
    const Scratch scratch;
    const auto path = scratch.write("m.bin", "0123456789");
    const auto source = FileSource::open(path, "m.bin").value();
    EXPECT_EQ(source->size(), 10u);
    std::string text(4, ' ');
    ASSERT_TRUE(source->read(6, std::as_writable_bytes(std::span(text))).ok());
    EXPECT_EQ(text, "6789");
    EXPECT_EQ(source->read(7, std::as_writable_bytes(std::span(text))).error().kind, ErrorKind::unreadable);
    EXPECT_FALSE(source->read(~std::uint64_t{0}, std::as_writable_bytes(std::span(text))).ok());
}

TEST(FileSource, ReportsWhyAFileCannotBeOpened) {
    const Scratch scratch;
    const auto missing = FileSource::open(scratch / "none", "none");
    EXPECT_EQ(missing.error().kind, ErrorKind::unreadable);
    EXPECT_EQ(missing.error().message, "none: cannot open: not found");
    EXPECT_THAT(FileSource::open(scratch.path(), "folder").error().message, HasSubstr("is a directory"));
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(FileSource::open(scratch / "pipe", "pipe").error().message,
                HasSubstr("a regular file is needed"));
    EXPECT_THAT(FileSource::open("/dev/null", "null").error().message, HasSubstr("a regular file is needed"));
    const auto locked = scratch.write("locked", "x");
    ASSERT_EQ(::chmod(locked.c_str(), 0), 0);
    if (::geteuid() == 0) return;  // root may read everything
    EXPECT_THAT(FileSource::open(locked, "locked").error().message, HasSubstr("permission denied"));
}

TEST(FileSource, NoticesAFileThatChangesWhileItIsRead) {
    const Scratch scratch;
    const auto path = scratch.write("m.bin", "0123456789");
    auto source = FileSource::open(path, "m.bin").value();
    EXPECT_TRUE(source->unchanged().ok());

    scratch.write("m.bin", "0123");  // cut, in place
    EXPECT_THAT(source->unchanged().error().message, HasSubstr("was changed while it was read"));
    std::byte last[1];
    EXPECT_THAT(source->read(9, last).error().message, HasSubstr("was truncated"));

    source = FileSource::open(path, "m.bin").value();
    std::filesystem::rename(scratch.write("other", "abcd"), path);
    EXPECT_THAT(source->unchanged().error().message, HasSubstr("was replaced or removed"));
    EXPECT_TRUE(FileSource::open(path, "m.bin").value()->same_file(path));
    EXPECT_FALSE(source->same_file(path));
    source = FileSource::open(path, "m.bin").value();
    std::filesystem::remove(path);
    EXPECT_FALSE(source->unchanged().ok());
}

TEST(FileSource, NoticesAWriteOfTheSameLengthWithItsTimesSetBack) {
    const Scratch scratch;
    const auto path = scratch.write("m.bin", "0123456789");
    const auto before = std::filesystem::last_write_time(path);
    const auto source = FileSource::open(path, "m.bin").value();
    // The clock of file systems ticks in milliseconds: write until its tick has passed.
    for (int i = 0; i < 1000 && source->unchanged().ok(); ++i) {
        scratch.write("m.bin", "9876543210");
        std::filesystem::last_write_time(path, before);
        ::usleep(1000);
    }
    EXPECT_THAT(source->unchanged().error().message, HasSubstr("was changed"));
}

TEST(ReadText, ComparesWithTheCapAndReadsPipes) {
    const Scratch scratch;
    const auto path = scratch.write("t", "12345");
    EXPECT_EQ(read_text(path, 5).value(), "12345");
    EXPECT_EQ(read_text(scratch.write("bom", "\xEF\xBB\xBFtext"), 10).value(), "text");
    EXPECT_EQ(read_text(path, 4).error().kind, ErrorKind::malformed);
    EXPECT_THAT(read_text(scratch / "none", 4).error().message, HasSubstr("not found"));
    EXPECT_THAT(read_text(scratch.path(), 4).error().message, HasSubstr("is a directory"));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "piped", 5), 5);
    ::close(ends[1]);
    EXPECT_EQ(read_text("/dev/fd/" + std::to_string(ends[0]), 100).value(), "piped");
    ::close(ends[0]);
}

}  // namespace
}  // namespace modelseal::io
