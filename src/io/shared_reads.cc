#include "io/shared_reads.h"

#include <algorithm>

namespace modelseal::io {

class SharedReads::View final : public Source {
  public:
    View(SharedReads& shared, const Source& file, Side side) : shared_(shared), file_(file), side_(side) {}

    const std::string& name() const override { return file_.name(); }
    std::uint64_t size() const override { return file_.size(); }

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        const bool inside = offset <= size() && out.size() <= size() - offset;
        if (out.size() < kShort || !inside) return file_.read(offset, out);
        shared_.keep_step(side_, out.size());
        while (!out.empty()) {
            const auto skip = offset % kChunk;
            const auto part = out.first(std::min<std::uint64_t>(kChunk - skip, out.size()));
            if (const auto chunk = shared_.chunk({&file_, offset / kChunk})) {
                std::copy_n(chunk->bytes.begin() + static_cast<std::ptrdiff_t>(skip), part.size(),
                            part.begin());
            } else {
                MODELSEAL_TRY(file_.read(offset, part));  // reports the reason
            }
            out = out.subspan(part.size());
            offset += part.size();
        }
        return {};
    }

  private:
    SharedReads& shared_;
    const Source& file_;
    const Side side_;
};

std::unique_ptr<Source> SharedReads::view(const Source& file, Side side) {
    return std::make_unique<View>(*this, file, side);
}

void SharedReads::finish(Side side) {
    const std::lock_guard lock(mutex_);
    finished_[static_cast<std::size_t>(side)] = true;
    changed_.notify_all();
}

void SharedReads::keep_step(Side side, std::uint64_t bytes) {
    const auto mine = static_cast<std::size_t>(side), other = 1 - mine;
    std::unique_lock lock(mutex_);
    read_[mine] += bytes;
    changed_.notify_all();
    changed_.wait(lock, [&] { return finished_[other] || read_[mine] <= read_[other] + kLead; });
}

std::shared_ptr<const SharedReads::Chunk> SharedReads::chunk(const Place& place) {
    const auto& [file, number] = place;
    std::unique_lock lock(mutex_);
    auto& known = chunks_[place];
    if (known) {
        const auto chunk = known;  // kept alive even if it is dropped meanwhile
        changed_.wait(lock, [&] { return chunk->ready; });
        return chunk->failed ? nullptr : chunk;
    }
    const auto chunk = known = std::make_shared<Chunk>();
    oldest_.push_back(place);
    if (oldest_.size() > kKept) {
        chunks_.erase(oldest_.front());
        oldest_.pop_front();
    }
    lock.unlock();
    try {
        chunk->bytes.resize(std::min(kChunk, file->size() - number * kChunk));
        chunk->failed = !file->read(number * kChunk, chunk->bytes).ok();
    } catch (const std::bad_alloc&) {
        chunk->failed = true;
    }
    lock.lock();
    chunk->ready = true;
    changed_.notify_all();
    return chunk->failed ? nullptr : chunk;
}

}  // namespace modelseal::io
