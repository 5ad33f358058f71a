// What earlier checks found intact, so that a fleet does not read again what nobody has touched since.
//
// Kept is a report that a model is intact, and nothing else: what is not, or may depend on the day or on a server (signatures,
// fingerprints), is checked every time. An answer holds for the same path, question and program, as long as every file of the
// model has the same device, inode, size, time of modification and time of change, a folder lists the same files, and what
// lies next to the model (signatures, adapters) is the same or as absent. What changed in the two seconds before a check, or
// during it, is not kept: its times could be those of the next change as well.
//
// The file is as good as a report: whoever can write to it can call a model intact. It is refused unless it belongs to this user
// and nobody else may write to it. It may be deleted at any time.
//
// Thread safety: any number of threads, and of processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "jobs/many/crew.h"
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

class CheckCache {
  public:
    // Opens a cache, or makes one (mode 0600). Malformed for a file that is damaged or something else, unreadable for one that
    // others may write to. `question`: the digest of keys, policy and expectations; `program`: name and version.
    static Result<CheckCache> open(const std::filesystem::path& path, const std::string& program,
                                   const std::string& question);
    CheckCache(CheckCache&&) noexcept;
    CheckCache& operator=(CheckCache&&) noexcept;
    ~CheckCache();

    using Clock = std::chrono::system_clock;
    // A target as it is before it is checked.
    struct Look {
        std::optional<CheckReport> known;  // the answer, if there is one: then nothing else is to be done
        bool lasting = false;              // may be kept
        crypto::Digest state{};
        std::vector<std::string>
            files;  // besides the target, of a graph with external data or an index of shards
    };
    // Nothing is known of an endpoint. A cache that cannot be read any more knows nothing; finish() reports why.
    Look look(const Target& target, Clock::time_point now = Clock::now());
    // Keeps what a check found, if it may be kept and nothing has changed since look().
    void keep(const Target& target, const Look& before, const CheckReport& report);
    // Writes what was kept, and reports what went wrong on the way.
    Result<void> finish();

  private:
    class Inside;
    explicit CheckCache(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

}  // namespace modelseal::jobs
