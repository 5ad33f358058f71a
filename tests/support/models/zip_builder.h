// Writes zip archives as PyTorch does: entries stored, CRC-32s in data descriptors, zip64 end records. A test
// spoils one thing by changing a field before build(), or bytes at a place that build() tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bytes.h"

namespace modelseal::test {

struct ZipItem {
    std::string name;
    Bytes data;
    bool deflate = false;
    bool descriptor = true;         // CRC-32 and sizes behind the data, zeros in the local header
    bool descriptor_signed = true;  // "PK\7\8" in front of it
    bool descriptor_wide = false;   // 64-bit sizes
    Bytes local_extra, central_extra;
    std::string comment;
};

struct ZipFile {
    std::vector<ZipItem> items;
    std::string comment;
    bool zip64 = true;

    struct Built {
        Bytes bytes;
        std::vector<std::size_t> local, data, descriptor, central;  // of each item
        std::size_t end64 = 0, locator = 0, end = 0;

        // Overwrites a little-endian number.
        void set16(std::size_t at, std::uint16_t value) { set(at, value, 2); }
        void set32(std::size_t at, std::uint32_t value) { set(at, value, 4); }
        void set64(std::size_t at, std::uint64_t value) { set(at, value, 8); }
        // Inserts bytes in front of the central directory, or cuts, without mending any offset.
        void insert(std::size_t at, std::string_view text);

      private:
        void set(std::size_t at, std::uint64_t value, std::size_t bytes);
    };
    Built build() const;
};

// Three entries: stored, deflated, and stored without a descriptor.
ZipFile good_zip();

// A zip64 field with these values.
Bytes zip64_extra(const std::vector<std::uint64_t>& values);

Bytes bytes_of(std::string_view text);

}  // namespace modelseal::test
