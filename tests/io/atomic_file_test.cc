#include <csignal>
#include <functional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

constexpr Unseen kBothWays[] = {Unseen::nameless, Unseen::hidden};

std::size_t entries_of(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsCompleteAtCommitAndNotBefore) {
    for (const auto unseen : kBothWays) {
        const Scratch scratch;
        auto file = AtomicFile::create(scratch / "out", 0640, WriteMode::replace, unseen).value();
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
}

TEST(AtomicFile, HasNoNameBeforeTheCommitIfTheFileSystemSupportsIt) {
    const Scratch scratch;
    const int probe = ::open(scratch.path().c_str(), O_TMPFILE | O_RDWR, 0600);
    if (probe < 0) GTEST_SKIP() << "this file system has no O_TMPFILE";
    ::close(probe);
    const auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace).value();
    EXPECT_EQ(entries_of(scratch.path()), 0u);
}

TEST(AtomicFile, LeavesNothingWithoutACommit) {
    for (const auto unseen : kBothWays) {
        const Scratch scratch;
        scratch.write("out", "earlier");
        {
            auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace, unseen).value();
            ASSERT_TRUE(file.write(0, bytes_of("half")).ok());
            auto moved = std::move(file);
            auto other = AtomicFile::create(scratch / "other", 0600, WriteMode::replace, unseen).value();
            moved = std::move(other);
        }
        EXPECT_EQ(content_of(scratch / "out"), "earlier");
        EXPECT_EQ(entries_of(scratch.path()), 1u);
    }
}

TEST(AtomicFile, ReplacesOrRefusesAsAsked) {
    for (const auto unseen : kBothWays) {
        const Scratch scratch;
        scratch.write("out", "earlier");
        auto refused = AtomicFile::create(scratch / "out", 0600, WriteMode::exclusive, unseen);
        EXPECT_THAT(refused.error().message, HasSubstr("exists already"));
        // ... also what came between create and commit.
        auto file = AtomicFile::create(scratch / "new", 0600, WriteMode::exclusive, unseen).value();
        scratch.write("new", "somebody else's");
        EXPECT_THAT(file.commit().error().message, HasSubstr("exists already"));
        EXPECT_EQ(content_of(scratch / "new"), "somebody else's");

        auto replacing = AtomicFile::create(scratch / "out", 0600, WriteMode::replace, unseen).value();
        ASSERT_TRUE(replacing.write(0, bytes_of("later")).ok());
        ASSERT_TRUE(replacing.commit().ok());
        EXPECT_EQ(content_of(scratch / "out"), "later");
        auto fresh = AtomicFile::create(scratch / "fresh", 0600, WriteMode::exclusive, unseen).value();
        EXPECT_TRUE(fresh.commit().ok());
    }
}

TEST(AtomicFile, SecretsAreReadableByTheirOwnerOnly) {
    for (const auto unseen : kBothWays) {
        const Scratch scratch;
        auto file = AtomicFile::create(scratch / "secret", 0600, WriteMode::exclusive, unseen).value();
        ASSERT_TRUE(file.commit().ok());
        struct stat status {};
        ASSERT_EQ(::stat((scratch / "secret").c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777u, 0600u);
    }
}

// A child writes one file after the other over an earlier one until it is killed.
TEST(AtomicFile, FileIsCompleteEvenIfTheWriterIsKilled) {
    for (const auto unseen : kBothWays) {
        const Scratch scratch;
        const std::string big(300'000, 'x');
        scratch.write("out", big + "0");
        for (int round = 0; round < 25; ++round) {
            const auto child = ::fork();
            ASSERT_GE(child, 0);
            if (child == 0) {
                for (unsigned i = 0;; ++i) {
                    auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace, unseen);
                    if (!file || !file->write(0, bytes_of(big)) ||
                        !file->write(big.size(), bytes_of(std::to_string(i % 10))) || !file->commit()) {
                        ::_exit(1);
                    }
                }
            }
            ::usleep(static_cast<useconds_t>(2000 + 617 * round % 5000));
            ASSERT_EQ(::kill(child, SIGKILL), 0);
            int status = 0;
            ASSERT_EQ(::waitpid(child, &status, 0), child);
            ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not write";
            const auto content = content_of(scratch / "out");
            ASSERT_EQ(content.size(), big.size() + 1);
            EXPECT_TRUE(content.starts_with(big));
        }
    }
}

enum class Outcome { well, wrong, cannot_try };

// In a child of its own, since limits and mounts stay.
Outcome in_child(const std::function<Outcome()>& work) {
    const auto child = ::fork();
    if (child == 0) ::_exit(static_cast<int>(work()));
    int status = 0;
    const bool ended = child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status);
    return ended ? static_cast<Outcome>(WEXITSTATUS(status)) : Outcome::wrong;
}

