// A file of results: what one machine found, a line for each target, so that a run that was killed goes on where it stopped,
// and the files of many machines give one summary.
//
// The first line is an object of the schema modelseal-results/1: of which list and which share of it, and what was asked of
// each target. Each further line is a report of the schema modelseal-check/1.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/many/crew.h"
#include "jobs/many/share.h"
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

struct ResultsHead {
    std::string program;        // "modelseal 0.1.0"
    std::string list;           // SHA-256 of the whole list: each path and a NUL byte, in its order; hex
    std::uint64_t targets = 0;  // in the whole list
    Share share;
    std::uint64_t of_share = 0;  // targets of the share
    std::string question;        // SHA-256 of keys, policy and expectations; hex
    // For readers: they decide nothing, and heads that differ in them are of the same results.
    std::chrono::sys_seconds begun{};
    std::vector<std::string> keys;  // hex ids of the vendors' keys
    bool operator==(const ResultsHead& other) const;
};

ResultsHead head_of(const std::vector<Target>& all, const Share& share, std::size_t of_share,
                    std::string program, std::string question);

// Appends results to a file. One process at a time has it. What was appended is on the disk at the latest a second after the
// next result, and when finish() returns.
class ResultsFile {
  public:
    // A new file; ErrorKind::usage if there is one.
    static Result<ResultsFile> create(const std::filesystem::path& path, const ResultsHead& head);
    // A new file, or one with the same head, of which an incomplete last line is cut off. ErrorKind::usage for the results of
    // another list, share or question, malformed for another file.
    static Result<ResultsFile> resume(const std::filesystem::path& path, const ResultsHead& head);

    ResultsFile(ResultsFile&& other) noexcept;
    ResultsFile& operator=(ResultsFile&& other) noexcept;
    ~ResultsFile();

    bool has(const std::string& target) const { return done_.contains(target); }
    std::size_t count() const { return done_.size(); }
    // `line`: a report as JSON, with a newline at its end. After an Error nothing more is appended.
    Result<void> append(const std::string& target, const std::string& line);
    Result<void> finish();

  private:
    ResultsFile() = default;
    static Result<ResultsFile> open(const std::filesystem::path& path, int flags);
    Result<void> write(std::string_view text);

    int fd_ = -1;
    std::string name_;
    std::set<std::string> done_;
    std::chrono::steady_clock::time_point synced_ = std::chrono::steady_clock::now();
};

// What is kept of a line.
struct MergedResult {
    std::string target;
    std::string verdict, outcome;  // as in JSON; outcome of a policy, or empty
    int exit_code = 3;
    std::string detail;      // why it is not intact
    std::size_t file = 0;    // which of the files it is in,
    std::uint64_t line = 0;  // and where
};

struct Merged {
    std::uint64_t targets = 0;  // of the list
    std::uint32_t shares = 1;
    std::string program;               // of the first file
    std::chrono::sys_seconds begun{};  // the earliest; 0: not known
    std::vector<std::string> keys;
    std::vector<MergedResult> results;  // in ascending order of their targets
    std::vector<std::string> gaps;      // shares of which results are missing, and how many
    std::vector<std::string> contradictions;
    ExitCode exit_code() const;
};

// ErrorKind::usage for files of different lists or questions, malformed for other lines. An incomplete last
// line is not one of them.
Result<Merged> merge_results(const std::vector<std::filesystem::path>& files);

// Reads the files again, one line at a time, and calls each(result, line) for those results that count, in the order of the
// files. An Error of `each` ends it.
Result<void> visit_results(const std::vector<std::filesystem::path>& files, const Merged& merged,
                           const std::function<Result<void>(const MergedResult&, const std::string&)>& each);

}  // namespace modelseal::jobs
