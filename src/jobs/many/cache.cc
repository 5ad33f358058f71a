#include "jobs/many/cache.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "io/extent.h"
#include "io/file.h"
#include "jobs/many/kept_report.h"
#include "ledger/database.h"
#include "model/model.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using crypto::Digest;
using crypto::Sha256;
using ledger::Database;
using ledger::Statement;
using ledger::Transaction;

constexpr std::int64_t kApplication = 0x6d736361;  // "msca", in the header of the file
constexpr std::int64_t kVersion = 1;
constexpr auto kSettled = std::chrono::seconds(2);
constexpr std::uint64_t kMostEntries = 100'000;  // of a folder whose state is looked at
constexpr std::size_t kMostWaiting = 256;        // reports that are not written yet
constexpr auto kWriteEvery = std::chrono::seconds(1);

Error not_a_cache(const std::string& shown) {
    return {ErrorKind::malformed, shown + ": is damaged, or not a cache of checks",
            "remove it, and a new one is made, or give another file"};
}

// Errors of SQLite are worded for ledgers.
Error of_cache(const std::string& shown, Error error) {
    return error.kind == ErrorKind::malformed ? not_a_cache(shown) : error;
}

// Adds up what the system knows of files, and when the last of them changed.
class States {
  public:
    void add(const std::string& name, const std::optional<io::FileState>& state) {
        hash_.update_text(name).update_number(state ? 1 : 0);
        if (!state) return;
        for (const auto number : {state->device, state->inode, state->size}) hash_.update_number(number);
        for (const auto time : {state->modified_ns, state->changed_ns}) {
            hash_.update_number(static_cast<std::uint64_t>(time));
            last_ns_ = std::max(last_ns_, time);
        }
    }
    Digest digest() { return hash_.finish(); }
    std::int64_t last_ns() const { return last_ns_; }

  private:
    Sha256 hash_;
    std::int64_t last_ns_ = 0;
};

// All below a folder, in an order of their own. False if it cannot be listed, or has too many.
bool add_folder(const fs::path& folder, States& states) {
    std::map<std::string, io::FileState> found;
    std::error_code failed;
    for (auto at = fs::recursive_directory_iterator(folder, failed);
         !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        const auto state = io::state_of(at->path(), io::Links::as_they_are);
        if (!state || found.size() == kMostEntries) return false;
        found.emplace(at->path().lexically_relative(folder).string(), *state);
    }
    for (const auto& [name, state] : found) states.add(name, state);
    return !failed;
}

// What else a check looks at: signatures in the usual places, and adapters.
std::vector<fs::path> neighbors(const fs::path& target) {
    const auto folder = target.parent_path();
    return {folder / (target.filename().string() + ".sig"), folder / "model.sig",
            folder / "adapter_model.safetensors", folder / "adapter_model.bin"};
}

fs::path plain_path(const std::string& target) {
    auto path = fs::absolute(target).lexically_normal();
    return path.has_filename() ? path : path.parent_path();  // "folder/"
}

struct State {
    Digest digest{};
    std::int64_t last_ns = 0;
};

// Nothing for what is not there, or cannot be listed.
std::optional<State> state_of_target(const fs::path& path, const std::vector<std::string>& files) {
    States states;
    const auto own = io::state_of(path);
    if (!own) return std::nullopt;
    states.add("", own);
    if (own->folder && !add_folder(path, states)) return std::nullopt;
    for (const auto& file : files) states.add(file, io::state_of(file));
    for (const auto& each : neighbors(path)) states.add(each.string(), io::state_of(each));
    return State{states.digest(), states.last_ns()};
}

// The files of a model besides the one that names them. Nothing if it cannot be opened: then there is nothing to keep.
std::optional<std::vector<std::string>> files_of(const fs::path& path) {
    std::vector<std::string> files;
    std::error_code failed;
    if (fs::is_directory(path, failed)) return files;
    const auto model = model::open_model(path, Limits());
    if (!model.ok()) return std::nullopt;
    if (model->files.size() == 1) return files;
    for (const auto& file : model->files) files.push_back((path.parent_path() / file.path).string());
    return files;
}

struct Row {
    Digest key{}, state{};
    std::string files, report;
    // A row of which a bit was lost must not answer.
    Digest sum() const {
        return Sha256()
            .update_text("modelseal cache")
            .update(key)
            .update(state)
            .update_text(files)
            .update_text(report)
            .finish();
    }
};

std::optional<std::vector<std::string>> listed_files(const std::string& text) {
    const auto listed = nlohmann::json::parse(text, nullptr, false);
    if (!listed.is_array()) return std::nullopt;
    std::vector<std::string> files;
    for (const auto& file : listed) {
        if (!file.is_string()) return std::nullopt;
        files.push_back(file.get<std::string>());
    }
    return files;
}

