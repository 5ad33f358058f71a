// Signing again without reading unchanged files: what is reused, what is not, and that the signature is the one of a complete reading.
#include "jobs/signed_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "crypto/hash.h"
#include "report/summaries.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SignAgain : public testing::Test {
  protected:
    SignAgain() {
        fs::create_directory(folder);
        for (const unsigned i : {1u, 2u}) write_shard(i, i);
        scratch.write("m/README.md", "one");
        fs::permissions(scratch.path(), fs::perms::owner_all);
    }
    void write_shard(unsigned number, unsigned seed) {
        scratch.write(
            fmt::format("m/model-0000{}-of-00002.safetensors", number),
            test::safetensors_file(
                {{fmt::format("w{}", number), "F32", {400'000}, test::float_weights(400'000, seed)}}));
    }
    fs::path shard(unsigned number) const {
        return folder / fmt::format("model-0000{}-of-00002.safetensors", number);
    }
    Result<SignSummary> sign(const fs::path& reuse = {}) {
        return jobs::sign_with_cache(folder, options, scratch / "cache", reuse,
                                     jobs::SignedFiles::Clock::now() + std::chrono::seconds(60));
    }
    bool is_valid() const {
        const auto found =
            verify_model(folder, {.signature = options.signature, .public_keys = {options.key.public_key()}});
        return found.ok() && found->outcome == SignatureFinding::Outcome::valid;
    }

    test::Scratch scratch;
    const fs::path folder = scratch / "m";
    SignOptions options{.key = SigningKey::generate(KeyType::p256), .signature = folder / "model.sig"};
};

TEST_F(SignAgain, AfterAnEditOfTheReadmeReadsTheReadmeAlone) {
    const auto first = sign().value();
    EXPECT_THAT(first.reused, IsEmpty());
    scratch.write("m/README.md", "two");
    const auto again = sign(options.signature).value();
    EXPECT_THAT(again.reused, ElementsAre(shard(1).filename(), shard(2).filename()));
    EXPECT_EQ(again.reused_bytes, fs::file_size(shard(1)) + fs::file_size(shard(2)));
    EXPECT_EQ(again.files, 3u);
    EXPECT_EQ(again.tensors, 2u);
    EXPECT_THAT(again.warnings, IsEmpty());
    EXPECT_TRUE(is_valid());
    EXPECT_EQ(sign_model(folder, options).value().root, again.root) << "as if all had been read";
    const auto text = report::to_text(again, "m", "m/model.sig", {});
    EXPECT_THAT(text, HasSubstr("2 of 3 files (3.2 MB) not read, digests are those of the earlier signature:"));
    EXPECT_THAT(text, HasSubstr("model-00001-of-00002.safetensors"));
    const auto json = nlohmann::json::parse(report::to_json(again, "m", "m/model.sig"));
    EXPECT_EQ(json["reused"].size(), 2u);
    EXPECT_EQ(json["reused_bytes"], again.reused_bytes);
    // And the next one from this one.
    EXPECT_EQ(sign(options.signature).value().reused.size(), 3u);
}

TEST_F(SignAgain, ReadsAFileThatWasWrittenWhateverItsTimes) {
    ASSERT_TRUE(sign().ok());
    struct stat before {};
    ASSERT_EQ(::stat(shard(1).c_str(), &before), 0);
    auto bytes = test::content_of(shard(1));
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    scratch.write(shard(1), bytes);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, shard(1).c_str(), times, 0), 0);
    const auto again = sign(options.signature).value();
    EXPECT_THAT(again.reused, ElementsAre("README.md", shard(2).filename()));
    EXPECT_TRUE(is_valid());
}

TEST_F(SignAgain, ReadsAFileThatWasReplacedByACopy) {
    ASSERT_TRUE(sign().ok());
    fs::copy_file(shard(2), folder / "copy");
    fs::rename(folder / "copy", shard(2));
    EXPECT_THAT(sign(options.signature).value().reused, ElementsAre("README.md", shard(1).filename()));
}

TEST_F(SignAgain, ReadsWhatNoCacheKnows) {
    ASSERT_TRUE(sign_model(folder, options).ok());
    EXPECT_THAT(sign(options.signature).value().reused, IsEmpty());
    fs::remove(scratch / "cache");
    EXPECT_THAT(sign(options.signature).value().reused, IsEmpty());
}

TEST_F(SignAgain, KeepsNothingOfFilesThatWereJustWritten) {
    ASSERT_TRUE(jobs::sign_with_cache(folder, options, scratch / "cache", {}).ok());
    EXPECT_THAT(sign(options.signature).value().reused, IsEmpty());
}

TEST_F(SignAgain, TrustsASignatureOfTheSameKeyAlone) {
    ASSERT_TRUE(sign().ok());
    options.key = SigningKey::generate(KeyType::p256);
    EXPECT_EQ(sign(options.signature).error().kind, ErrorKind::mismatch);
    scratch.write("junk.sig", "{}");
    EXPECT_FALSE(sign(scratch / "junk.sig").ok());
}

