// A small database that belongs to this user alone, in which a command keeps what it need not find out again.
//
// It is refused unless it and the folder that it lies in belong to this user and nobody else may write to them, so nobody can put a journal
// beside it either. It may be deleted at any time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/descriptor.h"
#include "ledger/database.h"
#include <modelseal/result.h>

namespace modelseal::jobs {

struct OwnDatabase {
    struct Kind {
        std::int64_t application;  // in the header of the file
        std::int64_t version;      // higher with each change of what is kept: then nothing that was kept counts
        const char* tables;        // SQL that makes them
        const char* is;            // "a cache of checks"
    };
    // Opens one, or makes one (mode 0600). Malformed for a file that is damaged or something else, unreadable for one that others may
    // write to.
    static Result<OwnDatabase> open(const std::filesystem::path& path, const Kind& kind);

    // The folder stays open, so that the file is reached through it whatever its path leads to later.
    io::Descriptor folder, file;
    ledger::Database database;
    std::string shown;  // its path, for messages

    // That it is damaged, or something else than `kind`.
    static Error damaged(const std::string& shown, const char* is);
};

}  // namespace modelseal::jobs
