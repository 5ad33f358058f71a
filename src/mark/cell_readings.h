// What the cells of a model hold, one beside the other: of a large model there are many, most of which carry nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelseal::mark {

// What one cell holds.
struct CellReading {
    std::uint32_t capacity = 0;        // 0: no room or not used, nothing expected
    bool valid = false;                // its tag holds
    std::uint8_t attempt = 0;          // if valid
    std::span<const std::byte> bytes;  // the content if valid, else tag and content as they seem to be
};

// 16 bytes a cell, and what it has room for.
class CellReadings {
  public:
    CellReadings() = default;
    // `room`: bytes that each cell holds at the most. All hold nothing yet.
    explicit CellReadings(std::span<const std::uint32_t> room);

    std::size_t size() const { return cells_.size(); }
    // The bytes are those of this object.
    CellReading operator[](std::size_t cell) const;

    // Copies the bytes. Precondition: the cell has room for them. Several threads may set cells at once, each of them others.
    void set(std::size_t cell, const CellReading& reading);
    void set_attempt(std::size_t cell, std::uint8_t attempt) { cells_[cell].attempt = attempt; }

  private:
    struct Entry {
        std::uint64_t begin = 0;  // in `bytes_`
        std::uint32_t capacity = 0;
        std::uint16_t count = 0;  // bytes
        std::uint8_t attempt = 0;
        bool valid = false;
    };
    std::vector<Entry> cells_;
    std::vector<std::byte> bytes_;
};

}  // namespace modelseal::mark
