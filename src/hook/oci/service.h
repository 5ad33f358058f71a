// The hook of an OCI registry: notifications come in, uploads are checked under a policy, and what comes of it is done and
// logged.
//
//     registry --> Receiver --> JobQueue --> workers: inspect() --> act_upon() --> AuditLog
//
// A notification is answered when its jobs are on the disk. A worker brings each step of a job to the disk before the next; so
// whenever the process is killed, the next one goes on, and every upload is decided and logged once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hook/audit.h"
#include "hook/oci/effects.h"
#include "hook/oci/inspect.h"
#include "hook/oci/live_policy.h"
#include "hook/oci/metrics.h"
#include "hook/oci/queue.h"
#include "hook/oci/receiver.h"
#include "http/client.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct ServiceOptions {
    ReceiverOptions receiver = {};
    std::string secret = {};  // of senders; empty: none is asked for
    http::Url registry = {};
    http::ClientOptions client = {};
    std::filesystem::path policy, queue;
    std::filesystem::path scratch = {};  // for the files of uploads; empty: QUEUE.files
    std::string audit = "-";
    std::uint64_t queue_limit = 100'000;
    unsigned workers = 1;
    unsigned attempts = 10;  // to check an upload, before it is denied unchecked; and to act upon the decision
    UnpackLimits limits = {};
    EffectOptions effects = {};
    std::function<void(const std::string&)> log = {};  // one line; called by any thread, one at a time
};

class Service {
  public:
    // Reads the policy, opens the queue, listens. Removes what a process that was killed left in the scratch folder, which must be
    // its owner's alone.
    static Result<std::unique_ptr<Service>> start(ServiceOptions options);
    ~Service();  // as stop()

    std::uint16_t port() const { return receiver_->port(); }
    // To be called about once a second: reads the policy again if it has changed.
    void look();
    // Ends transfers, and returns when the checks that are under way are done. What is not done stays in the queue.
    void stop();

  private:
    explicit Service(ServiceOptions options) : options_(std::move(options)) {}
    Result<void> open();
    Answer answer(const Asked& asked);
    Answer take_notification(const Asked& asked);
    // What is answered before a body is read, which is only that of a notification whose sender knows the secret.
    std::optional<Answer> answer_head(const Asked& asked);
    bool is_authorized(const std::string& authorization) const;
    Answer unauthorized();
    void work(Registry& registry);
    void process(Registry& registry, Job& job);
    Result<void> step(Registry& registry, Job& job);
    Result<void> decide(Registry& registry, Job& job);
    Result<void> finish(Job& job, bool recovered);
    bool is_last(const Job& job) const { return job.attempts + 1 >= options_.attempts; }
    void failed(Job& job, const Error& error);
    void count(const Decision& decision);
    void log(const std::string& line);

    ServiceOptions options_;
    std::mutex log_mutex_;
    std::atomic<bool> stopping_{false};
    Metrics metrics_;
    std::mutex unauthorized_mutex_;
    std::uint64_t unlogged_ = 0;  // requests without the secret, since the last line about them
    std::optional<std::chrono::steady_clock::time_point> unauthorized_logged_;
    std::unique_ptr<LivePolicy> policy_;
    std::unique_ptr<JobQueue> queue_;
    std::optional<AuditLog> audit_;
    std::atomic<bool> audit_works_{true};
    std::vector<Registry> registries_;  // one a worker
    std::vector<std::thread> workers_;
    std::unique_ptr<Receiver> receiver_;
};

// The secret of senders in a file: its first line. ErrorKind::usage for one of fewer than 16 characters or with blanks.
Result<std::string> read_secret(const std::filesystem::path& file);

}  // namespace modelseal::hook
