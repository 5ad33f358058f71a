// A reader of tar archives that come as a stream: POSIX ustar and pax (IEEE Std 1003.1), and GNU's long names.
//
// Files and folders alone: links, devices and everything else are refused, and so is whatever two programs could read in two
// ways (a name twice, a record that is not understood). So what is checked here is what others will unpack.
//
// Written here because the readers of libraries accept more than that: dozens of formats, and the mistakes of all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include <modelseal/result.h>

namespace modelseal::hook {

// Takes bytes in parts of any size. Not thread-safe.
class TarReader {
  public:
    struct Receiver {
        std::function<Result<void>(const std::string& path)> folder;
        // A file begins; its bytes follow, then `end`. `path` is as it was written.
        std::function<Result<void>(const std::string& path, std::uint64_t size)> begin;
        std::function<Result<void>(std::span<const std::byte>)> bytes;
        std::function<Result<void>()> end;
    };
    // `name` begins messages.
    TarReader(std::string name, Receiver receiver) : name_(std::move(name)), receiver_(std::move(receiver)) {}

    Result<void> take(std::span<const std::byte> bytes);
    // After the last byte. ErrorKind::malformed if the archive is not complete.
    Result<void> finish() const;

  private:
    static constexpr std::size_t kBlock = 512;
    enum class State { header, content, extension, padding, end };

    Result<void> header();
    Result<void> extension();  // its content is in text_
    Result<void> member(char type, std::string path, std::uint64_t size);
    Result<void> after_content();
    Error spoiled(std::string_view what) const;

    std::string name_;
    Receiver receiver_;
    State state_ = State::header;
    std::array<std::byte, kBlock> block_{};
    std::size_t filled_ = 0;     // of block_
    std::uint64_t left_ = 0;     // of the content
    std::uint64_t padding_ = 0;  // after it
    unsigned zero_blocks_ = 0;
    std::uint64_t members_ = 0;
    char extended_ = 0;      // type of the extension that is being read
    char pending_ = 0;       // type of the extension that belongs to the next member
    std::string text_;       // its content
    std::string next_path_;  // from an extension; empty: the header's own
    bool has_next_size_ = false;
    std::uint64_t next_size_ = 0;
};

}  // namespace modelseal::hook
