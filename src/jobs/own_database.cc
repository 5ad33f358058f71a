#include "jobs/own_database.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using ledger::Database;
using ledger::Transaction;
using Kind = OwnDatabase::Kind;

bool is_own(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Error not_own(const std::string& shown) {
    return {ErrorKind::unreadable, shown + ": others may write to it, so it proves nothing",
            "give a file in a folder that belongs to you, and that only you may write to"};
}

Result<void> make_tables(const Database& database, const Kind& kind) {
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA application_id = {}", kind.application)));
        MODELSEAL_TRY(database.run(fmt::format("PRAGMA user_version = {}", kind.version)));
        MODELSEAL_TRY(database.run(kind.tables));
    }
    return transaction.commit();
}

Result<Database> open_database(const fs::path& path, const std::string& shown, const Kind& kind) {
    MODELSEAL_TRY_ASSIGN(auto database, Database::open(path));
    // What is lost with the power costs the work again, no more.
    MODELSEAL_TRY(database.run("PRAGMA synchronous = NORMAL"));
    MODELSEAL_TRY_ASSIGN(const auto tables, database.number("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) MODELSEAL_TRY(make_tables(database, kind));
    MODELSEAL_TRY_ASSIGN(const auto application, database.number("PRAGMA application_id"));
    MODELSEAL_TRY_ASSIGN(const auto version, database.number("PRAGMA user_version"));
    if (application != kind.application || version != kind.version) return OwnDatabase::damaged(shown, kind.is);
    return database;
}

}  // namespace

Error OwnDatabase::damaged(const std::string& shown, const char* is) {
    return {ErrorKind::malformed, fmt::format("{}: is damaged, or not {}", shown, is),
            "remove it, and a new one is made, or give another file"};
}

Result<OwnDatabase> OwnDatabase::open(const fs::path& path, const Kind& kind) {
    auto shown = util::printable(path.string());
    const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    io::Descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return io::os_error(errno, shown, "write");
    if (!is_own(folder.get())) return not_own(util::printable(parent.string()));
    const auto name = path.filename().string();
    io::Descriptor file(::openat(folder.get(), name.c_str(), O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0) return io::os_error(errno, shown, "write");
    if (!is_own(file.get())) return not_own(shown);
    auto database = open_database(fs::path("/proc/self/fd") / std::to_string(folder.get()) / name, shown, kind);
    // Errors of SQLite are worded for ledgers.
    if (!database.ok()) {
        return database.error().kind == ErrorKind::malformed ? damaged(shown, kind.is) : database.error();
    }
    return OwnDatabase{std::move(folder), std::move(file), std::move(*database), std::move(shown)};
}

}  // namespace modelseal::jobs
