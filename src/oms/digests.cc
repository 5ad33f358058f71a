#include "oms/digests.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "io/threads.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::uint64_t kBlock = 1u << 20;
constexpr std::uint64_t kMostShards = 1u << 20;  // of one file; JSON has room for fewer
constexpr std::size_t kBatch = 256;              // files open at a time

// Bytes [begin, end) of a file, to one digest.
struct Piece {
    std::size_t file;  // in the batch
    std::size_t shard;
    std::uint64_t begin, end;
};

// Reads on a thread of its own while the caller hashes the previous block. If that thread gets no processor,
// the caller does not wait for it but reads the next block itself.
class ReadAhead {
  public:
    ReadAhead(const Source& source, std::uint64_t begin, std::uint64_t end)
        : source_(source), begin_(begin), end_(end), thread_([this] { run(); }) {}
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    ~ReadAhead() {
        {
            const std::scoped_lock lock(mutex_);
            stop_ = true;
        }
        room_.notify_one();
        thread_.join();
    }

    // The next block, valid until the next call; empty at the end.
    Result<std::span<const std::byte>> next() {
        std::unique_lock lock(mutex_);
        const auto wanted = taken_++;
        auto& slot = slots_[wanted % kSlots];
        if (claimed_ == wanted) {
            ++claimed_;
            lock.unlock();
            fill(slot, wanted);
        } else {
            filled_.wait(lock, [&] { return slot.ready == wanted; });
            lock.unlock();
        }
        room_.notify_one();
        if (slot.error) return *slot.error;
        return std::span<const std::byte>(slot.bytes);
    }

  private:
    static constexpr std::uint64_t kSlots = 4;
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    struct Slot {
        std::vector<std::byte> bytes;
        std::optional<Error> error;
        std::uint64_t ready = kNone;  // which block it holds
    };

    void fill(Slot& slot, std::uint64_t block) {
        const auto position = std::min(end_, begin_ + block * kBlock);
        slot.bytes.resize(std::min(kBlock, end_ - position));
        if (auto read = source_.read(position, slot.bytes); !read) slot.error = std::move(read).error();
    }

    // The caller keeps the block that it took last, so one slot less is free.
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            room_.wait(lock, [&] { return stop_ || claimed_ + 1 < taken_ + kSlots; });
            if (stop_) return;
            const auto block = claimed_++;
            auto& slot = slots_[block % kSlots];
            lock.unlock();
            fill(slot, block);
            lock.lock();
            slot.ready = block;
            filled_.notify_one();
            if (slot.bytes.empty() || slot.error) return;
        }
    }

    const Source& source_;
    const std::uint64_t begin_, end_;
    std::array<Slot, kSlots> slots_;
    std::mutex mutex_;
    std::condition_variable room_, filled_;
    std::uint64_t claimed_ = 0, taken_ = 0;  // blocks whose reading has begun; blocks that the caller took
    bool stop_ = false;
    std::thread thread_;
};

Result<Bytes> digest_ahead(const Source& source, const Piece& piece, HashType type, Progress& progress) {
    Hasher hasher(type);
    ReadAhead ahead(source, piece.begin, piece.end);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto block, ahead.next());
        if (block.empty()) return hasher.finish();
        hasher.update(block);
        progress.advance(block.size());
    }
}

Result<Bytes> digest(const Source& source, const Piece& piece, HashType type, Progress& progress) {
    Hasher hasher(type);
    std::vector<std::byte> block(std::min(kBlock, piece.end - piece.begin));
    for (auto at = piece.begin; at < piece.end;) {
        const auto part = std::span(block).first(std::min<std::uint64_t>(kBlock, piece.end - at));
        MODELSEAL_TRY(source.read(at, part));
        hasher.update(part);
        progress.advance(part.size());
        at += part.size();
    }
    return hasher.finish();
}

std::vector<Piece> pieces_of(std::size_t file, std::uint64_t size,
                             const std::optional<std::uint64_t>& shard_size) {
    if (!shard_size) return {{file, 0, 0, size}};
    std::vector<Piece> pieces;
    for (std::uint64_t begin = 0; begin < size; begin += std::min(*shard_size, size - begin)) {
        pieces.push_back({file, pieces.size(), begin, begin + std::min(*shard_size, size - begin)});
    }
    return pieces;
}

Result<void> digest_batch(const Tree& tree, std::span<const std::string> names,
                          std::span<std::vector<Resource>> out, const DigestOptions& options,
                          Progress& progress) {
    std::vector<std::unique_ptr<io::FileSource>> sources;
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < names.size(); ++i) {
        MODELSEAL_TRY_ASSIGN(auto source, tree.file(names[i], options.follow_links));
        if (options.shard_size && source->size() / *options.shard_size >= kMostShards) {
            return Error{
                ErrorKind::unsupported,
                fmt::format("{}: more than {} of {}", source->name(), util::counted(kMostShards, "shard"),
                            util::counted(*options.shard_size, "byte")),
                "use larger shards"};
        }
        for (const auto& piece : pieces_of(i, source->size(), options.shard_size)) {
            pieces.push_back(piece);
            Resource resource{.name = names[i]};
            if (options.shard_size) {
                resource.begin = piece.begin;
                resource.end = piece.end;
            }
            out[i].push_back(std::move(resource));
        }
        sources.push_back(std::move(source));
    }
    // The largest first, so that no thread is left with one at the end.
    std::ranges::stable_sort(pieces, std::ranges::greater(),
                             [](const Piece& each) { return each.end - each.begin; });
    const auto jobs = options.jobs == 0 ? io::default_jobs() : options.jobs;
    const bool spare = pieces.size() * 2 <= jobs;
    MODELSEAL_TRY(io::parallel_for(pieces.size(), jobs, [&](std::size_t i, unsigned) -> Result<void> {
        const auto& piece = pieces[i];
        const auto& source = *sources[piece.file];
        const bool ahead = spare && piece.end - piece.begin > 4 * kBlock;
        auto made = ahead ? digest_ahead(source, piece, options.hash, progress)
                          : digest(source, piece, options.hash, progress);
        if (!made) return std::move(made).error();
        out[piece.file][piece.shard].digest = std::move(made).value();
        return {};
    }));
    for (const auto& source : sources) MODELSEAL_TRY(source->unchanged());
    return {};
}

}  // namespace

Result<std::vector<std::vector<Resource>>> digest_files(const Tree& tree, const std::vector<std::string>& names,
                                                        const DigestOptions& options, Progress& progress) {
    std::vector<std::vector<Resource>> out(names.size());
    for (std::size_t first = 0; first < names.size(); first += kBatch) {
        const auto count = std::min(kBatch, names.size() - first);
        MODELSEAL_TRY(digest_batch(tree, std::span(names).subspan(first, count),
                                   std::span(out).subspan(first, count), options, progress));
    }
    return out;
}

Result<std::uint64_t> bytes_of(const Tree& tree, const std::vector<std::string>& names, bool follow_links) {
    std::uint64_t sum = 0;
    for (const auto& name : names) {
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, follow_links));
        sum += source->size();
    }
    return sum;
}

}  // namespace modelseal::oms
