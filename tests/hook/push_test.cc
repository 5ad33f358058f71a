// What git gives its hooks.
#include "hook/git/push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::hook {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

const std::string kOldId(40, '1'), kNewId(40, '2'), kNoId(40, '0'), kLongId(64, 'a');

TEST(PushInput, OfPreReceiveHasALineForEachRef) {
    const auto push = parse_push({}, kOldId + " " + kNewId + " refs/heads/main\n" + kNoId + " " + kNewId +
                                         " refs/tags/v1\n" + kOldId + " " + kNoId + " refs/heads/old\n");
    ASSERT_TRUE(push.ok()) << push.error().message;
    EXPECT_EQ(push->hook, Push::Hook::pre_receive);
    ASSERT_EQ(push->updates.size(), 3u);
    EXPECT_EQ(push->updates[0].ref, "refs/heads/main");
    EXPECT_EQ(push->updates[0].old_id, kOldId);
    EXPECT_EQ(push->updates[0].new_id, kNewId);
    EXPECT_EQ(push->updates[1].old_id, "") << "a new ref";
    EXPECT_EQ(push->updates[2].new_id, "") << "a deleted ref";
}

TEST(PushInput, OfUpdateIsInArguments) {
    const Words words = {"refs/heads/main", kOldId, kNewId};
    const auto push = parse_push(words, {});
    ASSERT_TRUE(push.ok()) << push.error().message;
    EXPECT_EQ(push->hook, Push::Hook::update);
    EXPECT_FALSE(reads_input(words));
    ASSERT_EQ(push->updates.size(), 1u);
    EXPECT_EQ(push->updates[0].new_id, kNewId);
}

TEST(PushInput, OfPrePushHasBothSides) {
    const Words words = {"origin", "https://example.org/net.git"};
    const auto push = parse_push(words, "HEAD@{2 days ago} " + kNewId + " refs/heads/main " + kOldId +
                                            "\n(delete) " + kNoId + " refs/heads/old " + kOldId + "\n");
    ASSERT_TRUE(push.ok()) << push.error().message;
    EXPECT_EQ(push->hook, Push::Hook::pre_push);
    EXPECT_EQ(push->remote, "origin");
    ASSERT_EQ(push->updates.size(), 2u);
    EXPECT_EQ(push->updates[0].ref, "refs/heads/main");
    EXPECT_EQ(push->updates[0].old_id, kOldId);
    EXPECT_EQ(push->updates[0].new_id, kNewId);
    EXPECT_EQ(push->updates[1].new_id, "");
}

TEST(PushInput, OfARepositoryOfSha256HasLongIds) {
    const auto push = parse_push({}, std::string(64, '0') + " " + kLongId + " refs/heads/main\n");
    ASSERT_TRUE(push.ok()) << push.error().message;
    EXPECT_EQ(push->updates[0].new_id, kLongId);
    EXPECT_EQ(push->updates[0].old_id, "");
}

TEST(PushInput, OfAnythingElseIsWrongUsage) {
    const auto refused = [](const Words& words, const std::string& input) {
        const auto push = parse_push(words, input);
        return push.ok() ? "" : push.error().kind == ErrorKind::usage ? push.error().message : "another kind";
    };
    EXPECT_THAT(refused({}, ""), HasSubstr("does the hook pass \"$@\"?"));
    EXPECT_TRUE(parse_push(Words{"origin", "url"}, "").ok()) << "pre-push with nothing to push";
    EXPECT_THAT(refused({"x"}, ""), HasSubstr("1 argument"));
    EXPECT_THAT(refused({"a", "b", "c", "d"}, ""), HasSubstr("4 arguments"));
    EXPECT_THAT(refused({"refs/heads/main", "old", kNewId}, ""), HasSubstr("'old' is not the id of an object"));
    EXPECT_THAT(refused({}, kOldId + " " + kNewId + " refs/heads/main"),
                HasSubstr("line 1 of standard input: does not end"));
    EXPECT_THAT(refused({}, "\n"), HasSubstr("not two ids and a ref"));
    EXPECT_THAT(refused({}, kOldId + " " + kNewId + "\n"), HasSubstr("not two ids and a ref"));
    EXPECT_THAT(refused({}, kOldId + " " + kNewId + " a b\n"), HasSubstr("not two ids and a ref"));
    EXPECT_THAT(refused({}, kOldId + " " + kNewId + " \n"), HasSubstr("a ref without a name"));
    EXPECT_THAT(refused({}, kOldId + " " + kOldId.substr(1) + "G refs/heads/x\n"), HasSubstr("is not the id"));
    EXPECT_THAT(refused({}, kOldId + " " + kNewId + " refs/heads/a\n" + "--all " + kNewId + " refs/heads/b\n"),
                HasSubstr("line 2"));
    EXPECT_THAT(refused({"origin", "url"}, kNewId + " refs/heads/main " + kOldId + "\n"),
                HasSubstr("not two refs"));
}

}  // namespace
}  // namespace modelseal::hook
