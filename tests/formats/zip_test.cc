#include "formats/zip.h"

#include <array>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/zip_builder.h"

namespace modelseal::formats {
namespace {

using test::Bytes;
using test::bytes_of;
using test::put;
using test::ZipFile;
using test::ZipItem;
using testing::ElementsAre;
using testing::HasSubstr;

Result<std::vector<ZipEntry>> entries_of(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.zip", bytes);
    return read_zip(source, limits);
}

ZipFile good_zip() {
    ZipFile file;
    file.items.push_back({.name = "a/one", .data = bytes_of("12345678")});
    file.items.push_back({.name = "a/two", .data = bytes_of(std::string(1000, 'x')), .deflate = true});
    file.items.push_back({.name = "a/three", .data = bytes_of("3"), .descriptor = false});
    return file;
}

TEST(Zip, EntriesAreFoundWhereTheyLie) {
    const auto built = good_zip().build();
    const auto entries = entries_of(built.bytes).value();
    ASSERT_EQ(entries.size(), 3u);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ(entries[i].header, built.local[i]);
        EXPECT_EQ(entries[i].data, built.data[i]);
        EXPECT_EQ(entries[i].central_crc, built.central[i] + 16);
    }
    EXPECT_EQ(entries[1].size, 1000u);
    EXPECT_LT(entries[1].packed, 100u);
}

TEST(Zip, TheChecksumIsFoundWhereItIsKept) {
    const auto built = good_zip().build();
    const auto entries = entries_of(built.bytes).value();
    EXPECT_EQ(entries[0].local_crc, 0u);
    EXPECT_EQ(entries[0].descriptor_crc, built.descriptor[0] + 4);
    EXPECT_EQ(entries[2].local_crc, built.local[2] + 14);
    EXPECT_EQ(entries[2].descriptor_crc, 0u);
}

TEST(Zip, ContentsComeOutAsTheyWentIn) {
    const auto file = good_zip();
    const auto built = file.build();
    const MemorySource source("m.zip", built.bytes);
    const auto entries = read_zip(source, {}).value();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ(zip_contents(source, entries[i], 0).value(), file.items[i].data) << i;
    }
}

TEST(Zip, DescriptorsInAllFourSpellingsAreRead) {
    for (const bool wide : {false, true}) {
        for (const bool with_signature : {false, true}) {
            auto file = good_zip();
            file.items[0].descriptor_wide = wide;
            file.items[0].descriptor_signed = with_signature;
            const auto built = file.build();
            const auto entries = entries_of(built.bytes);
            ASSERT_TRUE(entries.ok()) << entries.error().message;
            EXPECT_EQ((*entries)[0].descriptor_crc, built.descriptor[0] + (with_signature ? 4 : 0));
        }
    }
}

TEST(Zip, ArchivesWithoutZip64RecordsAndWithCommentsAreRead) {
    auto file = good_zip();
    file.zip64 = false;
    file.comment = "a comment";
    file.items[0].comment = "another";
    EXPECT_TRUE(entries_of(file.build().bytes).ok());
}

TEST(Zip, AnEmptyArchiveHasNoEntries) {
    EXPECT_TRUE(entries_of(ZipFile{}.build().bytes).value().empty());
}

TEST(Zip, SizesAreTakenFromTheZip64Field) {
    auto file = good_zip();
    file.items[0].central_extra = test::zip64_extra({8, 8, 0});
    auto built = file.build();
    built.set32(built.central[0] + 20, 0xFFFFFFFF);
    built.set32(built.central[0] + 24, 0xFFFFFFFF);
    built.set32(built.central[0] + 42, 0xFFFFFFFF);
    const auto entries = entries_of(built.bytes);
    ASSERT_TRUE(entries.ok()) << entries.error().message;
    EXPECT_EQ((*entries)[0].size, 8u);
}

TEST(Zip, LocalSizesAreTakenFromTheZip64Field) {
    auto file = good_zip();
    file.items[2].local_extra = test::zip64_extra({1, 1});
    auto built = file.build();
    built.set32(built.local[2] + 18, 0xFFFFFFFF);
    built.set32(built.local[2] + 22, 0xFFFFFFFF);
    const auto entries = entries_of(built.bytes);
    EXPECT_TRUE(entries.ok()) << entries.error().message;
}

