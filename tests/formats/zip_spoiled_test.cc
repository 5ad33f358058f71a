// A good archive with one thing spoiled a row, by the builder or in the bytes.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/zip.h"
#include "tests/support/models/zip_builder.h"

namespace modelseal::formats {
namespace {

using test::Bytes;
using test::bytes_of;
using test::good_zip;
using test::ZipFile;
using testing::HasSubstr;

struct ZipCase {
    const char* name;
    std::function<void(ZipFile&)> before;
    std::function<void(ZipFile::Built&)> after;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const ZipCase& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledZip : public testing::TestWithParam<ZipCase> {};

TEST_P(SpoiledZip, IsRefused) {
    auto file = good_zip();
    if (GetParam().before) GetParam().before(file);
    auto built = file.build();
    if (GetParam().after) GetParam().after(built);
    const auto entries = read_zip(MemorySource("m.zip", built.bytes), {});
    ASSERT_FALSE(entries.ok());
    EXPECT_EQ(entries.error().kind, GetParam().kind) << entries.error().message;
    EXPECT_THAT(entries.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(entries.error().message, testing::StartsWith("m.zip: "));
}

using SpoiledFile = ZipFile;
using Built = ZipFile::Built;

const ZipCase kZipCases[] = {
    // end records
    {"no_end", {}, [](Built& b) { b.set32(b.end, 0); }, "no end of central directory"},
    {"byte_behind",
     {},
     [](Built& b) { b.bytes.emplace_back(); },
     "zip: the comment has 0 bytes by the end record, 1 byte by the file"},
    {"comment_cut", [](SpoiledFile& f) { f.comment = "abc"; }, [](Built& b) { b.bytes.pop_back(); },
     "zip: the comment has 3 bytes by the end record, 2 bytes by the file"},
    {"second_disk",
     {},
     [](Built& b) { b.set16(b.end + 4, 1); },
     "zip: the end record and the zip64 end record differ"},
    {"second_disk_without_zip64", [](SpoiledFile& f) { f.zip64 = false; },
     [](Built& b) { b.set16(b.end + 4, 1); },
     ": zip: archives split into several files are not supported (at offset", ErrorKind::unsupported},
    {"second_disk_in_zip64",
     {},
     [](Built& b) { b.set32(b.end64 + 16, 1); },
     ": zip: archives split into several files are not supported (at offset",
     ErrorKind::unsupported},
    {"two_disks_in_the_locator",
     {},
     [](Built& b) { b.set32(b.locator + 16, 2); },
     ": zip: archives split into several files are not supported (at offset",
     ErrorKind::unsupported},
    {"entries_on_another_disk",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 1); },
     ": zip: archives split into several files are not supported (at offset",
     ErrorKind::unsupported},
    {"zip64_twin_of_another_count",
     {},
     [](Built& b) { b.set16(b.end + 10, 2), b.set16(b.end + 8, 2); },
     "zip: the end record and the zip64 end record differ"},
    {"zip64_twin_of_another_place",
     {},
     [](Built& b) { b.set32(b.end + 16, 1); },
     "zip: the end record and the zip64 end record differ"},
    {"zip64_record_missing",
     {},
     [](Built& b) { b.set32(b.end64, 0); },
     "zip: no zip64 end record at this offset"},
    {"zip64_record_longer",
     {},
     [](Built& b) { b.set64(b.end64 + 4, 45); },
     "zip: the zip64 end record has 45 bytes, but its locator is"},
    {"zip64_record_outside", {}, [](Built& b) { b.set64(b.locator + 8, ~0ull); }, "locator points outside"},
    {"too_many_entries",
     {},
     [](Built& b) { b.set64(b.end64 + 24, ~0ull), b.set64(b.end64 + 32, ~0ull), b.set32(b.end + 8, ~0u); },
     "entries exceed the limit"},
    {"one_entry_too_many",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 4), b.set64(b.end64 + 32, 4), b.set32(b.end + 8, ~0u); },
     "4 entries exceed the limit"},
    {"one_entry_too_few",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 2), b.set64(b.end64 + 32, 2), b.set32(b.end + 8, ~0u); },
     "bytes after the last of 2 entries"},
    {"directory_of_another_size",
     {},
     [](Built& b) { b.set64(b.end64 + 40, 3), b.set32(b.end + 12, ~0u); },
     "does not end at"},
    {"directory_outside",
     {},
     [](Built& b) { b.set64(b.end64 + 48, ~0ull), b.set32(b.end + 16, ~0u); },
     "does not end at"},
    {"bytes_behind_the_directory",
     {},
     [](Built& b) { b.insert(b.end64, "x"), b.set64(b.locator + 9, b.end64 + 1); },
     "does not end at"},
    // central directory
    {"not_an_entry",
     {},
     [](Built& b) { b.set32(b.central[1], 0); },
     "zip: no entry of the central directory at this offset"},
    {"name_twice", [](SpoiledFile& f) { f.items[1].name = "a/one"; }, {}, "entry 'a/one' appears twice"},
    {"no_name", [](SpoiledFile& f) { f.items[1].name = ""; }, {}, "has no name"},
    {"absolute_path", [](SpoiledFile& f) { f.items[1].name = "/etc/passwd"; }, {}, "an absolute path"},
    {"drive", [](SpoiledFile& f) { f.items[1].name = "C:x"; }, {}, "an absolute path"},
    {"backslash", [](SpoiledFile& f) { f.items[1].name = "a\\b"; }, {}, "a backslash"},
    {"nul", [](SpoiledFile& f) { f.items[1].name = std::string("a\0b", 3); }, {}, "a NUL byte"},
    {"leaves_the_archive", [](SpoiledFile& f) { f.items[1].name = "a/../../b"; }, {}, "leaves the archive"},
    {"only_dots", [](SpoiledFile& f) { f.items[1].name = ".."; }, {}, "leaves the archive"},
    {"ends_in_dots", [](SpoiledFile& f) { f.items[1].name = "a/.."; }, {}, "leaves the archive"},
    {"torn_extra_field",
     [](SpoiledFile& f) { f.items[0].central_extra = Bytes(3); },
     {},
     ": an extra field is cut off"},
    {"extra_field_too_long",
     [](SpoiledFile& f) { f.items[0].central_extra = bytes_of("ab\x09\x01"); },
     {},
     "an extra field of 265 bytes"},
    {"second_name",
     [](SpoiledFile& f) { f.items[0].central_extra = bytes_of(std::string("\x75\x70\0\0", 4)); },
     {},
     ": an extra field contains a second name"},
    {"no_zip64_field", {}, [](Built& b) { b.set32(b.central[0] + 24, ~0u); }, "no zip64 field"},
    {"two_zip64_fields",
     [](SpoiledFile& f) { f.items[0].central_extra = bytes_of(std::string("\1\0\0\0\1\0\0\0", 8)); },
     {},
     "two zip64 fields"},
    {"zip64_field_too_short", [](SpoiledFile& f) { f.items[0].central_extra = test::zip64_extra({8}); },
     [](Built& b) { b.set64(b.central[0] + 20, ~0ull); },
     ": the zip64 field does not contain the compressed size"},
    {"entry_on_another_disk",
     {},
     [](Built& b) { b.set16(b.central[0] + 34, 1); },
     ": zip: archives split into several files are not supported (at offset",
     ErrorKind::unsupported},
    {"stored_of_two_sizes", {}, [](Built& b) { b.set32(b.central[0] + 24, 9); }, "its sizes are 8 and 9"},
    // local headers and data
    {"front", {}, [](Built& b) { b.set32(b.central[0] + 42, 4); }, "4 bytes before the first entry"},
    {"no_local_header",
     {},
     [](Built& b) { b.set32(b.local[1], 0); },
     "entry 'a/two': no local header at this offset"},
    {"same_place", {}, [](Built& b) { b.set32(b.central[1] + 42, 0); }, "overlaps the next record at offset"},
    {"outside",
     {},
     [](Built& b) { b.set32(b.central[2] + 42, 1u << 30); },
     ", after the start of the central directory"},
    {"data_over_the_next_entry",
     {},
     [](Built& b) { b.set64(b.central[0] + 20, 0x0000'1000'0000'1000); },
     "4,096 bytes overlap the next record at offset"},
    {"hole_behind_data",
     {},
     [](Built& b) {
         b.set32(b.central[2] + 20, 0), b.set32(b.central[2] + 24, 0), b.set64(b.local[2] + 18, 0);
     },
     "1 unexplained byte after entry 'a/three'"},
    {"hidden_entry", [](SpoiledFile& f) { f.items.push_back({.name = "a/hidden", .data = bytes_of("1234")}); },
     [](Built& b) {
         // The last entry is taken out of the directory and stays in the file.
         const auto begin = b.bytes.begin() + static_cast<std::ptrdiff_t>(b.central[3]);
         const auto size = b.end64 - b.central[3];
         b.bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
         b.end64 -= size, b.locator -= size, b.end -= size;
         b.set64(b.end64 + 24, 3), b.set64(b.end64 + 32, 3), b.set64(b.end64 + 40, b.end64 - b.central[0]);
         b.set64(b.locator + 8, b.end64), b.set64(b.end + 8, ~0ull);
     },
     "unexplained byte"},
    {"other_name",
     {},
     [](Built& b) { b.set16(b.local[0] + 30, 'b'); },
     "its local header and the directory differ in the name"},
    {"longer_name",
     {},
     [](Built& b) { b.set16(b.local[0] + 26, 6); },
     "its local header and the directory differ in the name"},
    {"other_method",
     {},
     [](Built& b) { b.set16(b.local[0] + 8, 8); },
     "its local header and the directory differ in the method"},
    {"other_flags",
     {},
     [](Built& b) { b.set16(b.local[0] + 6, 0x0800); },
     "its local header and the directory differ in the flags"},
    {"encrypted_here_only",
     {},
     [](Built& b) { b.set16(b.local[0] + 6, 0x0809); },
     "its local header and the directory differ in the flags"},
    {"other_crc",
     {},
     [](Built& b) { b.set32(b.local[2] + 14, 1); },
     "its local header and the directory differ in the CRC-32"},
    {"no_crc_without_a_descriptor",
     {},
     [](Built& b) { b.set32(b.local[2] + 14, 0); },
     "its local header and the directory differ in the CRC-32"},
    {"crc_beside_a_descriptor",
     {},
     [](Built& b) {
         std::copy_n(b.bytes.begin() + static_cast<std::ptrdiff_t>(b.central[0]) + 16, 4,
                     b.bytes.begin() + static_cast<std::ptrdiff_t>(b.local[0]) + 14);
     },
     "its local header and the directory differ in the CRC-32"},
    {"other_size",
     {},
     [](Built& b) { b.set32(b.local[2] + 22, 2); },
     "its local header and the directory differ in the size"},
    {"size_beside_a_descriptor",
     {},
     [](Built& b) { b.set32(b.local[0] + 18, 7); },
     "its local header and the directory differ in the size"},
    {"local_zip64_field_missing",
     {},
     [](Built& b) { b.set32(b.local[2] + 18, ~0u); },
     "no zip64 field in its local"},
    {"no_descriptor_signature", {}, [](Built& b) { b.set32(b.descriptor[0], 1); }, "no data descriptor"},
    {"descriptor_of_another_crc",
     {},
     [](Built& b) { b.set32(b.descriptor[0] + 4, 1); },
     "its data descriptor differs from the directory"},
    {"descriptor_of_another_size",
     {},
     [](Built& b) { b.set32(b.descriptor[0] + 8, 9); },
     "its data descriptor differs from the directory"},
    {"descriptor_of_another_unpacked_size",
     {},
     [](Built& b) { b.set32(b.descriptor[1] + 12, 9); },
     "its data descriptor differs from the directory"},
    {"no_room_for_a_descriptor",
     {},
     [](Built& b) { b.set32(b.central[0] + 20, 9), b.set32(b.central[0] + 24, 9); },
     "15 bytes in the place of its data descriptor"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledZip, testing::ValuesIn(kZipCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace modelseal::formats
