
#include "ledger/database.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "io/file.h"
#include "io/file_kind.h"
#include "util/text.h"

namespace modelseal::ledger {
namespace {

constexpr int kPatienceMs = 30'000;  // for another program that writes

// Far above anything in a ledger, far below what would hurt.
constexpr int kMostValueBytes = 1 << 20, kMostSqlBytes = 4096, kMostColumns = 64;

// Of the operation that failed; 0 if SQLite has not kept it.
int system_error(sqlite3* handle) {
    if (handle == nullptr) return 0;
    if (const int kept = sqlite3_system_errno(handle); kept != 0) return kept;
    int last = 0;
    return sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &last) == SQLITE_OK ? last : 0;
}

// A commit writes, although the statement does not appear to.
std::string_view doing_of(int code, std::string_view doing) {
    switch (code) {
        case SQLITE_IOERR_WRITE:
        case SQLITE_IOERR_FSYNC:
        case SQLITE_IOERR_DIR_FSYNC:
        case SQLITE_IOERR_TRUNCATE:
            return "write";
        default:
            return doing;
    }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement& Statement::bind(std::int64_t number) {
    bound_ |= sqlite3_bind_int64(handle_.get(), next_++, number);
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    bound_ |=
        sqlite3_bind_text64(handle_.get(), next_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind(std::span<const std::byte> bytes) {
    const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();  // null would be NULL
    bound_ |= sqlite3_bind_blob64(handle_.get(), next_++, data, bytes.size(), SQLITE_TRANSIENT);
    return *this;
}

Result<bool> Statement::step() {
    if (bound_ != SQLITE_OK) return database_->error(bound_, "write");
    const auto code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return database_->error(code, sqlite3_stmt_readonly(handle_.get()) != 0 ? "read" : "write");
}

Result<void> Statement::run() {
    auto row = step();
    while (row.ok() && *row) row = step();
    sqlite3_reset(handle_.get());
    next_ = 1;
    if (!row.ok()) return std::move(row).error();
    return {};
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_INTEGER
               ? sqlite3_column_int64(handle_.get(), column)
               : 0;
}

std::string Statement::text(int column) const {
    if (sqlite3_column_type(handle_.get(), column) != SQLITE_TEXT) return {};
    const auto* text = sqlite3_column_text(handle_.get(), column);
    const auto size = sqlite3_column_bytes(handle_.get(), column);
    return text == nullptr ? std::string()
                           : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

std::vector<std::byte> Statement::bytes(int column) const {
    if (sqlite3_column_type(handle_.get(), column) != SQLITE_BLOB) return {};
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(handle_.get(), column));
    const auto size = sqlite3_column_bytes(handle_.get(), column);
    return data == nullptr ? std::vector<std::byte>() : std::vector<std::byte>(data, data + size);
}

void Database::Close::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

Result<Database> Database::open(const std::filesystem::path& path) {
    Database database;
    database.shown_ = util::printable(path.string());
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return io::os_error(ENOENT, path.string(), "open");
    if (!std::filesystem::is_regular_file(status)) {
        return Error{ErrorKind::unreadable, database.shown_ + ": not a regular file", {}};
    }
    // An absolute path has no spelling that means something else to SQLite, such as ":memory:". The file is
    // looked at through SQLite only: closing any other descriptor of it would drop the locks of this process.
    sqlite3* handle = nullptr;
    const auto code = sqlite3_open_v2(std::filesystem::absolute(path).c_str(), &handle,
                                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    database.handle_.reset(handle);
    if (code != SQLITE_OK) return database.error(code, "open");
    MODELSEAL_TRY(database.restrict_and_configure());
    return database;
}

Result<void> Database::restrict_and_configure() const {
    auto* handle = handle_.get();
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMostValueBytes);
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, kMostSqlBytes);
    sqlite3_limit(handle, SQLITE_LIMIT_COLUMN, kMostColumns);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(handle, kPatienceMs);
    // Of these, a file keeps only the journal mode; a write-ahead log in a hostile file would add two more
    // files. None of the others reads the file.
    for (const char* setting : {"PRAGMA cell_size_check = ON", "PRAGMA temp_store = MEMORY",
                                "PRAGMA secure_delete = ON", "PRAGMA synchronous = EXTRA"}) {
        MODELSEAL_TRY(run(setting));
    }
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
    Statement statement;
    statement.database_ = this;
    sqlite3_stmt* handle = nullptr;
    const auto code =
        sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), 0, &handle, nullptr);
    statement.handle_.reset(handle);
    if (code != SQLITE_OK) return error(code, "read");
    return statement;
}

Result<void> Database::run(std::string_view sql) const {
    MODELSEAL_TRY_ASSIGN(auto statement, prepare(sql));
    return statement.run();
}

Result<std::int64_t> Database::number(std::string_view sql) const {
    MODELSEAL_TRY_ASSIGN(auto statement, prepare(sql));
    MODELSEAL_TRY_ASSIGN(const bool row, statement.step());
    return row ? statement.number(0) : 0;
}

Error Database::not_a_ledger() const {
    const auto* path = sqlite3_db_filename(handle_.get(), "main");
    const auto source = io::FileSource::open(path == nullptr ? "" : path, shown_);
    auto error = source.ok() ? io::mistaken("ledger", **source)
                             : Error{ErrorKind::malformed, shown_ + ": not a ledger", {}};
    error.hint = "give a file made by adding a customer";
    error.remedy = Remedy::make_ledger;
    return error;
}

Error Database::error(int code, std::string_view doing) const {
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorKind::unreadable,
                    fmt::format("{}: cannot {}: another program has held the file for {} s", shown_, doing,
                                kPatienceMs / 1000),
                    "try again when that program is done"};
        case SQLITE_FULL:
            return io::os_error(ENOSPC, shown_, doing);
        case SQLITE_READONLY:
            return io::os_error(EACCES, shown_, doing);
        case SQLITE_NOTADB:
            return not_a_ledger();
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_IOERR:
            if (const int system = system_error(handle_.get()); system != 0) {
                return io::os_error(system, shown_, doing_of(code, doing));
            }
            return {ErrorKind::unreadable,
                    fmt::format("{}: cannot {}: {}", shown_, doing_of(code, doing), sqlite3_errstr(code)),
                    "check free space, and the permissions of the ledger's folder and its -journal file"};
        case SQLITE_NOMEM:  // which a damaged file can bring about, too
            return {ErrorKind::unreadable, fmt::format("{}: cannot {}: not enough memory", shown_, doing),
                    "if memory is free, the file is damaged: restore it from a backup"};
        case SQLITE_MISUSE:
            return {
                ErrorKind::internal, fmt::format("{}: cannot {}: {}", shown_, doing, sqlite3_errstr(code)), {}};
        default:
            // SQLITE_CORRUPT, a schema that does not parse, a constraint that only a damaged file can break.
            return {ErrorKind::malformed,
                    fmt::format("{}: damaged: {}", shown_, util::printable(sqlite3_errmsg(handle_.get()))),
                    "restore it from a backup"};
    }
}

Result<Transaction> Transaction::begin(const Database& database, Kind kind) {
    MODELSEAL_TRY(database.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
    if (database_ != nullptr) static_cast<void>(database_->run("ROLLBACK").ok());
}

Result<void> Transaction::commit() {
    MODELSEAL_TRY(database_->run("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace modelseal::ledger
