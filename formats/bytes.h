// Little-endian fields in byte strings of our own formats, written and read in order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelseal::formats {

class ByteWriter {
  public:
    template <class Unsigned>
    ByteWriter& number(Unsigned value) {
        for (std::size_t i = 0; i < sizeof value; ++i)
            bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
        return *this;
    }
    ByteWriter& raw(std::span<const std::byte> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    std::size_t size() const { return bytes_.size(); }
    std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

// After a failed read every read returns zeros; check ok() once at the end.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <class Unsigned>
    Unsigned number() {
        const auto field = raw(sizeof(Unsigned));
        Unsigned value = 0;
        for (std::size_t i = 0; i < field.size(); ++i) {
            value = static_cast<Unsigned>(
                value | static_cast<Unsigned>(std::to_integer<Unsigned>(field[i]) << (8 * i)));
        }
        return value;
    }
    std::span<const std::byte> raw(std::uint64_t count) {
        if (count > left()) ok_ = false;
        if (!ok_) return {};
        const auto field = bytes_.subspan(at_, static_cast<std::size_t>(count));
        at_ += field.size();
        return field;
    }
    template <std::size_t N>
    void fill(std::array<std::byte, N>& out) {
        const auto field = raw(N);
        if (ok_) std::ranges::copy(field, out.begin());
    }
    void fail() { ok_ = false; }
    bool ok() const { return ok_; }
    std::size_t position() const { return at_; }
    std::size_t left() const { return bytes_.size() - at_; }

  private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace modelseal::formats
