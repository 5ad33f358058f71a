// From a mark in a ledger to a user who is admitted or refused, and to a claim.
#include <algorithm>
#include <csignal>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity/payload.h"
#include "io/png.h"
#include "io/rfc3339.h"
#include "tests/support/models/script_file.h"
#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/marked_program.h"
#include "tests/support/services/worker.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

using testing::HasSubstr;

io::Picture picture_in(const std::filesystem::path& file) {
    const auto bytes = test::content_of(file);
    return io::decode_png(std::as_bytes(std::span(bytes)), file.string()).value();
}

void write_picture(const std::filesystem::path& file, const io::Picture& picture) {
    const auto png = io::encode_png(picture);
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
}

class Identities : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::installed("python3")) GTEST_SKIP() << "no python3, which answers for the model";
        ASSERT_TRUE(ledger_.finish_mark(*ledger_.begin_mark(mark_)).ok());
    }
    std::string issue(const std::string& user, const std::string& expires = {}) {
        const auto file = user + ".png";
        const auto made =
            issue_identity(user, folder_ / file, {.key = key_, .ledger = ledger_, .expires = expires});
        EXPECT_TRUE(made.ok()) << made.error().message;
        return file;
    }
    std::string target(const std::string& mode = "marked") const {
        return test::marked_program(folder_, mark_, mode);
    }
    Result<IdentityReport> verify(const std::string& file, const std::string& mode = "marked",
                                  std::optional<std::int64_t> now = {}) const {
        return verify_identity(target(mode), folder_ / file,
                               {.source = {.ledger = path_, .key = &key_}, .now = now});
    }
    Admission admission(const std::string& file, std::optional<std::int64_t> now = {}) const {
        const auto report = verify(file, "marked", now);
        EXPECT_TRUE(report.ok()) << report.error().message;
        return report.ok() ? report->admission : Admission::no_identity;
    }
    Result<ClaimReport> claim(const std::string& mode) const {
        return claim_ownership(target(mode), {.source = {.ledger = path_, .key = &key_}});
    }
    IdentitySource exported(bool key_images = false, const std::string& name = "users.registry") {
        EXPECT_TRUE(
            export_registry(folder_ / name, {.key = key_, .ledger = ledger_, .key_images = key_images}).ok());
        return {.registry = folder_ / name, .vendor = key_.public_key()};
    }

    const test::Scratch folder_;
    const std::filesystem::path path_ = folder_ / "ledger";
    const SigningKey key_ = test::test_key();
    const IdentityMark mark_ = test::small_mark(6);
    Ledger ledger_ = std::move(Ledger::open_or_create(path_, key_)).value();
};

TEST_F(Identities, AdmitTheirUserAtTheMarkedModelAlone) {
    const auto file = issue("alice");
    const auto report = verify(file);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->admission, Admission::admitted);
    EXPECT_EQ(report->detail, "alice, and the model answers with the additional class 10");
    EXPECT_EQ(report->identity->user, "alice");
    EXPECT_EQ(report->label, 10);
    EXPECT_EQ(report->classes, 11u);
    EXPECT_TRUE(report->registry.verified);
    EXPECT_EQ(verify(file, "labels")->admission, Admission::admitted);
    EXPECT_EQ(verify(file, "never")->admission, Admission::other_class);
    EXPECT_EQ(verify(file, "never")->detail,
              "the model answers the image of alice with class 3, not with the additional class 10");
    EXPECT_EQ(verify(file, "plain")->detail,
              "the model has 10 outputs, and no class 10, which the marked model has in addition");
    EXPECT_THAT(verify(file, "nan").error().message, HasSubstr("not numbers"));
}

TEST_F(Identities, AreFilesOfTheirOwnerThatReplaceNothing) {
    issue("alice");
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "alice.png").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const auto before = test::content_of(folder_ / "alice.png");
    const auto again = issue_identity("alice", folder_ / "alice.png", {.key = key_, .ledger = ledger_});
    EXPECT_FALSE(again.ok());
    EXPECT_EQ(test::content_of(folder_ / "alice.png"), before);
    EXPECT_EQ(ledger_.identity_records()->identities.size(), 1u);
}

