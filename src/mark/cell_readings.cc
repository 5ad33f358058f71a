#include "mark/cell_readings.h"

#include <algorithm>

namespace modelseal::mark {

CellReadings::CellReadings(std::span<const std::uint32_t> room) {
    cells_.reserve(room.size());
    std::uint64_t begin = 0;
    for (const auto bytes : room) {
        cells_.push_back({.begin = begin});
        begin += bytes;
    }
    bytes_.resize(begin);
}

CellReading CellReadings::operator[](std::size_t cell) const {
    const auto& entry = cells_[cell];
    return {entry.capacity, entry.valid, entry.attempt, std::span(bytes_).subspan(entry.begin, entry.count)};
}

void CellReadings::set(std::size_t cell, const CellReading& reading) {
    auto& entry = cells_[cell];
    entry = {entry.begin, reading.capacity, static_cast<std::uint16_t>(reading.bytes.size()), reading.attempt,
             reading.valid};
    std::ranges::copy(reading.bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(entry.begin));
}

}  // namespace modelseal::mark
