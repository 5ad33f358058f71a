// The bounds-checked reader that every adapter uses: a window over a Source, read front to back, checked by
// subtraction. Offsets are absolute in the source, so messages can name them. Errors stick: after a failed
// read every further read fails the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats {

class Reader {
  public:
    // Reads [begin, end) of `source`, which must outlive the reader; end is clamped to the source's size.
    Reader(const Source& source, std::uint64_t begin, std::uint64_t end);
    explicit Reader(const Source& source) : Reader(source, 0, source.size()) {}

    std::uint64_t position() const { return position_; }
    std::uint64_t end() const { return end_; }
    std::uint64_t left() const { return end_ - position_; }

    Result<std::uint8_t> u8();
    Result<std::uint16_t> u16();  // little-endian, as all of these
    Result<std::uint32_t> u32();
    Result<std::uint64_t> u64();
    // `what` names the field in the message. `bytes` is compared with what is left and with `cap` before
    // allocating.
    Result<std::string> string(std::uint64_t bytes, std::uint64_t cap, std::string_view what);
    Result<void> bytes(std::span<std::byte> out);
    Result<void> skip(std::uint64_t bytes, std::string_view what);
    Result<void> seek(std::uint64_t offset);  // absolute, in [begin, end]

    // An Error of kind malformed that names the source and the current offset.
    Error malformed(const std::string& what) const;

  private:
    Error too_few(std::uint64_t bytes, std::string_view what) const;
    template <class T>
    Result<T> little_endian();
    Result<void> fill(std::uint64_t offset, std::span<std::byte> out);

    const Source& source_;
    std::uint64_t begin_;
    std::uint64_t position_;
    std::uint64_t end_;
    std::uint64_t window_begin_ = 0;
    std::vector<std::byte> window_;
};

// Memory as a Source, for tests, fuzz targets and unpacked entries. Does not own the bytes.
class MemorySource final : public Source {
  public:
    MemorySource(std::string name, std::span<const std::byte> bytes) : name_(std::move(name)), bytes_(bytes) {}
    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return bytes_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;

  private:
    std::string name_;
    std::span<const std::byte> bytes_;
};

// "source: what (at offset 12)": the form of every message about broken bytes.
Error malformed_at(const Source& source, std::uint64_t offset, const std::string& what);
// For `what`, which begins at `offset` and needs `missing` bytes more than the source has: "source: the file ends
// early, 7 bytes are missing (what at offset 12)". More than a TiB is rather a broken length than a cut file, and is
// reported as such. Precondition: missing > 0.
Error ends_early(const Source& source, std::uint64_t offset, std::uint64_t missing, const std::string& what);
Error unsupported_at(const Source& source, std::uint64_t offset, const std::string& what);

}  // namespace modelseal::formats