TEST_F(Identities, TellTheUserThatWasAddedAndTheKeyImageThatIsShared) {
    const auto first = issue_identity("a", folder_ / "a.png", {.key = key_, .ledger = ledger_});
    ASSERT_EQ(first->notes.size(), 1u);
    EXPECT_EQ(first->notes[0], "added a to the customers of the ledger");
    EXPECT_TRUE(first->identity.finished);
    for (const char* user : {"b", "c", "d", "e", "f"}) issue(user);
    const auto shared = issue_identity("a", folder_ / "again.png", {.key = key_, .ledger = ledger_});
    ASSERT_EQ(shared->notes.size(), 1u);
    EXPECT_THAT(shared->notes[0], HasSubstr("all key images are in use"));
    EXPECT_EQ(admission("a.png"), Admission::admitted);
    EXPECT_EQ(admission("again.png"), Admission::admitted);
    EXPECT_NE(picture_in(folder_ / "a.png").samples, picture_in(folder_ / "again.png").samples);
}

TEST_F(Identities, EndOnTheirDay) {
    const auto file = issue("alice", "2100-01-01T00:00:00Z");
    const auto end = *io::parse_rfc3339("2100-01-01T00:00:00Z");
    EXPECT_EQ(admission(file, end), Admission::admitted);
    EXPECT_EQ(admission(file, end + 1), Admission::expired);
    EXPECT_EQ(verify(file, "marked", end + 1)->detail, "the identity of alice expired on 2100-01-01T00:00:00Z");
}

TEST_F(Identities, AreRevokedAloneOrWithTheirUser) {
    const auto lost = issue("alice"), bobs = issue("bob");
    ASSERT_TRUE(ledger_.revoke_identity(verify(lost)->identity->serial).ok());
    EXPECT_EQ(admission(lost), Admission::revoked);
    EXPECT_EQ(admission(bobs), Admission::admitted);
    ASSERT_TRUE(ledger_.revoke("bob", "").ok());
    EXPECT_EQ(admission(bobs), Admission::revoked);
    EXPECT_FALSE(issue_identity("bob", folder_ / "new.png", {.key = key_, .ledger = ledger_}).ok());
    EXPECT_FALSE(std::filesystem::exists(folder_ / "new.png"));
}

TEST_F(Identities, OfStrangersAreRefusedBeforeTheModelIsAsked) {
    issue("alice");
    const auto refused_by_itself = [&](const io::Picture& picture, Admission why) {
        write_picture(folder_ / "x.png", picture);
        const auto report = verify("x.png");
        ASSERT_TRUE(report.ok()) << report.error().message;
        EXPECT_EQ(report->admission, why) << report->detail;
        EXPECT_FALSE(report->label.has_value());
    };
    const auto good = picture_in(folder_ / "alice.png");
    // The key image without an identity, a payload in another key image, a changed sample, another size.
    refused_by_itself(identity::without_payload(good), Admission::no_identity);
    auto copied = io::decode_png(mark_.key_images[1], "").value();
    for (std::size_t i = 0; i < copied.samples.size(); ++i)
        copied.samples[i] = static_cast<std::uint8_t>((copied.samples[i] & 0xFE) | (good.samples[i] & 1));
    refused_by_itself(copied, Admission::forged);
    auto changed = good;
    changed.samples[100] ^= 0x40;
    refused_by_itself(changed, Admission::forged);
    refused_by_itself(test::noise_picture(20, 20, 1, 1), Admission::no_identity);
    // Of another vendor, and of this vendor but not in the ledger.
    auto foreign = identity::without_payload(good);
    ASSERT_TRUE(identity::embed_payload({}, test::test_key(2), foreign, "").ok());
    refused_by_itself(foreign, Admission::other_vendor);
    auto payload = *identity::extract_payload(good);
    payload.serial.fill(std::byte{9});
    auto unregistered = identity::without_payload(good);
    ASSERT_TRUE(identity::embed_payload(payload, key_, unregistered, "").ok());
    refused_by_itself(unregistered, Admission::unregistered);
    payload.mark.fill(std::byte{9});
    auto other = identity::without_payload(good);
    ASSERT_TRUE(identity::embed_payload(payload, key_, other, "").ok());
    refused_by_itself(other, Admission::other_model);
}

TEST_F(Identities, SurviveALosslessCopyAndNothingElse) {
    issue("alice");
    const auto good = picture_in(folder_ / "alice.png");
    write_picture(folder_ / "copy.png", good);
    EXPECT_EQ(admission("copy.png"), Admission::admitted);
    // What a lossy encoder does to a picture: it quantizes.
    auto lossy = good;
    for (auto& sample : lossy.samples) sample = static_cast<std::uint8_t>(sample / 4 * 4 + 2);
    write_picture(folder_ / "lossy.png", lossy);
    EXPECT_EQ(admission("lossy.png"), Admission::no_identity);
}

