// What earlier checks found intact, so that a fleet does not read again what nobody has touched since.
//
// Kept is a report that a model is intact under one of the keys, and nothing else: what is not, or may depend on the day or on a
// server (signatures, fingerprints), is checked every time. An answer holds for the same path, as it is written, and the same
// question and release of the program, as long as every file of the model has the same device, inode, size and time of
// change, a folder lists the same files, and no signature lies next to it. To be kept,
//
//   - every file must be one of which later changes show (io/file_state.h), which is looked at before the check begins;
//   - the files that the check opened must be those that were looked at, whatever a path led to meanwhile;
//   - all files in a folder must have been read, with none that the rule of folders leaves out. Of a graph with external
//     data, or an index of shards, given alone, nothing is kept.
//
// The cache is as good as a report: whoever can write to it can call a model intact. It is refused unless it and the folder that
// it lies in belong to this user and nobody else may write to them, so nobody can put a journal beside it either. It may be
// deleted at any time.
//
// Thread safety: any number of threads, and of processes.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "jobs/check/check.h"
#include "jobs/many/crew.h"
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

class CheckCache {
  public:
    // Opens a cache, or makes one (mode 0600). Malformed for a file that is damaged or something else, unreadable for one that
    // others may write to. `question`: the digest of keys and expectations; `program`: name and version.
    static Result<CheckCache> open(const std::filesystem::path& path, const std::string& program,
                                   const std::string& question);
    CheckCache(CheckCache&&) noexcept;
    CheckCache& operator=(CheckCache&&) noexcept;
    ~CheckCache();

    using Clock = std::chrono::system_clock;
    // A target as it is before it is checked.
    struct Look {
        std::optional<CheckReport> known;  // the answer, if there is one: then nothing else is to be done
        FilesRead lasting;                 // the files of the target, if changes to all of them show
    };
    // Nothing is known of an endpoint. A cache that cannot be read any more knows nothing; finish() reports why.
    Look look(const Target& target, Clock::time_point now = Clock::now());
    // Keeps what a check found that began after look(), if it may be kept. `read`: by the check.
    void keep(const Target& target, const Look& before, const FilesRead& read, const CheckReport& report);
    // Writes what was kept, and reports what went wrong on the way.
    Result<void> finish();

  private:
    class Inside;
    explicit CheckCache(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

}  // namespace modelseal::jobs
