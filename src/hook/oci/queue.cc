#include "hook/oci/queue.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/file.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

using ledger::Database, ledger::Transaction;
using std::chrono::milliseconds;

constexpr std::int64_t kApplication = 0x6d736f71;  // "msoq"
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kKeptMs = 30ll * 24 * 3600 * 1000;  // of what is done, and of events

constexpr std::string_view kTables[] = {
    "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, repository TEXT NOT NULL, digest TEXT NOT NULL, "
    "tag TEXT NOT NULL, state INTEGER NOT NULL, again INTEGER NOT NULL, round INTEGER NOT NULL, "
    "attempts INTEGER NOT NULL, due INTEGER NOT NULL, changed INTEGER NOT NULL, decision TEXT NOT NULL, "
    "UNIQUE (repository, digest)) STRICT",
    "CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due, id) WHERE state < 3",
    "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS own (repository TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, "
    "PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID",
};

std::int64_t now_ms() {
    return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::int64_t number_of(Job::State state) {
    return static_cast<std::int64_t>(state);
}

// Whether a query has a row.
Result<bool> exists(const Database& database, std::string_view sql,
                    std::initializer_list<std::string_view> values) {
    MODELSEAL_TRY_ASSIGN(auto statement, database.prepare(sql));
    for (const auto value : values) statement.bind(value);
    return statement.step();
}

Error not_a_queue(const Database& database) {
    return {ErrorKind::malformed, database.shown() + ": a database, and not a queue of this program",
            "give the path of a file that does not exist yet"};
}

}  // namespace

JobQueue::~JobQueue() {
    database_.reset();
    if (lock_ >= 0) ::close(lock_);
}

Result<std::unique_ptr<JobQueue>> JobQueue::open(const std::filesystem::path& file, std::uint64_t most) {
    std::unique_ptr<JobQueue> queue(new JobQueue());
    queue->most_ = most;
    const auto lock = file.string() + ".lock";
    queue->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (queue->lock_ < 0) return io::os_error(errno, lock, "open");
    if (::flock(queue->lock_, LOCK_EX | LOCK_NB) != 0) {
        return Error{ErrorKind::usage, util::printable(file.string()) + ": another process works on this queue",
                     "give each process a queue of its own"};
    }
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) return io::os_error(errno, file.string(), "open");
    ::close(made);
    MODELSEAL_TRY(queue->prepare(file));
    return queue;
}

Result<void> JobQueue::prepare(const std::filesystem::path& file) {
    auto opened = Database::open(file);
    if (!opened.ok()) return std::move(opened).error();
    database_.emplace(std::move(*opened));
    auto tables = database_->number("SELECT count(*) FROM sqlite_master");
    if (!tables.ok()) {
        if (tables.error().kind == ErrorKind::malformed) return not_a_queue(*database_);
        return std::move(tables).error();
    }
    MODELSEAL_TRY_ASSIGN(const auto application, database_->number("PRAGMA application_id"));
    if (*tables > 0 && application != kApplication) return not_a_queue(*database_);
    MODELSEAL_TRY_ASSIGN(const auto version, database_->number("PRAGMA user_version"));
    if (version > kVersion) {
        return Error{
            ErrorKind::unsupported, database_->shown() + ": a queue of a later release of this program", {}};
    }
    MODELSEAL_TRY(database_->run("PRAGMA journal_mode = WAL"));
    MODELSEAL_TRY(database_->run("PRAGMA synchronous = FULL"));
    MODELSEAL_TRY(database_->run("PRAGMA secure_delete = OFF"));
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(*database_, Transaction::Kind::write));
    MODELSEAL_TRY(database_->run(fmt::format("PRAGMA application_id = {}", kApplication)));
    MODELSEAL_TRY(database_->run(fmt::format("PRAGMA user_version = {}", kVersion)));
    for (const auto table : kTables) MODELSEAL_TRY(database_->run(table));
    MODELSEAL_TRY(prune());
    MODELSEAL_TRY(transaction.commit());
    MODELSEAL_TRY_ASSIGN(const auto waiting, database_->number("SELECT count(*) FROM jobs WHERE state < 3"));
    counts_.waiting = static_cast<std::uint64_t>(waiting);
    return io::sync_folder(file.has_parent_path() ? file.parent_path() : std::filesystem::path("."));
}