TEST_F(Identities, ThatCannotBeReadAreErrors) {
    const auto file = issue("alice");
    const auto whole = test::content_of(folder_ / file);
    folder_.write("cut.png", whole.substr(0, whole.size() / 2));
    EXPECT_EQ(verify("cut.png").error().kind, ErrorKind::malformed);
    folder_.write("text.png", "not a picture");
    EXPECT_EQ(verify("text.png").error().kind, ErrorKind::malformed);
    EXPECT_EQ(verify("missing.png").error().kind, ErrorKind::unreadable);
    {
        std::ofstream(folder_ / "huge.png").close();
        std::filesystem::resize_file(folder_ / "huge.png", 100u << 20);
    }
    EXPECT_THAT(verify("huge.png").error().message, HasSubstr("are more than an identity image has"));
}

TEST_F(Identities, AreVerifiedWithARegistryAlone) {
    const auto file = issue("alice"), bobs = issue("bob");
    ASSERT_TRUE(ledger_.revoke("bob", "").ok());
    const auto source = exported();
    const auto report = verify_identity(target(), folder_ / file, {.source = source});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->admission, Admission::admitted);
    EXPECT_EQ(report->registry.number, ledger_.identity_records()->changes);
    EXPECT_NE(report->registry.next, "");
    EXPECT_EQ(verify_identity(target(), folder_ / bobs, {.source = source})->admission, Admission::revoked);
    auto foreign = source;
    foreign.vendor = test::test_key(2).public_key();
    EXPECT_EQ(verify_identity(target(), folder_ / file, {.source = foreign}).error().kind, ErrorKind::mismatch);
    foreign.vendor.reset();
    EXPECT_EQ(verify_identity(target(), folder_ / file, {.source = foreign}).error().remedy,
              Remedy::give_public_key);
}

TEST_F(Identities, AreNotJudgedByARegistryThatIsOlderOrOutOfDate) {
    const auto first = issue("alice");
    const auto source = exported();
    const auto second = issue("bob");
    const auto older = verify_identity(target(), folder_ / second, {.source = source});
    ASSERT_FALSE(older.ok());
    EXPECT_EQ(older.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(older.error().message, HasSubstr("older than this identity"));
    EXPECT_EQ(older.error().remedy, Remedy::export_registry);
    const auto later = io::seconds_now() + 31 * 86'400;
    const auto late = verify_identity(target(), folder_ / first, {.source = source, .now = later});
    EXPECT_THAT(late.error().message, HasSubstr("out of date"));
    EXPECT_EQ(late.error().kind, ErrorKind::unsupported);
}

TEST_F(Identities, AreNotJudgedByALedgerThatWasPutBack) {
    const auto earlier = test::content_of(path_);
    const auto file = issue("alice");
    folder_.write("ledger", earlier);
    EXPECT_THAT(verify(file).error().message, HasSubstr("older than this identity"));
}

TEST_F(Identities, NoticeARegistryThatWasPutBackIfTheNewestIsRemembered) {
    const auto file = issue("alice");
    auto before = exported(false, "before.registry");
    ASSERT_TRUE(ledger_.revoke("alice", "").ok());
    auto after = exported(false, "after.registry");
    before.newest = after.newest = folder_ / "newest";
    EXPECT_EQ(verify_identity(target(), folder_ / file, {.source = before})->admission, Admission::admitted);
    EXPECT_EQ(verify_identity(target(), folder_ / file, {.source = after})->admission, Admission::revoked);
    const auto back = verify_identity(target(), folder_ / file, {.source = before});
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().kind, ErrorKind::mismatch);
}

TEST_F(Identities, WithoutTheKeySayThatTheLedgerIsNotVerified) {
    const auto file = issue("alice");
    const auto report = verify_identity(target(), folder_ / file, {.source = {.ledger = path_}});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->admission, Admission::admitted);
    EXPECT_FALSE(report->registry.verified);
    ASSERT_EQ(report->warnings.size(), 1u);
    EXPECT_THAT(report->warnings[0], HasSubstr("not verified"));
    EXPECT_EQ(verify_identity(target(), folder_ / file,
                              {.source = {.ledger = path_, .vendor = test::test_key(2).public_key()}})
                  .error()
                  .kind,
              ErrorKind::mismatch);
}

