// What a cache of checks answers: the same as a check, and nothing about a model that anybody has touched.
#include "jobs/many/cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "report/report.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/policy.h>

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
    }
    CheckCache open(const std::string& question = kQuestion) {
        auto cache = CheckCache::open(scratch / "cache", "modelseal 1", question);
        if (!cache.ok()) throw std::runtime_error(cache.error().message);
        return std::move(cache).value();
    }
    Result<CheckReport> check(const Target& target) const {
        return check_model(target.path,
                           {.seal = SealCheck{.keys = {public_check_key(vendor.public_key())}}, .jobs = 1});
    }
    // As if nobody had touched the files for a while.
    static CheckCache::Clock::time_point later() { return CheckCache::Clock::now() + std::chrono::minutes(1); }
    // What a run makes of a target: whether the cache knows it.
    bool known(const Target& target, const std::string& question = kQuestion) {
        auto cache = open(question);
        const auto look = cache.look(target, later());
        if (look.known) return true;
        const auto report = check(target);
        if (report.ok()) cache.keep(target, look, *report);
        EXPECT_TRUE(cache.finish().ok());
        return false;
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
    cache.keep(target(), look, check(target()).value());
    ASSERT_TRUE(cache.finish().ok());
    EXPECT_FALSE(open().look(target(), later()).known);
}

TEST_F(Cache, KeepsNothingThatChangesDuringTheCheck) {
    auto cache = open();
    const auto look = cache.look(target(), later());
    const auto report = check(target()).value();
    ASSERT_TRUE(look.lasting);
    fs::last_write_time(scratch / "net.st", fs::file_time_type::clock::now());
    cache.keep(target(), look, report);
    ASSERT_TRUE(cache.finish().ok());
    EXPECT_FALSE(open().look(target(), later()).known);
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
    scratch.write("net/w.safetensors",
                  test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 2)}}));
    scratch.write("net/config.json", "{}");
    ASSERT_TRUE(seal_model(scratch / "net", scratch / "folder",
                           {.key = vendor, .check = public_check_key(vendor.public_key())})
                    .ok());
    const auto folder = target("folder");
    EXPECT_FALSE(known(folder));
    EXPECT_TRUE(known(folder));
    scratch.write("folder/extra.bin", "x");
    EXPECT_FALSE(known(folder)) << "a new file";
    fs::remove(scratch / "folder/extra.bin");
    EXPECT_FALSE(known(folder)) << "the folder was changed, though it lists what it did";
    EXPECT_TRUE(known(folder));
    scratch.write("folder/config.json", "[]");
    EXPECT_FALSE(known(folder));
    EXPECT_FALSE(known(folder)) << "its frame changed";
}

TEST_F(Cache, KnowsTheFilesThatAnIndexNames) {
    const auto shard = [&](const char* name, unsigned seed) {
        scratch.write(std::string("net/") + name + ".safetensors",
                      test::safetensors_file({{name, "F32", {60'000}, test::float_weights(60'000, seed)}}));
    };
    shard("a", 1);
    shard("b", 2);
    scratch.write("net/model.safetensors.index.json",
                  R"({"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})");
    ASSERT_TRUE(seal_model(scratch / "net", scratch / "folder",
                           {.key = vendor, .check = public_check_key(vendor.public_key())})
                    .ok());
    const auto index = target("folder/model.safetensors.index.json");
    ASSERT_EQ(check(index)->verdict, Verdict::intact) << check(index)->error;
    EXPECT_FALSE(known(index));
    EXPECT_TRUE(known(index));
    fs::last_write_time(scratch / "folder/b.safetensors", fs::file_time_type::clock::now());
    EXPECT_FALSE(known(index));
}

TEST_F(Cache, KnowsNoModelBesideWhichASignatureAppeared) {
    EXPECT_FALSE(known(target()));
    scratch.write("net.st.sig", "{}");
    EXPECT_FALSE(known(target()));
}

TEST_F(Cache, KeepsNoRulingButLetIn) {
    scratch.write("v.pub", public_key_pem(vendor.public_key()));
    scratch.write("policy.toml", R"(version = 1
[[vendor]]
name = "acme"
keys = ["v.pub"]
[[model]]
match = "new/**"
minimum = { version = "2" }
audit = "warn"
[[model]]
match = "**"
)");
    const auto policy = Policy::load(scratch / "policy.toml").value();
    const auto known_as = [&](const std::string& name) {
        auto cache = open();
        const Target named{target().path, name};
        const auto look = cache.look(named, later());
        auto report = policy.check(named.path, {.name = name, .jobs = 1}).value();
        if (look.known) {
            EXPECT_EQ(report::to_json_line(*look.known), report::to_json_line(report));
        }
        cache.keep(named, look, report);
        EXPECT_TRUE(cache.finish().ok());
        return look.known.has_value();
    };
    EXPECT_FALSE(known_as("acme/net"));
    EXPECT_TRUE(known_as("acme/net"));
    EXPECT_FALSE(known_as("new/net"));
    EXPECT_FALSE(known_as("new/net")) << "a warning is given every time";
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
