// Several zip archives one after another, as torch.distributed.checkpoint writes a file with several tensors.
#include <array>
#include <optional>

#include "formats/reader.h"
#include "formats/zip.h"

namespace modelseal::formats {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kWideEndSignature = 0x06064b50;
constexpr std::uint64_t kEndRecord = 22;                  // without a comment, which PyTorch does not write
constexpr std::uint64_t kWideEndRecord = 56, kLink = 20;  // of zip64, before the end record

// Where a directory is, as its archive counts offsets.
struct Directory {
    std::uint64_t bytes = 0, offset = 0;
    std::uint64_t end = 0;  // in the file
};

std::optional<Directory> wide_directory(const Source& source, std::uint64_t at) {
    if (at < kLink + kWideEndRecord) return std::nullopt;
    const auto begin = at - kLink - kWideEndRecord;
    Reader reader(source, begin, at);
    const auto signature = reader.u32();
    if (!signature || *signature != kWideEndSignature || !reader.skip(36, "counts").ok()) return std::nullopt;
    const auto bytes = reader.u64();
    const auto offset = reader.u64();
    if (!bytes || !offset) return std::nullopt;
    return Directory{*bytes, *offset, begin};
}

std::optional<Directory> last_directory(const Source& source) {
    if (source.size() < kEndRecord) return std::nullopt;
    const auto at = source.size() - kEndRecord;
    if (const auto wide = wide_directory(source, at)) return wide;
    Reader reader(source, at, source.size());
    const auto signature = reader.u32();
    if (!signature || *signature != kEndSignature || !reader.skip(8, "counts").ok()) return std::nullopt;
    const auto bytes = reader.u32();
    const auto offset = reader.u32();
    if (!bytes || !offset) return std::nullopt;
    return Directory{*bytes, *offset, at};
}

}  // namespace

bool is_zip_sequence(const Source& source) {
    if (!looks_like_zip(source)) return false;
    const auto last = last_directory(source);
    if (!last || last->bytes > last->end || last->offset >= last->end - last->bytes) return false;
    const auto begin = last->end - last->bytes - last->offset;
    std::array<std::byte, 4> head;
    constexpr std::array signature = {std::byte{'P'}, std::byte{'K'}, std::byte{3}, std::byte{4}};
    return source.read(begin, head).ok() && head == signature;
}

}  // namespace modelseal::formats
