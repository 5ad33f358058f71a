// What a cache of checks answers: the same as a check, and nothing about a model that anybody has touched.
#include "jobs/many/cache.h"

#include <limits>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "io/file_state.h"
#include "report/report.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Cache : public testing::Test {
  protected:
    static constexpr const char* kQuestion = "keys and expectations";

    void SetUp() override {
        const auto half = test::float_weights(60'000, 1);
        scratch.write("net.st",
                      test::sealed_bytes(test::safetensors_file({{"w", "F32", {60'000}, half}}), vendor));
        const int file = ::open((scratch / "net.st").c_str(), O_RDONLY | O_CLOEXEC);
        const bool shows = io::changes_show(file, std::numeric_limits<std::int64_t>::max());
        ::close(file);
        if (!shows) GTEST_SKIP() << "the file system of " << scratch.path() << " does not show every change";
    }
    void touch(const char* name) const {
        fs::last_write_time(scratch / name, fs::file_time_type::clock::now());
    }
    // Of two shards, their index and a configuration.
    void seal_folder() const {
        for (const char* name : {"a", "b"}) {
            const auto weights = test::float_weights(60'000, static_cast<unsigned>(name[0]));
            scratch.write(std::string("net/") + name + ".safetensors",
                          test::safetensors_file({{name, "F32", {60'000}, weights}}));
        }
        scratch.write("net/model.safetensors.index.json",
                      R"({"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})");
        scratch.write("net/config.json", "{}");
        ASSERT_TRUE(seal_model(scratch / "net", scratch / "folder",
                               {.key = vendor, .check = public_check_key(vendor.public_key())})
                        .ok());
    }
    CheckCache open(const std::string& question = kQuestion) {
        auto cache = CheckCache::open(scratch / "cache", "modelseal 1", question);
        if (!cache.ok()) throw std::runtime_error(cache.error().message);
        return std::move(cache).value();
    }
    Result<CheckReport> check(const Target& target, FilesRead* read = nullptr) const {
        return jobs::check_model(
            target.path, {.seal = SealCheck{.keys = {public_check_key(vendor.public_key())}}, .jobs = 1}, read);
    }
    // As if nobody had touched the files for a while.
    static CheckCache::Clock::time_point later() { return CheckCache::Clock::now() + std::chrono::minutes(1); }
    // What a run makes of a target: whether the cache knows it.
    bool known(const Target& target, const std::string& question = kQuestion) {
        auto cache = open(question);
        const auto look = cache.look(target, later());
        if (look.known) return true;
        check_and_keep(cache, target, look);
        return false;
    }
    void check_and_keep(CheckCache& cache, const Target& target, const CheckCache::Look& look) const {
        FilesRead read;
        const auto report = check(target, &read);
        if (report.ok()) cache.keep(target, look, read, *report);
        EXPECT_TRUE(cache.finish().ok());
    }
    Target target(const std::string& name = "net.st") const { return {(scratch / name).string(), name}; }

    const test::Scratch scratch;
    const SigningKey vendor = test::test_key();
};

TEST_F(Cache, AnswersAsTheCheckDid) {
    EXPECT_FALSE(known(target()));
    auto cache = open();
    const auto look = cache.look(target(), later());
    ASSERT_TRUE(look.known);
    EXPECT_EQ(report::to_json_line(*look.known), report::to_json_line(check(target()).value()));
    EXPECT_THAT(report::to_json_line(*look.known, report::Source::cache), HasSubstr("\"cached\":true"));
    EXPECT_THAT(report::to_text(*look.known, {.source = report::Source::cache}), HasSubstr("(from the cache)"));
}

TEST_F(Cache, KeepsNothingThatChangedJustNow) {
    auto cache = open();
    const auto look = cache.look(target());
    EXPECT_FALSE(look.lasting);
    check_and_keep(cache, target(), look);
    EXPECT_FALSE(open().look(target(), later()).known);
}

TEST_F(Cache, KeepsNothingThatChangesBeforeItIsRead) {
    auto cache = open();
    const auto look = cache.look(target(), later());
    ASSERT_TRUE(look.lasting);
    touch("net.st");
    check_and_keep(cache, target(), look);
    EXPECT_FALSE(open().look(target(), later()).known);
}

// Its time of change says nothing of what a writer does that began before.
TEST_F(Cache, KeepsNothingThatSomebodyMayWriteTo) {
    auto cache = open();
    const int writer = ::open((scratch / "net.st").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(writer, 0);
    EXPECT_FALSE(cache.look(target(), later()).lasting);
    void* const mapped = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    ::close(writer);
    EXPECT_FALSE(cache.look(target(), later()).lasting) << "mapped";
    ::munmap(mapped, 4096);
    EXPECT_TRUE(cache.look(target(), later()).lasting);
}

TEST_F(Cache, NoticesAWriteThroughAMapping) {
    EXPECT_FALSE(known(target()));
    EXPECT_TRUE(known(target()));
    const int writer = ::open((scratch / "net.st").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(writer, 0);
    auto* const mapped =
        static_cast<char*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0));
    ASSERT_NE(mapped, MAP_FAILED);
    ::close(writer);
    mapped[4000] = static_cast<char>(mapped[4000] ^ 1);
    EXPECT_FALSE(known(target()));
    ::munmap(mapped, 4096);
}

// A path that leads elsewhere while it is checked, and back again.
TEST_F(Cache, KeepsOnlyWhatTheCheckOpened) {
    fs::create_directory(scratch / "a");
    fs::create_directory(scratch / "b");
    fs::copy_file(scratch / "net.st", scratch / "a/net.st");
    auto tampered = test::content_of(scratch / "net.st");
    tampered[tampered.size() / 2] = static_cast<char>(tampered[tampered.size() / 2] ^ 1);
    scratch.write("b/net.st", tampered);
    const auto lead_to = [&](const char* folder) {
        fs::remove(scratch / "way");
        fs::create_directory_symlink(scratch / folder, scratch / "way");
    };
    auto cache = open();
    lead_to("b");
    const auto look = cache.look(target("way/net.st"), later());
    ASSERT_TRUE(look.lasting);
    lead_to("a");
    FilesRead read;
    const auto report = check(target("way/net.st"), &read);
    ASSERT_EQ(report->verdict, Verdict::intact);
    lead_to("b");
    cache.keep(target("way/net.st"), look, read, *report);
    ASSERT_TRUE(cache.finish().ok());
    EXPECT_FALSE(open().look(target("way/net.st"), later()).known);
}

TEST_F(Cache, FollowsAPathAnewEachTime) {
    fs::create_directories(scratch / "a/in");
    fs::create_directories(scratch / "b/in");
    fs::copy_file(scratch / "net.st", scratch / "a/net.st");
    scratch.write("b/net.st", "another");
    fs::create_directory_symlink(scratch / "a/in", scratch / "way");
    const auto behind = target("way/../net.st");
    EXPECT_FALSE(known(behind));
    EXPECT_TRUE(known(behind));
    fs::remove(scratch / "way");
    fs::create_directory_symlink(scratch / "b/in", scratch / "way");
    EXPECT_FALSE(known(behind));
}

TEST_F(Cache, DoesNotKnowChangedBytesUnderTheOldTime) {
    EXPECT_FALSE(known(target()));
    EXPECT_TRUE(known(target()));
    struct stat before {};
    ASSERT_EQ(::stat((scratch / "net.st").c_str(), &before), 0);
    auto content = test::content_of(scratch / "net.st");
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    scratch.write("net.st", content);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, (scratch / "net.st").c_str(), times, 0), 0);
    EXPECT_FALSE(known(target()));
    EXPECT_FALSE(known(target())) << "tampered: never kept";
    EXPECT_EQ(check(target())->verdict, Verdict::tampered);
}

TEST_F(Cache, DoesNotKnowAnotherFileUnderTheSameName) {
    EXPECT_FALSE(known(target()));
    struct stat before {};
    ASSERT_EQ(::stat((scratch / "net.st").c_str(), &before), 0);
    fs::copy_file(scratch / "net.st", scratch / "other.st");
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, (scratch / "other.st").c_str(), times, 0), 0);
    fs::rename(scratch / "other.st", scratch / "net.st");
    EXPECT_FALSE(known(target()));
    EXPECT_TRUE(known(target()));
}

TEST_F(Cache, AnswersOneQuestionOnly) {
    EXPECT_FALSE(known(target()));
    EXPECT_FALSE(known(target(), "another key"));
    EXPECT_FALSE(known({target().path, "another name for the policy"}));
    auto other = CheckCache::open(scratch / "cache", "modelseal 2", kQuestion);
    ASSERT_TRUE(other.ok());
    EXPECT_FALSE(other->look(target(), later()).known) << "another release may see more";
    EXPECT_TRUE(known(target()));
}

TEST_F(Cache, KnowsNoFolderInWhichAnythingChanged) {
    seal_folder();
    const auto folder = target("folder");
    EXPECT_FALSE(known(folder));
    EXPECT_TRUE(known(folder));
    scratch.write("folder/extra.bin", "x");
    EXPECT_FALSE(known(folder)) << "a new file";
    fs::remove(scratch / "folder/extra.bin");
    EXPECT_TRUE(known(folder)) << "the same files as before";
    scratch.write("folder/config.json", "[]");
    EXPECT_FALSE(known(folder));
    EXPECT_FALSE(known(folder)) << "its frame changed";
}

// A check does not cover it, so a change to it would not be told.
TEST_F(Cache, KeepsNoFolderOfWhichAFileIsLeftOut) {
    seal_folder();
    scratch.write("folder/model.sig", "{}");
    EXPECT_FALSE(known(target("folder")));
    EXPECT_FALSE(known(target("folder")));
}

TEST_F(Cache, KnowsNoModelBesideWhichASignatureAppeared) {
    EXPECT_FALSE(known(target()));
    scratch.write("net.st.sig", "{}");
    EXPECT_FALSE(known(target()));
}

TEST_F(Cache, IsRefusedIfItIsSomethingElse) {
    const auto refused = [&] { return CheckCache::open(scratch / "cache", "modelseal 1", kQuestion).error(); };
    scratch.write("cache", "notes of mine, which nobody may overwrite, and more of them");
    EXPECT_THAT(refused().message, HasSubstr("not a cache of checks"));
    EXPECT_THAT(test::content_of(scratch / "cache"), HasSubstr("notes of mine"));
    fs::remove(scratch / "cache");
    { open(); }
    fs::permissions(scratch / "cache", fs::perms::group_write, fs::perm_options::add);
    EXPECT_THAT(refused().message, HasSubstr("others may write to it"));
    fs::permissions(scratch / "cache", fs::perms::group_write, fs::perm_options::remove);
    // Whoever may write to the folder can put a journal beside it, which SQLite would play back.
    fs::permissions(scratch.path(), fs::perms::others_write, fs::perm_options::add);
    EXPECT_THAT(refused().message, HasSubstr("others may write to it"));
    fs::permissions(scratch.path(), fs::perms::others_write, fs::perm_options::remove);
    fs::rename(scratch / "cache", scratch / "elsewhere");
    fs::create_symlink(scratch / "elsewhere", scratch / "cache");
    EXPECT_THAT(refused().message, HasSubstr("link"));
}

TEST_F(Cache, NeverAnswersAnythingElseAfterItWasDamaged) {
    EXPECT_FALSE(known(target()));
    const auto whole = test::content_of(scratch / "cache");
    const auto right = report::to_json_line(check(target()).value());
    unsigned refused = 0, silent = 0;
    for (std::size_t at = 0; at < whole.size(); at += 97) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
        scratch.write("cache", damaged);
        auto cache = CheckCache::open(scratch / "cache", "modelseal 1", kQuestion);
        if (!cache.ok()) {
            ++refused;
            continue;
        }
        const auto look = cache->look(target(), later());
        if (look.known) {
            EXPECT_EQ(report::to_json_line(*look.known), right) << at;
        } else {
            ++silent;
        }
    }
    EXPECT_GT(refused + silent, 0u);
    scratch.write("cache", whole.substr(0, whole.size() / 2));
    auto cut = CheckCache::open(scratch / "cache", "modelseal 1", kQuestion);
    EXPECT_TRUE(!cut.ok() || !cut->look(target(), later()).known);
}

}  // namespace
}  // namespace modelseal::jobs
