#include "hook/oci/service.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "hook/oci/names.h"
#include "hook/oci/notification.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "report/policy.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1000}, kLongestPause{300'000};
constexpr std::size_t kShortestSecret = 16;
constexpr std::chrono::seconds kBetweenLines{10};  // about requests that anybody can send

// In a time that does not depend on how much of them is equal: digests, all bytes of which are compared.
bool equal_secrets(std::string_view a, std::string_view b) {
    crypto::Sha256 hash;
    const auto first = hash.update_text(a).finish(), second = hash.update_text(b).finish();
    unsigned difference = 0;
    for (std::size_t i = 0; i < first.size(); ++i)
        difference |= std::to_integer<unsigned>(first[i] ^ second[i]);
    return difference == 0;
}

milliseconds pause_after(unsigned attempts) {
    return std::min(kLongestPause, kFirstPause * (1u << std::min(attempts, 16u)));
}

// Whether what is left to do for a job may be left: a report about an upload that passes.
bool gives_up(const Job& job) {
    if (job.state != Job::State::decided) return false;
    const auto decision = Decision::from_text(job.decision);
    return decision.ok() && decision->outcome <= Ruling::Outcome::warn;
}

// "job-12": the folder of a job, as inspect() names it.
bool is_job_folder(const std::string& name) {
    constexpr std::string_view kPrefix = "job-";
    return name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
           name.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos;
}

Result<void> empty_scratch(const fs::path& scratch) {
    if (::mkdir(scratch.c_str(), 0700) != 0 && errno != EEXIST)
        return io::os_error(errno, scratch.string(), "make the folder");
    // Another user could replace what is checked, or have something removed.
    struct stat status {};
    if (::lstat(scratch.c_str(), &status) != 0) return io::os_error(errno, scratch.string(), "open");
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
        return Error{ErrorKind::usage,
                     util::printable(scratch.string()) + ": not a folder that is this user's alone",
                     "make it with mode 0700, or leave that to this program"};
    }
    std::error_code failed;
    for (auto at = fs::directory_iterator(scratch, failed); !failed && at != fs::end(at);
         at.increment(failed)) {
        std::error_code ignored;
        if (is_job_folder(at->path().filename().string())) fs::remove_all(at->path(), ignored);
    }
    return failed ? io::os_error(failed.value(), scratch.string(), "list") : Result<void>();
}

}  // namespace

Result<std::string> read_secret(const fs::path& file) {
    MODELSEAL_TRY_ASSIGN(auto text, io::read_text(file, 4096));
    text.resize(std::min(text.size(), text.find_first_of("\r\n")));
    if (text.size() < kShortestSecret || text.find_first_of(" \t") != std::string::npos) {
        return Error{
            ErrorKind::usage,
            util::printable(file.string()) + ": the secret of senders has fewer than 16 characters, or blanks",
            "'openssl rand -hex 32' makes one"};
    }
    return text;
}

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options) {
    std::unique_ptr<Service> service(new Service(std::move(options)));
    MODELSEAL_TRY(service->open());
    return service;
}

Service::~Service() {
    stop();
}

Result<void> Service::open() {
    if (options_.scratch.empty()) options_.scratch = options_.queue.string() + ".files";
    MODELSEAL_TRY_ASSIGN(policy_, LivePolicy::open(options_.policy));
    MODELSEAL_TRY_ASSIGN(audit_, AuditLog::open(options_.audit));
    // The lock of the queue keeps another process away from the scratch folder as well.
    MODELSEAL_TRY_ASSIGN(queue_, JobQueue::open(options_.queue, options_.queue_limit));
    MODELSEAL_TRY(empty_scratch(options_.scratch));
    auto client = options_.client;
    client.stop = &stopping_;
    client.notice = [this](const std::string& line) { log(line); };
    for (unsigned i = 0; i < std::max(1u, options_.workers); ++i) {
        MODELSEAL_TRY_ASSIGN(auto registry, Registry::open(options_.registry, client));
        registries_.push_back(std::move(registry));
    }
    auto receiver = options_.receiver;
    receiver.max_body = kMostNotificationBytes;
    MODELSEAL_TRY_ASSIGN(receiver_, Receiver::start(
                                        receiver, [this](const Asked& asked) { return answer(asked); },
                                        [this](const Asked& asked) { return answer_head(asked); }));
    for (auto& registry : registries_) workers_.emplace_back([this, &registry] { work(registry); });
    return {};
}