// A file of 5 GiB of which only the ends exist: zeros in between.
class Sparse final : public Source {
  public:
    Sparse(Bytes front, Bytes back, std::uint64_t size) : front_(front), back_(back), size_(size) {}
    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return size_; }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto at = offset + i, back = size_ - back_.size();
            out[i] = at < front_.size() ? front_[at] : at >= back ? back_[at - back] : std::byte{0};
        }
        return {};
    }

  private:
    std::string name_ = "sparse.zip";
    Bytes front_, back_;
    std::uint64_t size_;
};

TEST(Zip, EntriesBeyondFourGigabytesAreRead) {
    constexpr std::uint64_t size = 5ull << 30, front_bytes = 35;
    Bytes front, back;
    put(front, std::uint32_t{0x04034b50});
    put(front, std::uint32_t{0x08080000});  // version, flags with a descriptor
    front.resize(26);
    put(front, std::uint16_t{5});
    put(front, std::uint16_t{0});
    put(front, "a/big");

    put(back, std::uint32_t{0x08074b50});
    put(back, std::uint32_t{7});
    put(back, size);
    put(back, size);
    const auto directory = front_bytes + size + back.size();
    put(back, std::uint32_t{0x02014b50});
    put(back, std::uint64_t{0x0808'0000'0000});  // versions, flags, stored
    put(back, std::uint32_t{0});                 // time
    put(back, std::uint32_t{7});
    put(back, ~std::uint64_t{0});  // both sizes
    put(back, std::uint16_t{5});
    put(back, std::uint16_t{20});
    put(back, std::uint16_t{0});  // comment
    put(back, std::uint16_t{0});  // disk
    put(back, std::uint16_t{0});
    put(back, std::uint32_t{0});  // attributes
    put(back, std::uint32_t{0});  // offset
    put(back, "a/big");
    const auto extra = test::zip64_extra({size, size});
    back.insert(back.end(), extra.begin(), extra.end());
    const auto end64 = front_bytes + size + back.size();
    put(back, std::uint32_t{0x06064b50});
    put(back, std::uint64_t{44});
    put(back, std::uint32_t{0});
    put(back, std::uint64_t{0});
    put(back, std::uint64_t{1});
    put(back, std::uint64_t{1});
    put(back, end64 - directory);
    put(back, directory);
    put(back, std::uint32_t{0x07064b50});
    put(back, std::uint32_t{0});
    put(back, end64);
    put(back, std::uint32_t{1});
    put(back, std::uint32_t{0x06054b50});
    put(back, std::uint32_t{0});
    put(back, std::uint32_t{0x00010001});
    put(back, static_cast<std::uint32_t>(end64 - directory));
    put(back, ~std::uint32_t{0});
    put(back, std::uint16_t{0});

    const Sparse source(front, back, front_bytes + size + back.size());
    const auto entries = read_zip(source, {});
    ASSERT_TRUE(entries.ok()) << entries.error().message;
    EXPECT_EQ((*entries)[0].size, size);
    EXPECT_EQ((*entries)[0].descriptor_crc, front_bytes + size + 4);
}

