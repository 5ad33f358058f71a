// The audit log of hooks: a line of JSON for each decision, so that it can be seen afterwards who was let in, and why.
//
// A line is an object of the schema modelseal-audit/1, in pure ASCII. It is appended by one write, so that several processes
// may have the same file, and it is on the disk when write() returns. The file is never shortened here: it may be renamed or
// removed by a program that rotates logs, after which the next line begins a new one.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::hook {

struct AuditEntry {
    std::string id = {};          // of the decision, for contains(); may be empty
    std::string hook = {};        // "exec", "git", "oci"
    std::string repository = {};  // as its server names it
    std::string reference = {};   // branch or tag; may be empty
    std::string digest = {};   // "sha256:..." of a manifest, or the id of a commit or an object; may be empty
    std::string name = {};     // by which rules of the policy were looked up
    std::string outcome = {};  // "allow", "warn", "quarantine", "deny"; "error": nothing could be decided
    std::string verdict = {};  // of the check: "intact", "tampered", "unexpected", "unsealed", "error"
    std::string reason = {};   // one sentence: the requirement that does not hold, or the error
    std::string action = {};   // what was done about it: "deleted", say; may be empty
};

// Name, outcome, verdict and reason of a report; the other fields stay empty. A report without a ruling is an "error".
AuditEntry audit_entry_of(const CheckReport& report);

// Why a policy does not let a report pass: "seal: tampered, 1 of 2 tensors changed: 'w'"; empty if it does. Shows names from
// files as they are: printable() escapes them.
std::string reason_of(const CheckReport& report);

// Thread safety: write() may be called by any number of threads.
class AuditLog {
  public:
    // Appends to the file, which is made with mode 0640 if there is none. "-": standard error, which is not synced.
    static Result<AuditLog> open(const std::filesystem::path& file);

    AuditLog(AuditLog&& other) noexcept;
    AuditLog& operator=(AuditLog&& other) noexcept;
    ~AuditLog();

    // Adds the time. An Error if the line is not on the disk: a caller that can still refuse must do so.
    Result<void> write(const AuditEntry& entry);

    // Whether the file has a line with that id among its last 64 MiB: so that a process that was killed after write() does
    // not write it again. Never on standard error.
    Result<bool> contains(const std::string& id) const;

  private:
    AuditLog() = default;
    Result<void> reopen_if_moved();

    std::filesystem::path file_;
    int fd_ = -1;
    bool owned_ = false;   // not standard error
    bool broken_ = false;  // the last line is incomplete
    std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
};

}  // namespace modelseal::hook
