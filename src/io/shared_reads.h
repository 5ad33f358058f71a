// Two passes over the same files at about the same time, with each byte read from the disk once.
//
//     SharedReads shared;
//     const auto a = shared.view(file, SharedReads::Side::first);
//     const auto b = shared.view(file, SharedReads::Side::second);
//     ... one thread (or several) reads a, another reads b, in about the same order ...
//     each calls shared.finish(its side) when it reads no more
//
// A chunk that one side has read is kept until the other side has had time to read it; the side that is far
// ahead waits. This only saves reading: a view gives the bytes of the file, in whatever order it is read, and
// only the side that is ahead waits, as long as the other is not finished.
//
// Memory: at most kKept chunks and those being read. Thread safety: any number of threads may read the views
// of both sides; call view() before they do.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::io {

class SharedReads {
  public:
    enum class Side { first, second };

    // `file` and this object must outlive the view.
    std::unique_ptr<Source> view(const Source& file, Side side);
    // May be called several times. Until a side calls it, the other side may wait for it.
    void finish(Side side);

  private:
    class View;
    struct Chunk {
        std::vector<std::byte> bytes;
        bool ready = false, failed = false;
    };
    using Place = std::pair<const Source*, std::uint64_t>;  // file, and number of the chunk in it

    static constexpr std::uint64_t kChunk = 1u << 20;
    static constexpr std::uint64_t kShort = 128u << 10;  // reads below are not worth sharing
    static constexpr std::uint64_t kLead = 32u << 20;    // bytes that a side may be ahead
    static constexpr std::size_t kKept = 64;             // chunks

    void keep_step(Side side, std::uint64_t bytes);
    // The chunk, read by the first caller; null if it could not be read.
    std::shared_ptr<const Chunk> chunk(const Place& place);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<std::uint64_t, 2> read_{};
    std::array<bool, 2> finished_{};
    std::map<Place, std::shared_ptr<Chunk>> chunks_;
    std::deque<Place> oldest_;  // of chunks_, in the order in which they came
};

// Finishes a side when it is destroyed, however the pass ends.
class FinishesSide {
  public:
    FinishesSide(SharedReads& shared, SharedReads::Side side) : shared_(shared), side_(side) {}
    FinishesSide(const FinishesSide&) = delete;
    FinishesSide& operator=(const FinishesSide&) = delete;
    ~FinishesSide() { shared_.finish(side_); }

  private:
    SharedReads& shared_;
    const SharedReads::Side side_;
};

}  // namespace modelseal::io
