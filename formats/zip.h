// A walker over hostile zip archives (PKWARE APPNOTE 6.3.10): the central directory, every local header and
// every data descriptor must agree, and the entries must follow one another from the first byte of the file
// to the directory. Refuses whatever could make two readers see two archives: a duplicate name, a hole, an
// overlap, several disks, names that leave the folder. Only zip_contents() reads the entries' contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats {

struct ZipEntry {
    std::string name;         // as stored; no "..", no absolute path, no backslash, no NUL
    std::uint16_t flags = 0;  // general purpose bits
    std::uint16_t method = 0;
    std::uint32_t crc = 0;
    std::uint64_t packed = 0;          // bytes in the file
    std::uint64_t size = 0;            // bytes when unpacked
    std::uint64_t header = 0;          // offset of the local header
    std::uint64_t data = 0;            // offset of the first packed byte
    std::uint64_t central_crc = 0;     // offset of the CRC-32 in the central directory,
    std::uint64_t local_crc = 0;       // in the local header (0: it is not kept there),
    std::uint64_t descriptor_crc = 0;  // and after the data (0: it is not kept there)

    bool stored() const { return method == 0; }
    bool encrypted() const { return (flags & 0x2041) != 0; }  // bits 0, 6 and 13
};

struct ZipDirectory {
    std::vector<ZipEntry> entries;  // in the directory's order; `data` and the local places are not filled in
    std::uint64_t begin = 0;        // offset of the central directory
};

// Recognizes both signatures at the start of an archive: cheap, reads at most four bytes.
bool looks_like_zip(const Source& source);

// True if the file begins with an archive and ends with another one that counts its offsets from its own start. Reads
// a few bytes only.
bool is_zip_sequence(const Source& source);

// Reads the central directory only.
Result<ZipDirectory> read_zip_directory(const Source& source, const Limits& limits);

// Reads the complete archive and checks each entry at its place; entries are in file order.
Result<std::vector<ZipEntry>> read_zip(const Source& source, const Limits& limits);

// The unpacked bytes of a stored or deflated entry, at most `cap` (0: no cap). An entry with more bytes than
// declared is refused before it takes memory.
Result<std::vector<std::byte>> zip_contents(const Source& source, const ZipEntry& entry, std::uint64_t cap);

// "entry 'x'", for messages.
std::string shown(const ZipEntry& entry);

}  // namespace modelseal::formats