void Service::stop() {
    if (stopping_.exchange(true)) return;
    if (receiver_) receiver_->stop();
    if (queue_) queue_->wake_all();
    for (auto& worker : workers_) worker.join();
}

void Service::log(const std::string& line) {
    const std::lock_guard lock(log_mutex_);
    if (options_.log) options_.log(line);
}

void Service::look() {
    const auto line = policy_->look();
    if (!line) return;
    ++(policy_->is_valid() ? metrics_.policy_read : metrics_.policy_refused);
    log(*line);
}

bool Service::is_authorized(const std::string& authorization) const {
    if (options_.secret.empty()) return true;
    // Harbor sends a header as it is configured, distribution one that its configuration has.
    constexpr std::string_view kBearer = "Bearer ";
    std::string_view given = authorization;
    if (given.starts_with(kBearer)) given.remove_prefix(kBearer.size());
    return equal_secrets(given, options_.secret);
}

Answer Service::answer(const Asked& asked) {
    const bool reads = asked.method == "GET" || asked.method == "HEAD";
    try {
        if (asked.target == "/notifications")
            return asked.method == "POST" ? take_notification(asked)
                                          : Answer{405, "notifications are sent by POST\n"};
        if (asked.target == "/healthz" && reads) {
            if (!policy_->is_valid()) return {503, "the policy is not valid; that of before is in force\n"};
            if (!audit_works_) return {503, "the audit log cannot be written\n"};
            return {200, "ok\n"};
        }
        if (asked.target == "/metrics" && reads) {
            return {200, metrics_.text(queue_->counts(), policy_->is_valid()),
                    "text/plain; version=0.0.4; charset=utf-8"};
        }
    } catch (const std::exception&) {
        return {503, "not enough memory\n", "text/plain; charset=utf-8", "5"};
    }
    return {404, "not found; notifications go to /notifications\n"};
}

std::optional<Answer> Service::answer_head(const Asked& asked) {
    if (asked.target != "/notifications" || asked.method != "POST") return answer(asked);
    if (is_authorized(asked.authorization)) return std::nullopt;
    return unauthorized();
}

Answer Service::unauthorized() {
    ++metrics_.unauthorized;
    std::uint64_t count = 0;
    {
        const std::lock_guard lock(unauthorized_mutex_);
        ++unlogged_;
        const auto now = std::chrono::steady_clock::now();
        if (!unauthorized_logged_ || now - *unauthorized_logged_ >= kBetweenLines) {
            unauthorized_logged_ = now;
            count = std::exchange(unlogged_, 0);
        }
    }
    if (count > 0) log("refused: " + util::counted(count, "notification") + " without the secret of senders");
    return {401, "the secret of senders is missing or wrong\n"};
}

// Its sender knows the secret: answer_head().
Answer Service::take_notification(const Asked& asked) {
    SkippedEvents skipped;
    const auto uploads = uploads_in(asked.body, &skipped);
    if (!uploads.ok()) {
        ++metrics_.malformed;
        log("a notification was refused: " + util::printable(uploads.error().message));
        return {400, util::printable(uploads.error().message) + "\n"};
    }
    const auto added = queue_->add(*uploads);
    if (!added.ok()) {
        log("a notification could not be queued: " + util::printable(added.error().message));
        return {503, "the queue cannot be written\n", "text/plain; charset=utf-8", "5"};
    }
    if (!*added) return {503, "the queue is full\n", "text/plain; charset=utf-8", "5"};
    ++metrics_.accepted;
    if (skipped.count > 0) {
        metrics_.skipped += skipped.count;
        log(fmt::format("{} of a notification skipped: {}", util::counted(skipped.count, "event"),
                        skipped.first));
    }
    return {200, "queued\n"};
}

void Service::work(Registry& registry) {
    while (!stopping_) {
        auto job = queue_->take(milliseconds(500));
        if (!job.ok()) {
            log("the queue cannot be read: " + util::printable(job.error().message));
            std::this_thread::sleep_for(kFirstPause);
        } else if (*job) {
            process(registry, **job);
        }
    }
}

