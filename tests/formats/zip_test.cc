#include "formats/zip.h"

#include <array>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/models/zip_builder.h"

namespace modelseal::formats {
namespace {

using test::Bytes;
using test::bytes_of;
using test::good_zip;
using test::put;
using test::ZipFile;
using testing::HasSubstr;

Result<std::vector<ZipEntry>> entries_of(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.zip", bytes);
    return read_zip(source, limits);
}

TEST(Zip, EntriesAreFoundAtTheirOffsets) {
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

TEST(Zip, ContentsRoundTrip) {
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
                HasSubstr("exceeds the limit"));
}

// The contents of the second, deflated entry of a good archive after its bytes were changed.
Result<Bytes> contents_after(const std::function<void(ZipFile::Built&, ZipEntry&)>& change,
                             std::uint64_t cap = 0) {
    auto built = good_zip().build();
    auto entry = entries_of(built.bytes).value()[1];
    change(built, entry);
    const MemorySource source("m.zip", built.bytes);
    return zip_contents(source, entry, cap);
}

TEST(ZipContents, OfAnotherSizeThanDeclaredAreRefused) {
    for (const std::uint64_t size : {999u, 1001u, 0u}) {
        const auto contents = contents_after([&](ZipFile::Built&, ZipEntry& entry) { entry.size = size; });
        ASSERT_FALSE(contents.ok()) << size;
        EXPECT_THAT(contents.error().message, HasSubstr("entry 'a/two' does not decompress to"));
    }
}

TEST(ZipContents, ABombIsRefusedBeforeItGetsMemory) {
    const auto contents = contents_after([](ZipFile::Built&, ZipEntry& entry) { entry.size = 1ull << 40; });
    EXPECT_THAT(contents.error().message, HasSubstr("cannot decompress to 1,099,511,627,776 bytes"));
    EXPECT_THAT(contents_after([](ZipFile::Built&, ZipEntry&) {}, 999).error().message,
                HasSubstr("exceeds the limit of 999"));
}

TEST(ZipContents, BrokenDeflateDataAreRefused) {
    EXPECT_FALSE(
        contents_after([](ZipFile::Built& built, ZipEntry& entry) { built.set32(entry.data, ~0u); }).ok());
    EXPECT_FALSE(contents_after([](ZipFile::Built&, ZipEntry& entry) { entry.packed -= 1; }).ok());
    EXPECT_FALSE(contents_after([](ZipFile::Built&, ZipEntry& entry) { entry.packed += 1; }).ok());
}

TEST(ZipContents, EncryptedAndUnknownPackingsAreUnsupported) {
    for (const auto flag : std::array<std::uint16_t, 3>{0x0001, 0x0040, 0x2000}) {
        const auto contents = contents_after([&](ZipFile::Built&, ZipEntry& entry) { entry.flags = flag; });
        EXPECT_EQ(contents.error().kind, ErrorKind::unsupported) << flag;
    }
    EXPECT_THAT(contents_after([](ZipFile::Built&, ZipEntry& entry) { entry.method = 12; }).error().message,
                HasSubstr("is compressed by method 12"));
}

// Errors that this walker accepts are in the contents, which it reads on demand only.
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