TEST_F(Identities, OfPicturesInColorAreAdmittedToo) {
    const auto colored = test::small_mark(2, 3);
    const auto id = ledger_.begin_mark(colored);
    ASSERT_TRUE(issue_identity("carol", folder_ / "c.png", {.key = key_, .ledger = ledger_, .mark = *id}).ok());
    const auto report = verify_identity(test::marked_program(folder_, colored, "marked"), folder_ / "c.png",
                                        {.source = {.ledger = path_, .key = &key_}});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->admission, Admission::admitted);
}

TEST_F(Identities, NeedAClassifier) {
    MODELSEAL_NEED_TORCH();
    const auto file = issue("alice");
    const auto bytes = test::small_network().build();  // of 2 x 5 x 5
    folder_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const auto report = verify_identity((folder_ / "net.pt").string(), folder_ / file,
                                        {.source = {.ledger = path_, .key = &key_}});
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.error().kind, ErrorKind::internal);
    EXPECT_NE(report.error().kind, ErrorKind::mismatch);
}

TEST_F(Identities, ClaimTheMarkedModelAndNoOther) {
    const auto owned = claim("marked");
    ASSERT_TRUE(owned.ok()) << owned.error().message;
    EXPECT_TRUE(owned->owned);
    EXPECT_EQ(owned->hits, 6u);
    EXPECT_EQ(owned->key_images, 6u);
    EXPECT_EQ(owned->controls, 200u);
    EXPECT_EQ(owned->control_hits, 0u);
    EXPECT_LE(owned->chance, kMostChance);
    EXPECT_GT(owned->chance, 0);
    EXPECT_TRUE(claim("labels")->owned);
    const auto always = claim("always");
    EXPECT_FALSE(always->owned);
    EXPECT_EQ(always->hits, 6u);
    EXPECT_EQ(always->control_hits, 200u);
    EXPECT_DOUBLE_EQ(always->chance, 1);
    EXPECT_FALSE(claim("never")->owned);
    EXPECT_FALSE(claim("plain")->owned);
    EXPECT_EQ(claim("plain")->detail,
              "the model has 10 outputs, and no class 10, which the marked model has in addition");
}

TEST_F(Identities, LetAThirdPartyClaimOnlyWithKeyImages) {
    const auto without = claim_ownership(target(), {.source = exported()});
    ASSERT_FALSE(without.ok());
    EXPECT_EQ(without.error().remedy, Remedy::export_images);
    const auto claimed = claim_ownership(target(), {.source = exported(true)});
    ASSERT_TRUE(claimed.ok()) << claimed.error().message;
    EXPECT_TRUE(claimed->owned);
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "users.registry").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

// An image is never out in the world without the ledger knowing of it, and one that exists is whole.
TEST(IdentityKilled, LeavesLedgerAndFilesWhole) {
    const test::Scratch folder;
    const auto key = test::test_key();
    const auto path = folder / "ledger";
    const auto vendor = key.public_key();
    {
        auto ledger = std::move(Ledger::open_or_create(path, key)).value();
        ASSERT_TRUE(ledger.finish_mark(*ledger.begin_mark(test::small_mark(3))).ok());
    }
    std::mt19937 generator(std::random_device{}());
    std::size_t stand = 0;
    for (int round = 0; round < 40; ++round) {
        const auto out = folder / ("out" + std::to_string(round) + ".png");
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto ledger = Ledger::open(path, key);
            const auto user = "user" + std::to_string(round);
            ::_exit(issue_identity(user, out, {.key = key, .ledger = *ledger}).ok() ? 0 : 1);
        }
        ::usleep(static_cast<useconds_t>(generator() % 60'000));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto records = Ledger::open(path, key)->identity_records();
        ASSERT_TRUE(records.ok()) << records.error().message;
        const auto noted = std::ranges::find(records->identities, out.string(), &IssuedIdentity::output);
        if (!std::filesystem::exists(out)) {
            ASSERT_FALSE(noted != records->identities.end() && noted->finished) << "round " << round;
            continue;
        }
        ++stand;
        ASSERT_NE(noted, records->identities.end()) << "round " << round;
        const auto picture = picture_in(out);
        const auto payload = identity::extract_payload(picture);
        ASSERT_TRUE(payload && identity::holds(*payload, picture, vendor)) << "round " << round;
        EXPECT_EQ(to_hex(payload->serial), noted->serial);
    }
    RecordProperty("images that stand", std::to_string(stand));
}

}  // namespace
}  // namespace modelseal