std::span<const std::byte> bytes_of_digest(const Digest& digest) {
    return digest;
}

Result<void> must_be_own(const fs::path& path, const std::string& shown) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return io::os_error(errno, path.string(), "open");
    const bool own = status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (own) return {};
    return Error{ErrorKind::unreadable, shown + ": others may write to it, so it proves nothing",
                 "give a file that belongs to you and that only you may write to"};
}

Result<void> make_file(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) return io::os_error(errno, path.string(), "write");
    if (fd >= 0) ::close(fd);
    return {};
}

Result<void> make_tables(const Database& database) {
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA application_id = {}", kApplication)));
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA user_version = {}", kVersion)));
        MODELSEAL_TRY(
            database.run("CREATE TABLE checks (key BLOB PRIMARY KEY, state BLOB NOT NULL, files TEXT NOT NULL, "
                         "report TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID"));
    }
    return transaction.commit();
}

Result<Database> open_database(const fs::path& path, const std::string& shown) {
    MODELSEAL_TRY(make_file(path));
    MODELSEAL_TRY(must_be_own(path, shown));
    MODELSEAL_TRY_ASSIGN(auto database, Database::open(path));
    // A cache that is lost with the power costs a check of everything, no more.
    MODELSEAL_TRY(database.run("PRAGMA synchronous = NORMAL"));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) MODELSEAL_TRY(make_tables(database));
    MODELSEAL_TRY_ASSIGN(const auto application, database.number("PRAGMA application_id"));
    MODELSEAL_TRY_ASSIGN(const auto version, database.number("PRAGMA user_version"));
    if (application != kApplication || version != kVersion) return not_a_cache(shown);
    MODELSEAL_TRY(database.prepare("SELECT state, files, report, sum FROM checks WHERE key = ?"));
    return database;
}

}  // namespace

class CheckCache::Inside {
  public:
    Inside(Database database, std::string shown, std::string question)
        : database_(std::move(database)), shown_(std::move(shown)), question_(std::move(question)) {}

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
        MODELSEAL_TRY_ASSIGN(auto select,
                             database_.prepare("SELECT state, files, report, sum FROM checks WHERE key = ?"));
        MODELSEAL_TRY_ASSIGN(const bool there, select.bind(bytes_of_digest(key)).step());
        if (!there) return std::optional<Row>();
        Row row{.key = key, .files = select.text(1), .report = select.text(2)};
        const auto state = select.bytes(0), sum = select.bytes(3);
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
                             database_.prepare("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?, ?)"));
        for (const auto& row : waiting_)
            MODELSEAL_TRY(insert.bind(bytes_of_digest(row.key))
                              .bind(bytes_of_digest(row.state))
                              .bind(row.files)
                              .bind(row.report)
                              .bind(bytes_of_digest(row.sum()))
                              .run());
        return transaction.commit();
    }

    std::mutex mutex_;  // for all below
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
    auto database = open_database(path, shown);
    if (!database.ok()) return of_cache(shown, database.error());
    return CheckCache(std::make_unique<Inside>(std::move(*database), shown, program + "\n" + question));
}

CheckCache::Look CheckCache::look(const Target& target, Clock::time_point now) {
    Look out;
    if (oracle::is_endpoint(target.path)) return out;
    const auto path = plain_path(target.path);
    const auto row = inside_->find(inside_->key_of(target, path));
    const auto listed = row ? listed_files(row->files) : std::nullopt;
    const auto now_is = listed ? state_of_target(path, *listed) : std::nullopt;
    if (now_is && now_is->digest == row->state) out.known = kept_report(row->report);
    if (out.known) {
        out.known->target = target.path;  // as it is written, which need not be UTF-8
        return out;
    }
    auto files = files_of(path);
    if (!files) return out;
    out.files = std::move(*files);
    const auto state = state_of_target(path, out.files);
    if (!state) return out;
    const auto settled =
        std::chrono::duration_cast<std::chrono::nanoseconds>((now - kSettled).time_since_epoch());
    out.state = state->digest;
    out.lasting = state->last_ns < settled.count();
    return out;
}

void CheckCache::keep(const Target& target, const Look& before, const CheckReport& report) {
    if (!before.lasting || !may_be_kept(report)) return;
    const auto path = plain_path(target.path);
    const auto after = state_of_target(path, before.files);
    if (!after || after->digest != before.state) return;
    inside_->add(
        {.key = inside_->key_of(target, path),
         .state = before.state,
         .files = nlohmann::json(before.files).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
         .report = kept_text(report)});
}

Result<void> CheckCache::finish() {
    return inside_->finish();
}

}  // namespace modelseal::jobs