struct Spoiled {
    const char* name;
    std::function<void(ZipFile&)> before;
    std::function<void(ZipFile::Built&)> after;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const Spoiled& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledZip : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledZip, IsRefused) {
    auto file = good_zip();
    if (GetParam().before) GetParam().before(file);
    auto built = file.build();
    if (GetParam().after) GetParam().after(built);
    const auto entries = entries_of(built.bytes);
    ASSERT_FALSE(entries.ok());
    EXPECT_EQ(entries.error().kind, GetParam().kind) << entries.error().message;
    EXPECT_THAT(entries.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(entries.error().message, testing::StartsWith("m.zip: "));
}

using File = ZipFile;
using Built = ZipFile::Built;

const Spoiled kSpoiled[] = {
    // end records
    {"no_end", {}, [](Built& b) { b.set32(b.end, 0); }, "no end of central directory"},
    {"byte_behind",
     {},
     [](Built& b) { b.bytes.emplace_back(); },
     "comment of 0 bytes is declared, 1 bytes follow"},
    {"comment_cut", [](File& f) { f.comment = "abc"; }, [](Built& b) { b.bytes.pop_back(); },
     "comment of 3 bytes is declared, 2 bytes follow"},
    {"second_disk", {}, [](Built& b) { b.set16(b.end + 4, 1); }, "do not agree"},
    {"second_disk_without_zip64", [](File& f) { f.zip64 = false; }, [](Built& b) { b.set16(b.end + 4, 1); },
     "several disks", ErrorKind::unsupported},
    {"second_disk_in_zip64",
     {},
     [](Built& b) { b.set32(b.end64 + 16, 1); },
     "several disks",
     ErrorKind::unsupported},
    {"two_disks_in_the_locator",
     {},
     [](Built& b) { b.set32(b.locator + 16, 2); },
     "several disks",
     ErrorKind::unsupported},
    {"entries_on_another_disk",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 1); },
     "several disks",
     ErrorKind::unsupported},
    {"zip64_twin_of_another_count",
     {},
     [](Built& b) { b.set16(b.end + 10, 2), b.set16(b.end + 8, 2); },
     "do not agree"},
    {"zip64_twin_of_another_place", {}, [](Built& b) { b.set32(b.end + 16, 1); }, "do not agree"},
    {"zip64_record_missing", {}, [](Built& b) { b.set32(b.end64, 0); }, "no zip64 end record here"},
    {"zip64_record_longer", {}, [](Built& b) { b.set64(b.end64 + 4, 45); }, "a zip64 end record of 45 bytes"},
    {"zip64_record_outside", {}, [](Built& b) { b.set64(b.locator + 8, ~0ull); }, "locator points outside"},
    {"too_many_entries",
     {},
     [](Built& b) { b.set64(b.end64 + 24, ~0ull), b.set64(b.end64 + 32, ~0ull), b.set32(b.end + 8, ~0u); },
     "entries are too many"},
    {"one_entry_too_many",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 4), b.set64(b.end64 + 32, 4), b.set32(b.end + 8, ~0u); },
     "4 entries are too many"},
    {"one_entry_too_few",
     {},
     [](Built& b) { b.set64(b.end64 + 24, 2), b.set64(b.end64 + 32, 2), b.set32(b.end + 8, ~0u); },
     "bytes behind the last of 2 entries"},
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
    {"not_an_entry", {}, [](Built& b) { b.set32(b.central[1], 0); }, "no entry of the central directory here"},
    {"name_twice", [](File& f) { f.items[1].name = "a/one"; }, {}, "entry 'a/one' comes twice"},
    {"no_name", [](File& f) { f.items[1].name = ""; }, {}, "has no name"},
    {"absolute_path", [](File& f) { f.items[1].name = "/etc/passwd"; }, {}, "an absolute path"},
    {"drive", [](File& f) { f.items[1].name = "C:x"; }, {}, "an absolute path"},
    {"backslash", [](File& f) { f.items[1].name = "a\\b"; }, {}, "a backslash"},
    {"nul", [](File& f) { f.items[1].name = std::string("a\0b", 3); }, {}, "a NUL byte"},
    {"leaves_the_archive", [](File& f) { f.items[1].name = "a/../../b"; }, {}, "leaves the archive"},
    {"only_dots", [](File& f) { f.items[1].name = ".."; }, {}, "leaves the archive"},
    {"ends_in_dots", [](File& f) { f.items[1].name = "a/.."; }, {}, "leaves the archive"},
    {"torn_extra_field", [](File& f) { f.items[0].central_extra = Bytes(3); }, {}, "a torn extra field"},
    {"extra_field_too_long",
     [](File& f) { f.items[0].central_extra = bytes_of("ab\x09\x01"); },
     {},
     "an extra field of 265 bytes"},
    {"second_name",
     [](File& f) { f.items[0].central_extra = bytes_of(std::string("\x75\x70\0\0", 4)); },
     {},
     "carries a second name"},
    {"no_zip64_field", {}, [](Built& b) { b.set32(b.central[0] + 24, ~0u); }, "no zip64 field"},
    {"two_zip64_fields",
     [](File& f) { f.items[0].central_extra = bytes_of(std::string("\1\0\0\0\1\0\0\0", 8)); },
     {},
     "two zip64 fields"},
    {"zip64_field_too_short", [](File& f) { f.items[0].central_extra = test::zip64_extra({8}); },
     [](Built& b) { b.set64(b.central[0] + 20, ~0ull); }, "does not tell the packed size"},
    {"entry_on_another_disk",
     {},
     [](Built& b) { b.set16(b.central[0] + 34, 1); },
     "several disks",
     ErrorKind::unsupported},
    {"stored_of_two_sizes", {}, [](Built& b) { b.set32(b.central[0] + 24, 9); }, "its sizes are 8 and 9"},
    // local headers and data
    {"front", {}, [](Built& b) { b.set32(b.central[0] + 42, 4); }, "4 bytes in front of the first entry"},
    {"no_local_header", {}, [](Built& b) { b.set32(b.local[1], 0); }, "entry 'a/two': no local header here"},
    {"same_place", {}, [](Built& b) { b.set32(b.central[1] + 42, 0); }, "overlaps what follows"},
    {"outside", {}, [](Built& b) { b.set32(b.central[2] + 42, 1u << 30); }, "behind the central directory"},
    {"data_over_the_next_entry",
     {},
     [](Built& b) { b.set64(b.central[0] + 20, 0x0000'1000'0000'1000); },
     "4096 bytes of data overlap"},
    {"hole_behind_data",
     {},
     [](Built& b) {
         b.set32(b.central[2] + 20, 0), b.set32(b.central[2] + 24, 0), b.set64(b.local[2] + 18, 0);
     },
     "1 bytes behind entry 'a/three' belong to no entry"},
    {"hidden_entry", [](File& f) { f.items.push_back({.name = "a/hidden", .data = bytes_of("1234")}); },
     [](Built& b) {
         // The last entry is taken out of the directory and stays in the file.
         const auto begin = b.bytes.begin() + static_cast<std::ptrdiff_t>(b.central[3]);
         const auto size = b.end64 - b.central[3];
         b.bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
         b.end64 -= size, b.locator -= size, b.end -= size;
         b.set64(b.end64 + 24, 3), b.set64(b.end64 + 32, 3), b.set64(b.end64 + 40, b.end64 - b.central[0]);
         b.set64(b.locator + 8, b.end64), b.set64(b.end + 8, ~0ull);
     },
     "belong to no entry"},
    {"other_name", {}, [](Built& b) { b.set16(b.local[0] + 30, 'b'); }, "the name in its local header"},
    {"longer_name", {}, [](Built& b) { b.set16(b.local[0] + 26, 6); }, "the name in its local header"},
    {"other_method", {}, [](Built& b) { b.set16(b.local[0] + 8, 8); }, "the method in its local header"},
    {"other_flags", {}, [](Built& b) { b.set16(b.local[0] + 6, 0x0800); }, "the flags in its local header"},
    {"encrypted_here_only",
     {},
     [](Built& b) { b.set16(b.local[0] + 6, 0x0809); },
     "the flags in its local header"},
    {"other_crc", {}, [](Built& b) { b.set32(b.local[2] + 14, 1); }, "the CRC-32 in its local header"},
    {"no_crc_without_a_descriptor",
     {},
     [](Built& b) { b.set32(b.local[2] + 14, 0); },
     "the CRC-32 in its local header"},
    {"crc_beside_a_descriptor",
     {},
     [](Built& b) {
         std::copy_n(b.bytes.begin() + static_cast<std::ptrdiff_t>(b.central[0]) + 16, 4,
                     b.bytes.begin() + static_cast<std::ptrdiff_t>(b.local[0]) + 14);
     },
     "the CRC-32 in its local header"},
    {"other_size", {}, [](Built& b) { b.set32(b.local[2] + 22, 2); }, "the size in its local header"},
    {"size_beside_a_descriptor",
     {},
     [](Built& b) { b.set32(b.local[0] + 18, 7); },
     "the size in its local header"},
    {"local_zip64_field_missing",
     {},
     [](Built& b) { b.set32(b.local[2] + 18, ~0u); },
     "no zip64 field in its local"},
    {"no_descriptor_signature", {}, [](Built& b) { b.set32(b.descriptor[0], 1); }, "no data descriptor"},
    {"descriptor_of_another_crc",
     {},
     [](Built& b) { b.set32(b.descriptor[0] + 4, 1); },
     "data descriptor and the"},
    {"descriptor_of_another_size",
     {},
     [](Built& b) { b.set32(b.descriptor[0] + 8, 9); },
     "data descriptor and the"},
    {"descriptor_of_another_unpacked_size",
     {},
     [](Built& b) { b.set32(b.descriptor[1] + 12, 9); },
     "data descriptor and the"},
    {"no_room_for_a_descriptor",
     {},
     [](Built& b) { b.set32(b.central[0] + 20, 9), b.set32(b.central[0] + 24, 9); },
     "15 bytes where its data descriptor"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledZip, testing::ValuesIn(kSpoiled),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Zip, EveryTruncationIsRefused) {
    const auto whole = good_zip().build().bytes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto entries =
            entries_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(entries.ok()) << size;
        EXPECT_EQ(entries.error().kind, ErrorKind::malformed) << size;
    }
}

TEST(Zip, ADirectoryOverTheLimitIsRefused) {
    EXPECT_THAT(entries_of(good_zip().build().bytes, {.metadata_bytes = 100}).error().message,
                HasSubstr("over the limit"));
}

// The contents of the second, deflated entry of a good archive after its bytes were changed.
Result<Bytes> contents_after(const std::function<void(Built&, ZipEntry&)>& change, std::uint64_t cap = 0) {
    auto built = good_zip().build();
    auto entry = entries_of(built.bytes).value()[1];
    change(built, entry);
    const MemorySource source("m.zip", built.bytes);
    return zip_contents(source, entry, cap);
}

TEST(ZipContents, OfAnotherSizeThanDeclaredAreRefused) {
    for (const std::uint64_t size : {999u, 1001u, 0u}) {
        const auto contents = contents_after([&](Built&, ZipEntry& entry) { entry.size = size; });
        ASSERT_FALSE(contents.ok()) << size;
        EXPECT_THAT(contents.error().message, HasSubstr("entry 'a/two' does not unpack to"));
    }
}

TEST(ZipContents, ABombIsRefusedBeforeItGetsMemory) {
    const auto contents = contents_after([](Built&, ZipEntry& entry) { entry.size = 1ull << 40; });
    EXPECT_THAT(contents.error().message, HasSubstr("cannot unpack to 1099511627776 bytes"));
    EXPECT_THAT(contents_after([](Built&, ZipEntry&) {}, 999).error().message,
                HasSubstr("over the limit of 999"));
}

TEST(ZipContents, BrokenDeflateDataAreRefused) {
    EXPECT_FALSE(contents_after([](Built& built, ZipEntry& entry) { built.set32(entry.data, ~0u); }).ok());
    EXPECT_FALSE(contents_after([](Built&, ZipEntry& entry) { entry.packed -= 1; }).ok());
    EXPECT_FALSE(contents_after([](Built&, ZipEntry& entry) { entry.packed += 1; }).ok());
}

TEST(ZipContents, EncryptedAndUnknownPackingsAreUnsupported) {
    for (const auto flag : std::array<std::uint16_t, 3>{0x0001, 0x0040, 0x2000}) {
        const auto contents = contents_after([&](Built&, ZipEntry& entry) { entry.flags = flag; });
        EXPECT_EQ(contents.error().kind, ErrorKind::unsupported) << flag;
    }
    EXPECT_THAT(contents_after([](Built&, ZipEntry& entry) { entry.method = 12; }).error().message,
                HasSubstr("packed by method 12"));
}

// What this walker lets pass lies in the contents, which it reads on demand only.
TEST(ZipFilesOfYauzl, AreRefusedForTheirStructureOrTheirContents) {
    MODELSEAL_NEED_DATA();
    int files = 0;
    for (const auto& path : test::files_under(test::data_folder() / "hostile/zip-yauzl")) {
        const auto bytes = test::load(path);
        const MemorySource source("m.zip", bytes);
        const auto entries = read_zip(source, {});
        bool refused = !entries.ok();
        if (entries.ok()) {
            for (const auto& entry : *entries) refused |= !zip_contents(source, entry, 1u << 20).ok();
        }
        EXPECT_TRUE(refused) << path;
        ++files;
    }
    EXPECT_EQ(files, 24);
}

}  // namespace
}  // namespace modelseal::formats
