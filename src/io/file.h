// Errors of the operating system as messages for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/file_state.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::io {

// "NAME: cannot DOING: no space left on the device", kind unreadable, with a hint if there is one. `code` is
// an errno. The name is made printable here.
Error os_error(int code, std::string_view name, std::string_view doing);

// The only place that opens files for reading and writing model bytes.

// A regular file, opened read-only. Remembers its size and time of change; unchanged() compares them with the
// present ones.
class FileSource final : public Source {
  public:
    // `shown` is the name for messages. Refuses everything but a regular file.
    static Result<std::unique_ptr<FileSource>> open(const std::filesystem::path& path, std::string shown);
    // Takes ownership of an open descriptor, even if it fails. `path` is where the file was found, for
    // unchanged().
    static Result<std::unique_ptr<FileSource>> adopt(int fd, std::filesystem::path path, std::string shown);
    ~FileSource() override;
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return size_; }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
    // Later reads are an Error of the kind unreadable. Not thread-safe.
    void readable_until(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
    // Error kind unreadable if the file was written, replaced or cut since it was opened.
    Result<void> unchanged() const;
    int descriptor() const { return fd_; }          // owned by this object
    std::uint32_t mode() const { return mode_; }    // permission bits
    std::uint64_t links() const { return links_; }  // hard links, 1 for an ordinary file
    bool same_file(const std::filesystem::path& other) const;
    FileState state() const { return {device_, inode_, size_, changed_ns_}; }  // when it was opened

  private:
    FileSource() = default;
    int fd_ = -1;
    std::string name_;
    std::filesystem::path path_;
    std::uint64_t size_ = 0;
    std::uint32_t mode_ = 0;
    std::uint64_t links_ = 1;
    std::uint64_t device_ = 0, inode_ = 0;
    std::int64_t changed_ns_ = 0;
    std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

// The complete file as text, if it has at most `cap` bytes, without a byte order mark; for keys, receipts, JSON. Larger
// ones are malformed.
Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t cap);

enum class WriteMode {
    replace,    // an existing file is replaced when the new one is complete, unless it is irreplaceable
    exclusive,  // an existing file is an error, and stays
};

// How a file is hidden until it is complete.
enum class Unseen {
    nameless,  // it has no name at all, so nothing is left of it when the process is killed; where the file
               // system cannot do that (O_TMPFILE), as `hidden`
    hidden,    // ".NAME.xxxxxx.part" in the same folder
};

// A file that appears under its name only when it is complete: written unseen, fsynced, then named by
// commit(). Without a commit the destructor removes what was written. If the process is killed at any moment,
// an earlier file of that name is unchanged. write() is thread-safe for disjoint ranges.
class AtomicFile {
  public:
    // `mode`: permission bits, 0600 for secrets. `in`: the folder that it is kept in meanwhile, on the same
    // file system; else that of `path`.
    static Result<AtomicFile> create(const std::filesystem::path& path, std::uint32_t mode,
                                     WriteMode write_mode, Unseen unseen = Unseen::nameless,
                                     const std::filesystem::path& in = {});
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&& other) noexcept;
    ~AtomicFile();

    Result<void> reserve(std::uint64_t bytes);  // allocates on the disk, so that a full disk shows at once
    Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
    // Waits until what was written is on the disk; commit() does so, too.
    Result<void> sync();
    // `elsewhere`: where it appears instead of under `path`, on the same file system.
    Result<void> commit(const std::filesystem::path& elsewhere = {});

  private:
    AtomicFile() = default;
    void discard();
    Result<void> give_name(const std::filesystem::path& at);
    int fd_ = -1;
    std::filesystem::path path_;
    std::filesystem::path beside_;  // empty while the file has no name
    WriteMode write_mode_ = WriteMode::replace;
};

// When this returns, renames in the folder are on the disk. File systems that cannot do this are not an
// error.
Result<void> sync_folder(const std::filesystem::path& folder);

// Writes a small file, completely or not at all.
Result<void> write_text(const std::filesystem::path& path, std::string_view text, std::uint32_t mode,
                        WriteMode write_mode);

}  // namespace modelseal::io