Result<void> JobQueue::prune() {
    const auto before = now_ms() - kKeptMs;
    for (const auto* sql :
         {"DELETE FROM jobs WHERE state = 3 AND changed < ?", "DELETE FROM events WHERE at < ?"}) {
        MODELSEAL_TRY_ASSIGN(auto statement, database_->prepare(sql));
        MODELSEAL_TRY(statement.bind(before).run());
    }
    return {};
}

// Returns whether there is one job more to do.
Result<bool> JobQueue::add_one(const Upload& upload) {
    MODELSEAL_TRY_ASSIGN(const bool own,
                         exists(*database_, "SELECT 1 FROM own WHERE repository = ? AND digest = ?",
                                {upload.repository, upload.digest}));
    if (own) return false;
    MODELSEAL_TRY_ASSIGN(const bool known,
                         exists(*database_, "SELECT 1 FROM events WHERE id = ?", {upload.event}));
    // What an event without an id says, another push in the same second says too: only what is not decided yet covers both.
    bool repeated = known;
    if (known && upload.event.starts_with(kDerivedEvent)) {
        MODELSEAL_TRY_ASSIGN(
            repeated, exists(*database_, "SELECT 1 FROM jobs WHERE repository = ? AND digest = ? AND state < 3",
                             {upload.repository, upload.digest}));
    }
    if (repeated) {
        ++counts_.duplicates;
        return false;
    }
    MODELSEAL_TRY_ASSIGN(auto event, database_->prepare("INSERT OR REPLACE INTO events VALUES (?, ?)"));
    MODELSEAL_TRY(event.bind(upload.event).bind(now_ms()).run());
    MODELSEAL_TRY_ASSIGN(auto found,
                         database_->prepare("SELECT id, state FROM jobs WHERE repository = ? AND digest = ?"));
    found.bind(upload.repository).bind(upload.digest);
    MODELSEAL_TRY_ASSIGN(const bool there, found.step());
    if (!there) {
        MODELSEAL_TRY_ASSIGN(
            auto insert, database_->prepare("INSERT INTO jobs (repository, digest, tag, state, again, round, "
                                            "attempts, due, changed, decision) "
                                            "VALUES (?, ?, ?, 0, 0, 1, 0, ?, ?, '')"));
        MODELSEAL_TRY(insert.bind(upload.repository)
                          .bind(upload.digest)
                          .bind(upload.tag)
                          .bind(now_ms())
                          .bind(now_ms())
                          .run());
        return true;
    }
    const auto id = found.number(0);
    const auto state = static_cast<Job::State>(found.number(1));
    // A push while the same manifest is being decided is decided after it; one that waits covers both.
    const bool waits = state == Job::State::waiting && !taken_.contains(id);
    if (waits) return false;
    const auto* sql =
        state == Job::State::done
            ? "UPDATE jobs SET state = 0, round = round + 1, attempts = 0, tag = ?, due = ?, decision = '' "
              "WHERE id = ?"
            : "UPDATE jobs SET again = 1, tag = ?, due = min(due, ?) WHERE id = ?";
    MODELSEAL_TRY_ASSIGN(auto update, database_->prepare(sql));
    MODELSEAL_TRY(update.bind(upload.tag).bind(now_ms()).bind(id).run());
    return state == Job::State::done;
}

Result<bool> JobQueue::add(std::span<const Upload> uploads) {
    const std::lock_guard lock(mutex_);
    if (uploads.empty()) return true;
    if (counts_.waiting + uploads.size() > most_) {
        ++counts_.refused;
        return false;
    }
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(*database_, Transaction::Kind::write));
    std::uint64_t more = 0;
    for (const auto& upload : uploads) {
        MODELSEAL_TRY_ASSIGN(const bool added, add_one(upload));
        more += added ? 1 : 0;
    }
    MODELSEAL_TRY(transaction.commit());
    counts_.waiting += more;
    added_.notify_all();
    return true;
}

Result<void> JobQueue::add_children(const std::string& repository, std::span<const std::string> digests) {
    const std::lock_guard lock(mutex_);
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(*database_, Transaction::Kind::write));
    std::uint64_t more = 0;
    for (const auto& digest : digests) {
        MODELSEAL_TRY_ASSIGN(const bool known,
                             exists(*database_,
                                    "SELECT 1 FROM jobs WHERE repository = ?1 AND digest = ?2 UNION "
                                    "SELECT 1 FROM own WHERE repository = ?1 AND digest = ?2",
                                    {repository, digest}));
        if (known) continue;
        MODELSEAL_TRY_ASSIGN(const bool added,
                             add_one({"index:" + repository + "@" + digest, repository, digest, {}}));
        more += added ? 1 : 0;
    }
    MODELSEAL_TRY(transaction.commit());
    counts_.waiting += more;
    added_.notify_all();
    return {};
}