// Takes a job as far as it goes.
void Service::process(Registry& registry, Job& job) {
    bool recovered = job.state == Job::State::acted;
    while (job.state != Job::State::acted) {
        if (stopping_) return queue_->put_back(job);
        Result<void> done;
        try {
            done = job.state == Job::State::waiting ? decide(registry, job) : step(registry, job);
        } catch (const std::exception& exception) {
            done = Error{ErrorKind::unreadable, std::string("could not be checked: ") + exception.what(), {}};
        }
        if (!done.ok()) return failed(job, done.error());
        recovered = false;
    }
    if (const auto done = finish(job, recovered); !done.ok()) failed(job, done.error());
}

Result<void> Service::decide(Registry& registry, Job& job) {
    const InspectOptions options{.scratch = options_.scratch,
                                 .limits = options_.limits,
                                 .threads = 1,
                                 .bytes = &metrics_.bytes,
                                 .last_attempt = is_last(job)};
    const auto policy = policy_->current();
    MODELSEAL_TRY_ASSIGN(const auto inspection, inspect(registry, *policy, job, options));
    if (!inspection.children.empty()) MODELSEAL_TRY(queue_->add_children(job.repository, inspection.children));
    return queue_->set_decided(job, inspection.decision.to_text());
}

Result<void> Service::step(Registry& registry, Job& job) {
    MODELSEAL_TRY_ASSIGN(auto decision, Decision::from_text(job.decision));
    auto effects = options_.effects;
    effects.last_attempt = is_last(job);
    MODELSEAL_TRY_ASSIGN(decision.action, act_upon(registry, *queue_, job, decision, effects));
    return queue_->set_acted(job, decision.to_text());
}

// `recovered`: the line may have been written by a process that was killed before it noted that.
Result<void> Service::finish(Job& job, bool recovered) {
    MODELSEAL_TRY_ASSIGN(const auto decision, Decision::from_text(job.decision));
    bool written = false;
    if (recovered) {
        MODELSEAL_TRY_ASSIGN(written, audit_->contains(job.audit_id()));
    }
    if (!written) {
        auto done = audit_->write(audit_entry_of(job, decision));
        audit_works_ = done.ok();
        MODELSEAL_TRY(std::move(done));
    }
    count(decision);
    return queue_->set_done(job);
}

void Service::count(const Decision& decision) {
    using Subject = Decision::Subject;
    if (decision.subject == Subject::index) ++metrics_.indexes;
    if (decision.subject == Subject::gone) ++metrics_.gone;
    if (decision.subject == Subject::files) ++metrics_.decisions.at(static_cast<std::size_t>(decision.outcome));
}

// Later again; and what cannot be checked at last is denied. A report that cannot be attached at last is left, and logged;
// what is denied is tried until it is gone.
void Service::failed(Job& job, const Error& error) {
    if (stopping_) return queue_->put_back(job);
    ++metrics_.failures;
    const auto message = util::printable(error.message);
    const auto shown = fmt::format("{}@{}", job.repository, job.digest);
    Result<void> kept;
    if (is_last(job) && gives_up(job)) {
        log(fmt::format("{}: given up, after {}: {}", shown, util::counted(options_.attempts, "attempt"),
                        message));
        auto decision = Decision::from_text(job.decision).value();
        decision.action = "given up: " + message;
        kept = queue_->set_acted(job, decision.to_text());
        queue_->put_back(job);
    } else if (is_last(job) && job.state == Job::State::waiting) {
        log(fmt::format("{}: denied unchecked, after {}: {}", shown,
                        util::counted(options_.attempts, "attempt"), message));
        const Decision decision{
            .name = job.repository, .reason = "could not be checked: " + message, .time = io::rfc3339_now()};
        kept = queue_->set_decided(job, decision.to_text());
        queue_->put_back(job);
    } else {
        const auto pause = pause_after(job.attempts);
        log(fmt::format("{}: {}; again in {} s", shown, message, pause.count() / 1000));
        kept = queue_->set_failed(job, pause);
    }
    if (kept.ok()) return;
    log("the queue cannot be written: " + util::printable(kept.error().message));
    queue_->put_back(job);
    std::this_thread::sleep_for(kFirstPause);
}

}  // namespace modelseal::hook
