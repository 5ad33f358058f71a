// The queue of uploads: a database on the disk, so that no notification that was answered is lost, whenever the process is
// killed, and none is decided twice.
//
// A repository and a digest are one job. It goes through these states, each of which is on the disk before the next step:
//
//     waiting --> decided --> acted --> done
//
// What a worker has taken is known in memory alone: after a kill it is there to be taken again, in the state that it was in.
// SQLite with a write-ahead log and synchronous=FULL: what add() accepted survives a loss of power as well.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hook/oci/notification.h"
#include "ledger/database.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct Job {
    enum class State : std::int64_t { waiting, decided, acted, done };
    std::int64_t id = 0;
    std::int64_t round = 1;  // counts pushes of the same manifest that were decided by themselves
    std::string repository, digest, tag;
    State state = State::waiting;
    unsigned attempts = 0;  // failed ones since the last state
    std::string decision;   // of Decision::to_text(), from `decided` on
    // Of this round, for the audit log.
    std::string audit_id() const { return std::to_string(id) + "." + std::to_string(round); }
};

struct QueueCounts {
    std::uint64_t waiting = 0;     // jobs that are not done, with those that are taken
    std::uint64_t taken = 0;       // by workers
    std::uint64_t duplicates = 0;  // uploads that were reported again, since the start
    std::uint64_t refused = 0;     // notifications for which there was no room, since the start
};

// Thread safety: all calls may be made by any number of threads.
class JobQueue {
  public:
    // Makes the file if there is none. `most`: jobs that are not done. ErrorKind::usage if another process has the queue open,
    // malformed for another file.
    static Result<std::unique_ptr<JobQueue>> open(const std::filesystem::path& file, std::uint64_t most);
    ~JobQueue();

    // All of them or none. False: the queue is full. When it returns true, they are on the disk. An event that was added before
    // (for one that begins with kDerivedEvent: and whose job is not done) is passed over, and so is what remember_own() was told.
    Result<bool> add(std::span<const Upload> uploads);
    // For the children of an index: without an event of their own. What was decided before is not decided again.
    Result<void> add_children(const std::string& repository, std::span<const std::string> digests);
    // A manifest that this program is about to push.
    Result<void> remember_own(const std::string& repository, const std::string& digest);

    // The next job that is due. Waits for one at most `patience`.
    Result<std::optional<Job>> take(std::chrono::milliseconds patience);

    // Each ends what a worker does with the job, or goes on to the next state.
    Result<void> set_decided(Job& job, std::string decision);
    Result<void> set_acted(Job& job, std::string decision);
    Result<void> set_done(Job& job);
    Result<void> set_failed(Job& job, std::chrono::milliseconds pause);  // counts the attempt
    void put_back(const Job& job);                                       // as if it had not been taken

    QueueCounts counts() const;
    void wake_all();

  private:
    JobQueue() = default;
    Result<void> prepare(const std::filesystem::path& file);
    Result<bool> add_one(const Upload& upload);
    Result<std::optional<Job>> next_due();
    Result<void> prune();
    Result<void> reach(Job& job, Job::State state, std::string decision);

    mutable std::mutex mutex_;
    std::condition_variable added_;
    int lock_ = -1;  // the file that keeps other processes away; closed after the database
    std::optional<ledger::Database> database_;
    std::uint64_t most_ = 0;
    std::set<std::int64_t> taken_;
    QueueCounts counts_;
};

}  // namespace modelseal::hook