Result<void> JobQueue::remember_own(const std::string& repository, const std::string& digest) {
    const std::lock_guard lock(mutex_);
    MODELSEAL_TRY_ASSIGN(auto insert, database_->prepare("INSERT OR IGNORE INTO own VALUES (?, ?, ?)"));
    return insert.bind(repository).bind(digest).bind(now_ms()).run();
}

// Of the jobs that are due, at most as many as workers have taken come before one that is free.
Result<std::optional<Job>> JobQueue::next_due() {
    MODELSEAL_TRY_ASSIGN(
        auto rows, database_->prepare("SELECT id, repository, digest, tag, state, round, attempts, decision "
                                      "FROM jobs WHERE state < 3 AND due <= ? ORDER BY due, id LIMIT ?"));
    rows.bind(now_ms()).bind(static_cast<std::int64_t>(taken_.size()) + 1);
    while (true) {
        MODELSEAL_TRY_ASSIGN(const bool there, rows.step());
        if (!there) return std::optional<Job>();
        if (taken_.contains(rows.number(0))) continue;
        Job job{.id = rows.number(0),
                .round = rows.number(5),
                .repository = rows.text(1),
                .digest = rows.text(2),
                .tag = rows.text(3),
                .state = static_cast<Job::State>(rows.number(4)),
                .attempts = static_cast<unsigned>(rows.number(6)),
                .decision = rows.text(7)};
        taken_.insert(job.id);
        return std::optional(std::move(job));
    }
}

Result<std::optional<Job>> JobQueue::take(milliseconds patience) {
    std::unique_lock lock(mutex_);
    MODELSEAL_TRY_ASSIGN(auto job, next_due());
    if (job) return job;
    added_.wait_for(lock, patience);
    return next_due();
}

Result<void> JobQueue::reach(Job& job, Job::State state, std::string decision) {
    const std::lock_guard lock(mutex_);
    MODELSEAL_TRY_ASSIGN(
        auto update, database_->prepare("UPDATE jobs SET state = ?, attempts = 0, decision = ?, changed = ? "
                                        "WHERE id = ?"));
    MODELSEAL_TRY(update.bind(number_of(state)).bind(decision).bind(now_ms()).bind(job.id).run());
    job.state = state;
    job.attempts = 0;
    job.decision = std::move(decision);
    return {};
}

Result<void> JobQueue::set_decided(Job& job, std::string decision) {
    return reach(job, Job::State::decided, std::move(decision));
}

Result<void> JobQueue::set_acted(Job& job, std::string decision) {
    return reach(job, Job::State::acted, std::move(decision));
}

Result<void> JobQueue::set_done(Job& job) {
    const std::lock_guard lock(mutex_);
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(*database_, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(auto update,
                         database_->prepare("UPDATE jobs SET state = CASE again WHEN 0 THEN 3 ELSE 0 END, "
                                            "round = round + again, again = 0, attempts = 0, decision = '', "
                                            "due = ?1, changed = ?1 WHERE id = ?2"));
    MODELSEAL_TRY(update.bind(now_ms()).bind(job.id).run());
    MODELSEAL_TRY_ASSIGN(auto state, database_->prepare("SELECT state FROM jobs WHERE id = ?"));
    state.bind(job.id);
    MODELSEAL_TRY(state.step());
    job.state = static_cast<Job::State>(state.number(0));
    MODELSEAL_TRY(transaction.commit());
    taken_.erase(job.id);
    if (job.state == Job::State::done) --counts_.waiting;
    added_.notify_one();
    return {};
}

Result<void> JobQueue::set_failed(Job& job, milliseconds pause) {
    const std::lock_guard lock(mutex_);
    MODELSEAL_TRY_ASSIGN(auto update,
                         database_->prepare("UPDATE jobs SET attempts = attempts + 1, due = ? WHERE id = ?"));
    MODELSEAL_TRY(update.bind(now_ms() + pause.count()).bind(job.id).run());
    ++job.attempts;
    taken_.erase(job.id);
    return {};
}

void JobQueue::put_back(const Job& job) {
    const std::lock_guard lock(mutex_);
    taken_.erase(job.id);
}

QueueCounts JobQueue::counts() const {
    const std::lock_guard lock(mutex_);
    auto counts = counts_;
    counts.taken = taken_.size();
    return counts;
}

void JobQueue::wake_all() {
    added_.notify_all();
}

}  // namespace modelseal::hook