TEST_F(SignAgain, NeedsDigestsOfTheSameKind) {
    ASSERT_TRUE(sign().ok());
    options.blake2b = true;
    EXPECT_EQ(sign(options.signature).error().kind, ErrorKind::usage);
    options.blake2b = false;
    options.shard_size = 1'000'000;
    EXPECT_EQ(sign(options.signature).error().kind, ErrorKind::usage);
    ASSERT_TRUE(sign().ok());
    scratch.write("m/README.md", "two");
    EXPECT_EQ(sign(options.signature).value().reused.size(), 2u) << "shards are reused as well";
    EXPECT_TRUE(is_valid());
}

TEST_F(SignAgain, OfASingleFileReadsNothing) {
    const auto file = scratch.write("one.safetensors", test::content_of(shard(1)));
    options.signature = scratch / "one.sig";
    const auto sign_one = [&](const fs::path& reuse) {
        return jobs::sign_with_cache(file, options, scratch / "cache", reuse,
                                     jobs::SignedFiles::Clock::now() + std::chrono::seconds(60))
            .value();
    };
    sign_one({});
    const auto again = sign_one(options.signature);
    EXPECT_THAT(again.reused, ElementsAre("one.safetensors"));
    EXPECT_EQ(again.tensors, 1u);
    const auto found =
        verify_model(file, {.signature = options.signature, .public_keys = {options.key.public_key()}});
    EXPECT_EQ(found->outcome, SignatureFinding::Outcome::valid);
}

// A row that says the present state of a changed file: as if the file system had not noticed the change.
TEST_F(SignAgain, ComparesASampleOfTheBytes) {
    const auto root = sign().value().root;
    scratch.write("m/README.md", "two");
    struct stat now {};
    ASSERT_EQ(::stat((folder / "README.md").c_str(), &now), 0);
    {
        auto own = jobs::OwnDatabase::open(scratch / "cache", {0x6d737369, 1, "", ""}).value();
        auto select =
            own.database.prepare("SELECT seed, sample FROM files WHERE root = ? AND name = 'README.md'")
                .value();
        ASSERT_TRUE(select.bind(root).step().value());
        const auto seed = select.bytes(0), sample = select.bytes(1);
        const auto state = crypto::Sha256()
                               .update_number(now.st_dev)
                               .update_number(now.st_ino)
                               .update_number(static_cast<std::uint64_t>(now.st_size))
                               .update_number(static_cast<std::uint64_t>(now.st_ctim.tv_sec) * 1'000'000'000 +
                                              static_cast<std::uint64_t>(now.st_ctim.tv_nsec))
                               .finish();
        const auto sum = crypto::Sha256()
                             .update_text("modelseal signed file")
                             .update_text(root)
                             .update_number(9)
                             .update_text("README.md")
                             .update(state)
                             .update(seed)
                             .update(sample)
                             .finish();
        const auto bytes = [](const auto& array) { return std::span<const std::byte>(array); };
        auto update =
            own.database.prepare("UPDATE files SET state = ?, sum = ? WHERE root = ? AND name = 'README.md'")
                .value();
        ASSERT_TRUE(update.bind(bytes(state)).bind(bytes(sum)).bind(root).run().ok());
    }
    EXPECT_THAT(sign(options.signature).value().reused, ElementsAre(shard(1).filename(), shard(2).filename()));
    EXPECT_TRUE(is_valid());
}

TEST_F(SignAgain, ADamagedCacheIsAnError) {
    ASSERT_TRUE(sign().ok());
    {
        auto own = jobs::OwnDatabase::open(scratch / "cache", {0x6d737369, 1, "", ""}).value();
        ASSERT_TRUE(own.database.run("UPDATE files SET sample = zeroblob(32)").ok());
    }
    EXPECT_EQ(sign(options.signature).error().kind, ErrorKind::malformed);
    scratch.write("cache", "not a database");
    EXPECT_EQ(sign().error().kind, ErrorKind::malformed);
}

TEST_F(SignAgain, OnTheCommandLineNeedsACache) {
    scratch.write("s.key", signing_key_pem(options.key, {}).value());
    const auto run = [&](const test::Words& words) {
        return test::run(test::modelseal(words), {.folder = scratch.path()});
    };
    EXPECT_EQ(run({"sign", "m", "-k", "s.key", "--reuse", "m.sig"}).code, 2);
    EXPECT_EQ(run({"sign", "m", "-k", "s.key", "--cache", "cache"}).code, 0);
    const auto again = run({"sign", "m", "-k", "s.key", "--cache", "cache", "--reuse", "m.sig"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("signed"));
}

}  // namespace
}  // namespace modelseal
