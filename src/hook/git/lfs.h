// Git LFS: what a repository has instead of large files, and where they are.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/file.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct LfsPointer {
    std::string oid;  // SHA-256, 64 lower-case hexadecimal digits
    std::uint64_t bytes = 0;
};

inline constexpr std::uint64_t kLongestPointer = 1023;  // bytes: Git LFS takes no longer file for one

// Nothing for a file that is not a pointer. ErrorKind::malformed for one that begins as a pointer and is none, and unsupported
// for one with extensions, whose content is not in the store as it is checked out: Git LFS is lenient, and what it might take
// for a pointer must not pass as a text. `where` begins messages.
Result<std::optional<LfsPointer>> parse_lfs_pointer(std::string_view text, std::string_view where);

// Whether Git LFS might take a longer file, of which this is the front, for a pointer: it reads the first 1,024 bytes, without
// the blanks of Unicode around them.
bool is_front_of_pointer(std::string_view front);

// The folder that Git LFS keeps objects in ("objects" in lfs.storage), or that of another server.
class LfsStore {
  public:
    explicit LfsStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // The object, of the size that the pointer names, as AB/CD/ABCD... (Git LFS) or AB/CD/REST (Gitea, GitLab). Its digest is
    // not verified here: see verify_lfs_object(). ErrorKind::mismatch for another size, unreadable if it is not there.
    Result<std::unique_ptr<io::FileSource>> open(const LfsPointer& pointer, std::string_view where) const;

    // Makes `to`, where nothing may be, a hard link to the object, or a copy if that is not possible, and verifies it.
    Result<void> place(const LfsPointer& pointer, std::string_view where,
                       const std::filesystem::path& to) const;

  private:
    std::filesystem::path path_of(const LfsPointer& pointer) const;

    std::filesystem::path folder_;
};

// ErrorKind::mismatch if the content of the object is not the one that the pointer names.
Result<void> verify_lfs_object(const io::FileSource& object, const LfsPointer& pointer, std::string_view where);

}  // namespace modelseal::hook
