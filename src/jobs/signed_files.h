// How files were when they were signed, so that unchanged ones need not be read again for the next signature.
//
// Kept of each file is its device, inode, size and time of change, and the SHA-256 of sixteen parts at random places. A file is unchanged
// if all of this is as it was. The time of change (ctime) cannot be set by a program; whether every write sets it is up to the file
// system, which is why parts are read as well: they show a disk or a snapshot that was exchanged below, not a small edit.
//
// Whoever can write to it can have an old digest signed again, which the file then contradicts; it is refused unless it is this user's own
// (own_database.h).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "jobs/own_database.h"
#include "oms/sign.h"

namespace modelseal::jobs {

class SignedFiles {
  public:
    // Opens a cache, or makes one.
    static Result<SignedFiles> open(const std::filesystem::path& path);

    // Whether `source` is as it was when the files of the signature with this root (hex) were signed.
    Result<bool> unchanged(const std::string& root, const std::string& name,
                           const io::FileSource& source) const;

    using Clock = std::chrono::system_clock;
    // Keeps how the files of a model are, which was just signed. Not those that changed in the last two seconds: a later change could have
    // the same time.
    Result<void> keep(const std::string& root, const std::filesystem::path& model,
                      const oms::FileStates& states, Clock::time_point now);

  private:
    explicit SignedFiles(OwnDatabase own) : own_(std::move(own)) {}
    OwnDatabase own_;
};

// Signs a model and keeps in `cache` how its files are; takes the digests of unchanged ones from `reuse`, an earlier signature by the same
// key, unless it is empty.
Result<SignSummary> sign_with_cache(const std::filesystem::path& model, const SignOptions& options,
                                    const std::filesystem::path& cache, const std::filesystem::path& reuse,
                                    SignedFiles::Clock::time_point now = SignedFiles::Clock::now());

}  // namespace modelseal::jobs
