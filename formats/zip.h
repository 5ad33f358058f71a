// A walker over zip archives (PKWARE APPNOTE 6.3.10) that trusts nothing: the central directory, every local
// header and every data descriptor must tell the same story, and the entries must follow one another from the
// first byte of the file to the directory. What leaves two readers room to see two archives is refused: a name
// that comes twice, a hole, an overlap, several disks, names that leave the folder. Entries' contents are read
// only by zip_contents().
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
    std::uint64_t central_crc = 0;     // where the CRC-32 stands in the central directory,
    std::uint64_t local_crc = 0;       // in the local header (0: it is not kept there),
    std::uint64_t descriptor_crc = 0;  // and behind the data (0: it is not kept there)

    bool stored() const { return method == 0; }
    bool encrypted() const { return (flags & 0x2041) != 0; }  // bits 0, 6 and 13
};

struct ZipDirectory {
    std::vector<ZipEntry> entries;  // in the directory's order; `data` and the local places are not filled in
    std::uint64_t begin = 0;        // offset of the central directory
};

// Both signatures of an archive's front: cheap, no more than four bytes are read.
bool looks_like_zip(const Source& source);

// The central directory alone.
Result<ZipDirectory> read_zip_directory(const Source& source, const Limits& limits);

// The whole archive, each entry checked where it lies; entries in file order.
Result<std::vector<ZipEntry>> read_zip(const Source& source, const Limits& limits);

// The unpacked bytes of a stored or deflated entry, at most `cap` (0: no cap). Whoever packed more than they
// declared gets a refusal, not memory.
Result<std::vector<std::byte>> zip_contents(const Source& source, const ZipEntry& entry, std::uint64_t cap);

// "entry 'x'": how messages call it.
std::string shown(const ZipEntry& entry);

}  // namespace modelseal::formats
