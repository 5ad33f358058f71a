#include "hook/audit.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/rfc3339.h"
#include "report/policy.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

constexpr std::size_t kMostNames = 8;         // of tensors and files in a reason
constexpr std::size_t kMostText = 16u << 10;  // of a field: names may be megabytes long

// "'conv1.weight', 'fc.bias' and 3 more"; empty for nothing.
std::string names_text(const std::vector<std::string>& names, std::string_view noun) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i)
        text += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
    if (names.size() > kMostNames) text += fmt::format(" and {} more", names.size() - kMostNames);
    return text.empty() ? text : fmt::format("; {} {}", noun, text);
}

std::string changed_names(const CheckReport& report) {
    std::vector<std::string> tensors, files;
    const auto take = [&](const std::vector<TensorFinding>& found) {
        for (const auto& tensor : found) {
            if (tensor.outcome != TensorFinding::Outcome::intact) tensors.push_back(tensor.name);
        }
    };
    const auto take_files = [&](const std::vector<FileFinding>& found) {
        for (const auto& file : found) {
            take(file.tensors);
            if (!file.name.empty()) files.push_back(file.name);
        }
    };
    if (report.seal) {
        take(report.seal->tensors);
        take_files(report.seal->files);
    }
    if (report.signature) take_files(report.signature->findings);
    return names_text(tensors, "tensors") + names_text(files, "files");
}

// The requirements that have a say in the outcome.
std::string failed_requirements(const Ruling& ruling) {
    std::string text;
    for (const auto& requirement : ruling.requirements) {
        if (requirement.holds) continue;
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", requirement.what, requirement.found);
    }
    return text;
}

std::string audit_text(const std::string& text) {
    return util::printable(std::string_view(text).substr(0, kMostText));
}

std::string line_of(const AuditEntry& entry) {
    nlohmann::ordered_json line{{"schema", "modelseal-audit/1"}, {"time", io::rfc3339_now()}};
    if (!entry.id.empty()) line["id"] = audit_text(entry.id);
    const std::pair<const char*, const std::string&> fields[] = {
        {"hook", entry.hook},           {"repository", entry.repository},
        {"reference", entry.reference}, {"digest", entry.digest},
        {"name", entry.name},           {"outcome", entry.outcome},
        {"verdict", entry.verdict},     {"reason", entry.reason},
        {"action", entry.action}};
    for (const auto& [key, value] : fields) line[key] = audit_text(value);
    return line.dump(-1, ' ', true) + "\n";
}

}  // namespace

std::string reason_of(const CheckReport& report) {
    const auto passes = [](const Ruling& ruling) { return ruling.outcome == Ruling::Outcome::allow; };
    if (report.ruling && passes(*report.ruling)) return {};
    auto reason = report.ruling ? failed_requirements(*report.ruling) : std::string();
    if (reason.empty()) reason = report.error;
    return reason + changed_names(report);
}

AuditEntry audit_entry_of(const CheckReport& report) {
    AuditEntry entry{.name = report.ruling ? report.ruling->name : report.target};
    entry.outcome = report.ruling ? report::word(report.ruling->outcome) : "error";
    entry.verdict = report::word(report.verdict);
    entry.reason = reason_of(report);
    return entry;
}

AuditLog::AuditLog(AuditLog&& other) noexcept
    : file_(std::move(other.file_)),
      fd_(std::exchange(other.fd_, -1)),
      owned_(std::exchange(other.owned_, false)),
      broken_(other.broken_),
      mutex_(std::move(other.mutex_)) {}

AuditLog& AuditLog::operator=(AuditLog&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(fd_, other.fd_);
    std::swap(owned_, other.owned_);
    std::swap(broken_, other.broken_);
    std::swap(mutex_, other.mutex_);
    return *this;
}

AuditLog::~AuditLog() {
    if (owned_ && fd_ >= 0) ::close(fd_);
}

Result<AuditLog> AuditLog::open(const std::filesystem::path& file) {
    AuditLog log;
    log.file_ = file;
    if (file == "-") {
        log.fd_ = STDERR_FILENO;
        return log;
    }
    log.owned_ = true;
    MODELSEAL_TRY(log.reopen_if_moved());
    return log;
}

// A log that was rotated away would take lines that nobody reads.
Result<void> AuditLog::reopen_if_moved() {
    struct stat there {
    }, ours{};
    if (fd_ >= 0 && ::stat(file_.c_str(), &there) == 0 && ::fstat(fd_, &ours) == 0 &&
        there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)
        return {};
    const int opened = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (opened < 0) return io::os_error(errno, file_.string(), "write the audit log");
    if (fd_ >= 0) ::close(fd_);
    fd_ = opened;
    return io::sync_folder(file_.has_parent_path() ? file_.parent_path() : std::filesystem::path("."));
}

Result<void> AuditLog::write(const AuditEntry& entry) {
    const std::lock_guard lock(*mutex_);
    const auto line = (broken_ ? "\n" : "") + line_of(entry);
    if (owned_) MODELSEAL_TRY(reopen_if_moved());
    ssize_t written = -1;
    do {
        written = ::write(fd_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    broken_ = written != static_cast<ssize_t>(line.size()) && (broken_ || written > 0);
    if (written != static_cast<ssize_t>(line.size()))
        return io::os_error(written < 0 ? errno : ENOSPC, file_.string(), "write the audit log");
    // Pipes and terminals cannot be synced.
    if (owned_ && ::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS)
        return io::os_error(errno, file_.string(), "write the audit log");
    return {};
}

Result<bool> AuditLog::contains(const std::string& id) const {
    constexpr std::uint64_t kMostSearched = 64u << 20, kPart = 1u << 20;
    if (!owned_) return false;
    MODELSEAL_TRY_ASSIGN(const auto file, io::FileSource::open(file_, util::printable(file_.string())));
    const auto wanted = fmt::format("\"id\":\"{}\"", audit_text(id));
    const auto size = file->size();
    std::string text;  // one part, and the begin of the one after it
    for (auto end = size; end > 0 && size - end < kMostSearched;) {
        const auto begin = end - std::min(end, kPart);
        std::string part(static_cast<std::size_t>(end - begin), '\0');
        MODELSEAL_TRY(file->read(begin, std::as_writable_bytes(std::span(part))));
        text = part + text.substr(0, wanted.size());
        if (text.find(wanted) != std::string::npos) return true;
        end = begin;
    }
    return false;
}

}  // namespace modelseal::hook
