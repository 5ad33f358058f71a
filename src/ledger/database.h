// The only place that includes SQLite: a connection to one file that may be hostile, and its statements.
//
// A ledger has a rollback journal (not a write-ahead log) and synchronous=EXTRA. At rest it is one file, so
// that a copy of it is a backup, and it can be on read-only media and in network folders whose locks work.
// What was committed survives a loss of power. Writes are few, so waiting two or three times for the disk
// does not matter.
//
// Thread safety: none; each thread opens a connection of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

struct sqlite3;
struct sqlite3_stmt;

namespace modelseal::ledger {

class Database;

// One prepared statement. Columns and parameters count from 0.
class Statement {
  public:
    Statement& bind(std::int64_t number);
    Statement& bind(std::string_view text);
    Statement& bind(std::span<const std::byte> bytes);

    Result<bool> step();  // whether there is a row
    Result<void> run();   // a statement without rows; it can be bound anew and run again
    // Columns of the current row. A value of another type, which no valid ledger has, is returned as 0 or
    // empty; texts and bytes are copies.
    std::int64_t number(int column) const;
    std::string text(int column) const;
    std::vector<std::byte> bytes(int column) const;

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    const Database* database_ = nullptr;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int next_ = 1;   // parameter to bind
    int bound_ = 0;  // result of binding
};

class Database {
  public:
    // Opens an existing file, which may be empty. Trusts nothing in it: its triggers, views and functions do
    // not run, and no other file can be attached.
    static Result<Database> open(const std::filesystem::path& path);

    Result<Statement> prepare(std::string_view sql) const;
    Result<void> run(std::string_view sql) const;
    Result<std::int64_t> number(std::string_view sql) const;  // the first column of the only row

    const std::string& shown() const { return shown_; }
    // What went wrong last, in the words of a person, and whether it is the file's fault or the system's.
    Error error(int code, std::string_view doing) const;

  private:
    Error not_a_ledger() const;
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    Database() = default;
    Result<void> restrict_and_configure() const;
    std::unique_ptr<sqlite3, Close> handle_;
    std::string shown_;
};

// All or nothing. Rolled back by the destructor unless committed.
class Transaction {
  public:
    enum class Kind {
        read,   // sees one state of the file
        write,  // alone; waits for other writers, and fails if that takes too long
    };
    static Result<Transaction> begin(const Database& database, Kind kind);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    // When this returns without an error, the changes are on the disk.
    Result<void> commit();

  private:
    explicit Transaction(const Database& database) : database_(&database) {}
    const Database* database_;  // null when it is over
};

}  // namespace modelseal::ledger
