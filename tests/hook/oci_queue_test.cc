#include <atomic>
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook/oci/queue.h"
#include "tests/support/scratch.h"

namespace modelseal::hook {
namespace {

constexpr std::chrono::milliseconds kNow{0};

std::string numbered_digest(unsigned number) {
    return fmt::format("sha256:{:064x}", number);
}

Upload upload_of(unsigned number, const std::string& event = {}) {
    return {event.empty() ? "e" + std::to_string(number) : event, "acme/net", numbered_digest(number), "v1"};
}

class Queued : public testing::Test {
  protected:
    void open(std::uint64_t most = 100) {
        queue.reset();
        auto opened = JobQueue::open(scratch / "queue.db", most);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        queue = std::move(*opened);
    }
    bool add(const Upload& upload) { return queue->add({&upload, 1}).value(); }
    std::optional<Job> take() { return queue->take(kNow).value(); }
    void finish(Job& job) {
        ASSERT_TRUE(queue->set_decided(job, "{}").ok());
        ASSERT_TRUE(queue->set_acted(job, "{}").ok());
        ASSERT_TRUE(queue->set_done(job).ok());
    }
    test::Scratch scratch;
    std::unique_ptr<JobQueue> queue;
};

TEST_F(Queued, JobsAreTakenOnceAndInOrder) {
    open();
    for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(add(upload_of(i)));
    for (unsigned i = 0; i < 3; ++i) {
        const auto job = take();
        ASSERT_TRUE(job);
        EXPECT_EQ(job->digest, numbered_digest(i));
        EXPECT_EQ(job->tag, "v1");
    }
    EXPECT_FALSE(take());
    EXPECT_EQ(queue->counts().waiting, 3u);
    EXPECT_EQ(queue->counts().taken, 3u);
}

TEST_F(Queued, JobsGoOnAfterAKillWhereTheyWere) {
    open();
    ASSERT_TRUE(add(upload_of(1)));
    auto job = take();
    ASSERT_TRUE(queue->set_decided(*job, R"({"a":1})").ok());
    open();
    job = take();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->state, Job::State::decided);
    EXPECT_EQ(job->decision, R"({"a":1})");
    finish(*job);
    open();
    EXPECT_FALSE(take());
    EXPECT_EQ(queue->counts().waiting, 0u);
}

TEST_F(Queued, TheSameEventCountsOnce) {
    open();
    ASSERT_TRUE(add(upload_of(1, "x")));
    ASSERT_TRUE(add(upload_of(1, "x")));
    EXPECT_EQ(queue->counts().waiting, 1u);
    EXPECT_EQ(queue->counts().duplicates, 1u);
    auto job = take();
    finish(*job);
    ASSERT_TRUE(add(upload_of(1, "x")));
    EXPECT_FALSE(take());
    open();
    ASSERT_TRUE(add(upload_of(1, "x")));
    EXPECT_FALSE(take());
}

TEST_F(Queued, ADerivedEventIsTheSameUntilItsJobIsDone) {
    open();
    const auto upload = upload_of(1, "derived:x");
    ASSERT_TRUE(add(upload));
    ASSERT_TRUE(add(upload));
    EXPECT_EQ(queue->counts().duplicates, 1u);
    auto job = take();
    finish(*job);
    ASSERT_TRUE(add(upload));
    EXPECT_TRUE(take());
}

TEST_F(Queued, ANewPushIsDecidedByItself) {
    open();
    ASSERT_TRUE(add(upload_of(1, "x")));
    ASSERT_TRUE(add(upload_of(1, "y")));  // covered by the one that waits
    EXPECT_EQ(queue->counts().waiting, 1u);
    auto job = take();
    const auto first = job->audit_id();
    ASSERT_TRUE(add(upload_of(1, "z")));  // while it is being decided
    EXPECT_FALSE(take());
    finish(*job);
    job = take();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->state, Job::State::waiting);
    EXPECT_NE(job->audit_id(), first);
    finish(*job);
    EXPECT_FALSE(take());
    ASSERT_TRUE(add(upload_of(1, "w")));  // after it
    EXPECT_TRUE(take());
    EXPECT_EQ(queue->counts().waiting, 1u);
}

