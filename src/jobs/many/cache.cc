#include "jobs/many/cache.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/folder.h"
#include "jobs/check/nearby.h"
#include "jobs/many/kept_report.h"
#include "ledger/database.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using crypto::Digest;
using crypto::Sha256;
using ledger::Database;
using ledger::Transaction;

constexpr std::int64_t kApplication = 0x6d736361;  // "msca", in the header of the file
// Higher with each change of what is kept, or of what an intact seal is: then nothing that was kept counts.
constexpr std::int64_t kVersion = 1;
constexpr auto kSettled = std::chrono::seconds(2);
constexpr std::uint64_t kMostEntries = 100'000;  // of a folder
constexpr std::uint32_t kMostLevels = 32;        // in it
constexpr std::size_t kMostWaiting = 256;        // reports that are not written yet
constexpr auto kWriteEvery = std::chrono::seconds(1);
constexpr const char* kSelect = "SELECT state, report, sum FROM checks WHERE key = ?";

Error not_a_cache(const std::string& shown) {
    return {ErrorKind::malformed, shown + ": is damaged, or not a cache of checks",
            "remove it, and a new one is made, or give another file"};
}

// Errors of SQLite are worded for ledgers.
Error of_cache(const std::string& shown, Error error) {
    return error.kind == ErrorKind::malformed ? not_a_cache(shown) : error;
}

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

bool is_own(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Error not_own(const std::string& shown) {
    return {ErrorKind::unreadable, shown + ": others may write to it, so it proves nothing",
            "give a file in a folder that belongs to you, and that only you may write to"};
}

// The folder of the cache, and the cache in it, made if it is not there. The folder stays open, so that the file is reached
// through it whatever its path leads to later.
struct Place {
    io::Descriptor folder, file;
    std::string name;
    fs::path path() const { return fs::path("/proc/self/fd") / std::to_string(folder.get()) / name; }
};

Result<Place> open_place(const fs::path& path, const std::string& shown) {
    const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    Place place{.folder = io::Descriptor(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                .file = {},
                .name = path.filename().string()};
    if (place.folder.get() < 0) return io::os_error(errno, shown, "write");
    if (!is_own(place.folder.get())) return not_own(util::printable(parent.string()));
    place.file = io::Descriptor(
        ::openat(place.folder.get(), place.name.c_str(), O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (place.file.get() < 0) return io::os_error(errno, shown, "write");
    if (!is_own(place.file.get())) return not_own(shown);
    return place;
}

Result<void> make_tables(const Database& database) {
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA application_id = {}", kApplication)));
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA user_version = {}", kVersion)));
        MODELSEAL_TRY(database.run(
            "CREATE TABLE checks (key BLOB PRIMARY KEY, state BLOB NOT NULL, report TEXT NOT NULL, "
            "sum BLOB NOT NULL) WITHOUT ROWID"));
    }
    return transaction.commit();
}

Result<Database> open_database(const Place& place, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(auto database, Database::open(place.path()));
    // A cache that is lost with the power costs a check of everything, no more.
    MODELSEAL_TRY(database.run("PRAGMA synchronous = NORMAL"));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) MODELSEAL_TRY(make_tables(database));
    MODELSEAL_TRY_ASSIGN(const auto application, database.number("PRAGMA application_id"));
    MODELSEAL_TRY_ASSIGN(const auto version, database.number("PRAGMA user_version"));
    if (application != kApplication || version != kVersion) return not_a_cache(shown);
    MODELSEAL_TRY(database.prepare(kSelect));
    return database;
}

}  // namespace

class CheckCache::Inside {
  public:
    Inside(Place place, Database database, std::string shown, std::string question)
        : place_(std::move(place)),
          database_(std::move(database)),
          shown_(std::move(shown)),
          question_(std::move(question)) {}

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
        if (!row.ok()) failed_ = of_cache(shown_, row.error());
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
    Result<std::optional<Row>> read(const Digest& key) const {
        MODELSEAL_TRY_ASSIGN(auto select, database_.prepare(kSelect));
        MODELSEAL_TRY_ASSIGN(const bool there, select.bind(bytes_of_digest(key)).step());
        if (!there) return std::optional<Row>();
        Row row{.key = key, .report = select.text(1)};
        const auto state = select.bytes(0), sum = select.bytes(2);
        if (state.size() != row.state.size()) return not_a_cache(shown_);
        std::ranges::copy(state, row.state.begin());
        if (!std::ranges::equal(row.sum(), sum)) return not_a_cache(shown_);
        return std::optional(std::move(row));
    }

    void write() {
        written_ = std::chrono::steady_clock::now();
        if (!failed_ && !waiting_.empty()) {
            const auto done = write_all();
            if (!done.ok()) failed_ = of_cache(shown_, done.error());
        }
        waiting_.clear();
    }

    Result<void> write_all() const {
        MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database_, Transaction::Kind::write));
        MODELSEAL_TRY_ASSIGN(auto insert,
                             database_.prepare("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?)"));
        for (const auto& row : waiting_)
            MODELSEAL_TRY(insert.bind(bytes_of_digest(row.key))
                              .bind(bytes_of_digest(row.state))
                              .bind(row.report)
                              .bind(bytes_of_digest(row.sum()))
                              .run());
        return transaction.commit();
    }

    std::mutex mutex_;  // for all below
    const Place place_;
    Database database_;
    const std::string shown_, question_;
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
    const auto shown = util::printable(path.string());
    MODELSEAL_TRY_ASSIGN(auto place, open_place(path, shown));
    auto database = open_database(place, shown);
    if (!database.ok()) return of_cache(shown, database.error());
    return CheckCache(std::make_unique<Inside>(std::move(place), std::move(*database), shown,
                                               program + "\n" + std::to_string(kVersion) + "\n" + question));
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
