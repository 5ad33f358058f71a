// How far a long job is, told to whoever shows it. Jobs call it from any thread.
#pragma once

#include <cstdint>

namespace modelseal::io {

// Implementations are thread-safe, and cheap enough to be called once a block.
class Progress {
  public:
    virtual ~Progress() = default;
    virtual void total(std::uint64_t bytes) = 0;    // what the job will come to; once, at its start
    virtual void advance(std::uint64_t bytes) = 0;  // so much more is done
};

// For callers who do not want to know.
inline Progress& no_progress() {
    struct Silent final : Progress {
        void total(std::uint64_t) override {}
        void advance(std::uint64_t) override {}
    };
    static Silent silent;
    return silent;
}

}  // namespace modelseal::io