TEST_F(Queued, IsBoundedAndTakesAllOrNone) {
    open(3);
    const std::vector<Upload> two{upload_of(1), upload_of(2)}, more{upload_of(3), upload_of(4)};
    ASSERT_TRUE(queue->add(two).value());
    EXPECT_FALSE(queue->add(more).value());
    EXPECT_EQ(queue->counts().waiting, 2u);
    EXPECT_EQ(queue->counts().refused, 1u);
    auto job = take();
    finish(*job);
    EXPECT_TRUE(queue->add(more).value());
}

TEST_F(Queued, PassesOverItsOwnPushes) {
    open();
    ASSERT_TRUE(queue->remember_own("acme/net", numbered_digest(1)).ok());
    ASSERT_TRUE(add(upload_of(1)));
    EXPECT_FALSE(take());
    auto elsewhere = upload_of(1);
    elsewhere.repository = "acme/other";
    ASSERT_TRUE(add(elsewhere));
    EXPECT_TRUE(take());
}

TEST_F(Queued, ChildrenAreAddedUnlessTheyAreKnown) {
    open();
    ASSERT_TRUE(add(upload_of(1)));
    auto job = take();
    finish(*job);
    const std::vector<std::string> children{numbered_digest(1), numbered_digest(2)};
    ASSERT_TRUE(queue->add_children("acme/net", children).ok());
    ASSERT_TRUE(queue->add_children("acme/net", children).ok());
    job = take();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->digest, numbered_digest(2));
    EXPECT_FALSE(take());
}

TEST_F(Queued, FailedJobsWait) {
    open();
    ASSERT_TRUE(add(upload_of(1)));
    auto job = take();
    ASSERT_TRUE(queue->set_failed(*job, std::chrono::hours(1)).ok());
    EXPECT_FALSE(take());
    EXPECT_EQ(queue->counts().waiting, 1u);
    ASSERT_TRUE(add(upload_of(2)));
    job = take();
    ASSERT_TRUE(queue->set_failed(*job, std::chrono::milliseconds(-1)).ok());
    job = take();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->attempts, 1u);
    queue->put_back(*job);
    EXPECT_TRUE(take());
}

TEST_F(Queued, IsOneProcessesAlone) {
    open();
    const auto second = JobQueue::open(scratch / "queue.db", 1);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, ErrorKind::usage);
    scratch.write("other.db",
                  "not a database, but long enough to be looked at as one: " + std::string(1000, 'x'));
    const auto other = JobQueue::open(scratch / "other.db", 1);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().kind, ErrorKind::malformed);
}

TEST_F(Queued, NothingThatWasAcceptedIsLostInAKill) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto mine = JobQueue::open(scratch / "queue.db", 1'000'000);
        for (unsigned i = 0; mine.ok(); ++i) {
            const auto upload = upload_of(i);
            if (!(*mine)->add({&upload, 1}).ok() || ::write(pipe[1], &i, sizeof i) != sizeof i) break;
        }
        ::_exit(1);
    }
    ::close(pipe[1]);
    unsigned last = 0;
    for (int i = 0; i < 50; ++i)
        ASSERT_EQ(::read(pipe[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
    }
    ::close(pipe[0]);
    ::waitpid(child, nullptr, 0);
    open(1'000'000);
    for (unsigned i = 0; i <= last; ++i) ASSERT_TRUE(take()) << i << " of " << last;
}

TEST_F(Queued, ManyThreadsTakeEachJobOnce) {
    open(10'000);
    std::vector<Upload> uploads;
    for (unsigned i = 0; i < 200; ++i) uploads.push_back(upload_of(i));
    ASSERT_TRUE(queue->add(uploads).value());
    std::atomic<unsigned> done{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (auto job = take()) {
                ++done;
                finish(*job);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(done, 200u);
    EXPECT_EQ(queue->counts().waiting, 0u);
}

}  // namespace
}  // namespace modelseal::hook
