// A file read front to back, inflated on the way if it is gzip (RFC 1952), recognized by content.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::images {

class Unpacked {
  public:
    // `source` must outlive this object.
    static Result<Unpacked> open(const Source& source);
    Unpacked(Unpacked&&) noexcept;
    ~Unpacked();

    // Upper bound on the bytes that may come in all: deflate packs at most 1032 to one.
    std::uint64_t most() const;
    // Fills `out`, or reports `malformed`: the file ends early, or does not inflate.
    Result<void> read(std::span<std::byte> out);
    // Error `malformed` unless this is the end.
    Result<void> end();

  private:
    struct Inflater;
    explicit Unpacked(const Source& source);
    Result<void> fill();
    Result<std::size_t> inflate_some(std::span<std::byte> out);
    Error early() const;

    const Source* source_;
    std::uint64_t position_ = 0;          // of what was read from the source
    std::vector<std::byte> buffer_;       // packed bytes, of which
    std::size_t used_ = 0;                // so many are used
    std::unique_ptr<Inflater> inflater_;  // null: not packed
};

}  // namespace modelseal::images
