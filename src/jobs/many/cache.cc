#include "jobs/many/cache.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "crypto/hash.h"
#include "io/file.h"
#include "io/folder.h"
#include "jobs/check/nearby.h"
#include "jobs/many/kept_report.h"
#include "jobs/own_database.h"
#include "oracle/endpoint.h"

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using crypto::Digest;
using crypto::Sha256;
using ledger::Transaction;

constexpr std::int64_t kVersion = 1;  // higher also with each change of what an intact seal is
constexpr OwnDatabase::Kind kKind = {.application = 0x6d736361,  // "msca"
                                     .version = kVersion,
                                     .tables =
                                         "CREATE TABLE checks (key BLOB PRIMARY KEY, state BLOB NOT NULL, "
                                         "report TEXT NOT NULL, sum BLOB NOT NULL) "
                                         "WITHOUT ROWID",
                                     .is = "a cache of checks"};
constexpr auto kSettled = std::chrono::seconds(2);
constexpr std::uint64_t kMostEntries = 100'000;  // of a folder
constexpr std::uint32_t kMostLevels = 32;        // in it
constexpr std::size_t kMostWaiting = 256;        // reports that are not written yet
constexpr auto kWriteEvery = std::chrono::seconds(1);
constexpr const char* kSelect = "SELECT state, report, sum FROM checks WHERE key = ?";

using States = std::map<std::string, io::FileState>;

// All that the target is: each file, opened as a check opens it, and handed to `look` too. Nothing if it is not there, if a
// folder holds anything but files and folders, or if `look` does not like a file.
template <class FileLook>
FilesRead files_of(const fs::path& target, FileLook look) {
    States states;
    const auto add = [&](const std::string& name, const Result<std::unique_ptr<io::FileSource>>& source) {
        if (!source.ok() || !look(**source)) return false;
        states.emplace(name, (*source)->state());
        return true;
    };
    std::error_code failed;
    if (!fs::is_directory(target, failed)) {
        if (!add("", io::FileSource::open(target, target.string()))) return std::nullopt;
        return states;
    }
    const auto folder = io::Folder::open(target);
    if (!folder.ok()) return std::nullopt;
    const auto names = folder->files(kMostEntries, kMostLevels, [](const auto&) { return false; });
    if (!names.ok()) return std::nullopt;
    for (const auto& name : *names) {
        if (!add(name, folder->file(name))) return std::nullopt;
    }
    return states;
}

FilesRead files_of(const fs::path& target) {
    return files_of(target, [](const io::FileSource&) { return true; });
}

Digest digest_of(const States& states) {
    Sha256 hash;
    for (const auto& [name, state] : states) {
        hash.update_text(name);
        for (const auto number : {state.device, state.inode, state.size}) hash.update_number(number);
        hash.update_number(static_cast<std::uint64_t>(state.changed_ns));
    }
    return hash.finish();
}

// With its links and ".." as they are: what they lead to now may be something else tomorrow.
fs::path whole_path(const std::string& target) {
    return fs::absolute(target);
}

struct Row {
    Digest key{}, state{};
    std::string report;
    // A row of which a bit was lost must not answer.
    Digest sum() const {
        return Sha256().update_text("modelseal cache").update(key).update(state).update_text(report).finish();
    }
};

std::span<const std::byte> bytes_of_digest(const Digest& digest) {
    return digest;
}

}  // namespace

class CheckCache::Inside {
  public:
    Inside(OwnDatabase own, std::string question) : own_(std::move(own)), question_(std::move(question)) {}

    Digest key_of(const Target& target, const fs::path& path) const {
        return Sha256()
            .update_text(question_)
            .update_text(path.string())
            .update_text(target.path)
            .update_text(target.name)
            .finish();
    }

    std::optional<Row> find(const Digest& key) {
        const std::scoped_lock lock(mutex_);
        if (failed_) return std::nullopt;
        auto row = read(key);
        if (!row.ok()) failed_ = of_cache(row.error());
        return row.ok() ? std::move(*row) : std::nullopt;
    }

    void add(Row row) {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back(std::move(row));
        if (waiting_.size() >= kMostWaiting || std::chrono::steady_clock::now() - written_ >= kWriteEvery)
            write();
    }

