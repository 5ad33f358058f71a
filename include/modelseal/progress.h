// How far a long job is, reported to whoever shows it.
//
//     struct Percent final : Progress {
//         void total(std::uint64_t bytes) override { of = bytes; }
//         void advance(std::uint64_t bytes) override { done += bytes; }
//         std::atomic<std::uint64_t> of{1}, done{0};
//     } percent;
//     auto difference = diff("a.onnx", "b.onnx", {.progress = &percent});
//
// A job cannot be canceled through it. An implementation must outlive the call that it was given to.
#pragma once

#include <cstdint>

namespace modelseal {

// Jobs call it from any of their threads, several at once: implementations are thread-safe, do not throw, and are
// cheap enough to be called once a block.
class Progress {
  public:
    virtual ~Progress() = default;
    virtual void total(std::uint64_t bytes) = 0;    // the size of the job; once, at its start
    virtual void advance(std::uint64_t bytes) = 0;  // so many more are done
};

// Ignores every call.
inline Progress& no_progress() {
    struct Silent final : Progress {
        void total(std::uint64_t) override {}
        void advance(std::uint64_t) override {}
    };
    static Silent silent;
    return silent;
}

}  // namespace modelseal