bool says(const Result<void>& result, const char* fragment) {
    return !result.ok() && result.error().kind == ErrorKind::unreadable && !result.error().hint.empty() &&
           result.error().message.find(fragment) != std::string::npos;
}

TEST(AtomicFile, ThatGrowsOverALimitLeavesTheEarlierOne) {
    const Scratch scratch;
    scratch.write("out", "earlier");
    const auto outcome = in_child([&] {
        const rlimit limit{4096, 4096};
        ::signal(SIGXFSZ, SIG_IGN);
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return Outcome::cannot_try;
        auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace).value();
        const char* fragment = "the file would be larger than the system allows";
        const auto written = file.write(0, bytes_of(std::string(5000, 'x')));
        return says(file.reserve(5000), fragment) && says(written, fragment) ? Outcome::well : Outcome::wrong;
    });
    EXPECT_EQ(outcome, Outcome::well);
    EXPECT_EQ(content_of(scratch / "out"), "earlier");
    EXPECT_EQ(entries_of(scratch.path()), 1u);
}

TEST(AtomicFile, ThatDoesNotFitOnTheDiskLeavesTheEarlierOne) {
    const Scratch scratch;
    const auto outcome = in_child([&] {
        // A small private disk.
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("modelseal", scratch.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
            return Outcome::cannot_try;
        }
        scratch.write("out", "earlier");
        for (const auto unseen : kBothWays) {
            auto file = AtomicFile::create(scratch / "out", 0600, WriteMode::replace, unseen).value();
            const char* fragment = "no space left on the device";
            if (!says(file.reserve(100'000), fragment)) return Outcome::wrong;
            if (!says(file.write(0, bytes_of(std::string(100'000, 'x'))), fragment)) return Outcome::wrong;
        }
        const bool kept = content_of(scratch / "out") == "earlier" && entries_of(scratch.path()) == 1;
        return kept ? Outcome::well : Outcome::wrong;
    });
    if (outcome == Outcome::cannot_try) GTEST_SKIP() << "may not mount a small disk";
    EXPECT_EQ(outcome, Outcome::well);
}

TEST(AtomicFile, ReportsAFolderWithoutPermission) {
    const Scratch scratch;
    std::filesystem::create_directory(scratch / "locked");
    ASSERT_EQ(::chmod((scratch / "locked").c_str(), 0555), 0);
    ASSERT_EQ(::chmod(scratch.path().c_str(), 0755), 0);
    const auto outcome = in_child([&] {
        if (::geteuid() == 0 && ::setuid(65534) != 0) return Outcome::cannot_try;  // root may write everywhere
        const auto written = write_text(scratch / "locked" / "out", "x", 0600, WriteMode::replace);
        return says(written, "permission denied") ? Outcome::well : Outcome::wrong;
    });
    if (outcome == Outcome::cannot_try) GTEST_SKIP() << "may not become somebody who is not root";
    EXPECT_EQ(outcome, Outcome::well);
}

TEST(AtomicFile, GoesThroughALinkAndRefusesWhatARenameWouldDestroy) {
    const Scratch scratch;
    std::filesystem::create_symlink("real", scratch / "link");
    EXPECT_THAT(write_text(scratch / "link", "x", 0644, WriteMode::replace).error().message,
                HasSubstr(": a symbolic link to a missing file"));
    scratch.write("real", "earlier");
    EXPECT_TRUE(write_text(scratch / "link", "new", 0644, WriteMode::replace).ok());
    EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
    EXPECT_EQ(content_of(scratch / "real"), "new");

    EXPECT_THAT(write_text(scratch.path(), "x", 0644, WriteMode::replace).error().message,
                HasSubstr("is a directory"));
    EXPECT_THAT(write_text("/dev/null", "x", 0644, WriteMode::replace).error().message,
                HasSubstr("not a regular file"));
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    for (const auto& to_a_pipe :
         {"/dev/fd/" + std::to_string(pipe[1]), "/proc/self/fd/" + std::to_string(pipe[1])}) {
        EXPECT_THAT(write_text(to_a_pipe, "x", 0644, WriteMode::replace).error().message,
                    HasSubstr("not a regular file"));
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
    EXPECT_THAT(write_text(scratch / "no" / "out", "x", 0644, WriteMode::replace).error().message,
                HasSubstr("there is no folder"));
}

TEST(AtomicFile, AcceptsTheLongestNames) {
    const Scratch scratch;
    EXPECT_TRUE(write_text(scratch / std::string(255, 'n'), "x", 0644, WriteMode::replace).ok());
    EXPECT_THAT(write_text(scratch / std::string(256, 'n'), "x", 0644, WriteMode::replace).error().message,
                HasSubstr("too long"));
}

}  // namespace
}  // namespace modelseal::io