    Result<void> finish() {
        const std::scoped_lock lock(mutex_);
        write();
        if (failed_) return *failed_;
        return {};
    }

  private:
    Error not_a_cache() const { return OwnDatabase::damaged(own_.shown, kKind.is); }
    // Errors of SQLite are worded for ledgers.
    Error of_cache(const Error& error) const {
        return error.kind == ErrorKind::malformed ? not_a_cache() : error;
    }

    Result<std::optional<Row>> read(const Digest& key) const {
        MODELSEAL_TRY_ASSIGN(auto select, own_.database.prepare(kSelect));
        MODELSEAL_TRY_ASSIGN(const bool there, select.bind(bytes_of_digest(key)).step());
        if (!there) return std::optional<Row>();
        Row row{.key = key, .report = select.text(1)};
        const auto state = select.bytes(0), sum = select.bytes(2);
        if (state.size() != row.state.size()) return not_a_cache();
        std::ranges::copy(state, row.state.begin());
        if (!std::ranges::equal(row.sum(), sum)) return not_a_cache();
        return std::optional(std::move(row));
    }

    void write() {
        written_ = std::chrono::steady_clock::now();
        if (!failed_ && !waiting_.empty()) {
            const auto done = write_all();
            if (!done.ok()) failed_ = of_cache(done.error());
        }
        waiting_.clear();
    }

    Result<void> write_all() const {
        MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(own_.database, Transaction::Kind::write));
        MODELSEAL_TRY_ASSIGN(auto insert,
                             own_.database.prepare("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?)"));
        for (const auto& row : waiting_)
            MODELSEAL_TRY(insert.bind(bytes_of_digest(row.key))
                              .bind(bytes_of_digest(row.state))
                              .bind(row.report)
                              .bind(bytes_of_digest(row.sum()))
                              .run());
        return transaction.commit();
    }

    std::mutex mutex_;  // for all below
    const OwnDatabase own_;
    const std::string question_;
    std::vector<Row> waiting_;
    std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
    std::optional<Error> failed_;
};

CheckCache::CheckCache(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
CheckCache::CheckCache(CheckCache&&) noexcept = default;
CheckCache& CheckCache::operator=(CheckCache&&) noexcept = default;
CheckCache::~CheckCache() = default;

Result<CheckCache> CheckCache::open(const fs::path& path, const std::string& program,
                                    const std::string& question) {
    MODELSEAL_TRY_ASSIGN(auto own, OwnDatabase::open(path, kKind));
    auto select = own.database.prepare(kSelect);
    if (!select.ok()) {
        return select.error().kind == ErrorKind::malformed ? OwnDatabase::damaged(own.shown, kKind.is)
                                                           : select.error();
    }
    return CheckCache(
        std::make_unique<Inside>(std::move(own), program + "\n" + std::to_string(kVersion) + "\n" + question));
}

CheckCache::Look CheckCache::look(const Target& target, Clock::time_point now) {
    if (oracle::is_endpoint(target.path)) return {};
    const auto path = whole_path(target.path);
    if (signature_next_to(path)) return {};
    if (const auto row = inside_->find(inside_->key_of(target, path))) {
        const auto files = files_of(path);
        Look out{.known = files && digest_of(*files) == row->state ? kept_report(row->report) : std::nullopt,
                 .lasting = {}};
        if (out.known) {
            out.known->target = target.path;  // as it is written, which need not be UTF-8
            return out;
        }
    }
    const auto settled = std::chrono::nanoseconds((now - kSettled).time_since_epoch()).count();
    return {.known = {}, .lasting = files_of(path, [&](const io::FileSource& file) {
                             return io::changes_show(file.descriptor(), settled);
                         })};
}

void CheckCache::keep(const Target& target, const Look& before, const FilesRead& read,
                      const CheckReport& report) {
    if (!before.lasting || read != before.lasting || !may_be_kept(report)) return;
    inside_->add({.key = inside_->key_of(target, whole_path(target.path)),
                  .state = digest_of(*read),
                  .report = kept_text(report)});
}

Result<void> CheckCache::finish() {
    return inside_->finish();
}

}  // namespace modelseal::jobs
