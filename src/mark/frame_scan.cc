#include "mark/frame_scan.h"

#include <algorithm>

#include <libdeflate.h>

#include "formats/bytes.h"
#include "formats/reader.h"
#include "io/threads.h"
#include "model/frame.h"

namespace modelseal::mark {
namespace {

using formats::ByteReader;

constexpr std::uint64_t kPieceBytes = 256u << 10;

// CRC-32 (IEEE 802.3) of `bytes` bytes from `offset`.
Result<std::uint32_t> crc32_of(const Source& source, std::uint64_t offset, std::uint64_t bytes) {
    std::vector<std::byte> buffer(std::min(kPieceBytes, bytes));
    std::uint32_t crc = 0;
    for (std::uint64_t done = 0; done < bytes;) {
        const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), bytes - done));
        MODELSEAL_TRY(source.read(offset + done, piece));
        crc = libdeflate_crc32(crc, piece.data(), piece.size());
        done += piece.size();
    }
    return crc;
}

struct CheckedSum {
    std::size_t file;
    std::size_t index;
    bool right = false;
    std::vector<std::uint32_t> fields;  // as they stand
};

Result<void> examine(const model::ModelFile& file, CheckedSum& sum) {
    const auto& checksum = file.checksums[sum.index];
    MODELSEAL_TRY_ASSIGN(const auto actual, crc32_of(*file.source, checksum.offset, checksum.bytes));
    for (const auto field : checksum.fields) {
        std::byte raw[4];
        MODELSEAL_TRY(file.source->read(field, raw));
        sum.fields.push_back(ByteReader(raw).number<std::uint32_t>());
    }
    sum.right = std::ranges::all_of(sum.fields, [&](std::uint32_t field) { return field == actual; });
    return {};
}

// Zeroes what of `piece`, which lies at `offset`, is a checksum field. `fields` ascend.
void blank(std::span<std::byte> piece, std::uint64_t offset, std::span<const std::uint64_t> fields) {
    const auto end = offset + piece.size();
    auto field = std::ranges::lower_bound(fields, offset < 3 ? 0 : offset - 3);
    for (; field != fields.end() && *field < end; ++field) {
        for (auto at = std::max(*field, offset); at < std::min(*field + 4, end); ++at)
            piece[at - offset] = std::byte{0};
    }
}

Result<crypto::Digest> digest_of_bytes(const model::Model& model, const model::FrameMap& map,
                                       std::uint32_t index, Progress& progress) {
    const auto& file = model.files[index];
    std::vector<std::uint64_t> fields;
    for (const auto& checksum : file.checksums)
        fields.insert(fields.end(), checksum.fields.begin(), checksum.fields.end());
    std::ranges::sort(fields);
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 frame of a file").update_text(file.path).update_number(file.source->size());
    formats::Reader reader(*file.source);
    std::vector<std::byte> buffer;
    const auto digest_range = [&](const model::Range& range) -> Result<void> {
        hash.update_number(range.offset).update_number(range.bytes);
        MODELSEAL_TRY(reader.seek(range.offset));
        for (std::uint64_t done = 0; done < range.bytes; done += buffer.size()) {
            buffer.resize(std::min(kPieceBytes, range.bytes - done));
            MODELSEAL_TRY(reader.bytes(buffer));
            blank(buffer, range.offset + done, fields);
            hash.update(buffer);
            progress.advance(buffer.size());
        }
        return {};
    };
    MODELSEAL_TRY(map.for_each_range(index, digest_range));
    return hash.finish();
}

enum class Sums { as_they_are, as_if_right };

// Where the checksums stand is hashed, for their bytes are not. `sums`: those of `file`.
crypto::Digest with_sums(const model::ModelFile& file, const crypto::Digest& bytes,
                         std::span<const CheckedSum> sums, Sums how) {
    const bool as_if_right = how == Sums::as_if_right;
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 checksums of a file").update(bytes);
    for (const auto& sum : sums) {
        const auto& places = file.checksums[sum.index].fields;
        hash.update_number(places.size());
        for (const auto place : places) hash.update_number(place);
        hash.update_number(sum.right || as_if_right ? 1 : 0);
        if (sum.right || as_if_right) continue;
        for (const auto field : sum.fields) hash.update_number(field);
    }
    return hash.finish();
}

crypto::Digest joined(const std::vector<crypto::Digest>& files) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 frame").update_number(files.size());
    for (const auto& file : files) hash.update(file);
    return hash.finish();
}

}  // namespace

Result<FrameScan> scan_frame(const model::Model& model, unsigned jobs, Progress& progress) {
    std::vector<CheckedSum> sums;
    for (std::size_t file = 0; file < model.files.size(); ++file) {
        for (std::size_t i = 0; i < model.files[file].checksums.size(); ++i)
            sums.push_back({file, i, false, {}});
    }
    MODELSEAL_TRY(io::parallel_for(sums.size(), jobs, [&](std::size_t i, unsigned) {
        return examine(model.files[sums[i].file], sums[i]);
    }));
    const model::FrameMap map(model);
    std::vector<crypto::Digest> bytes(model.files.size());
    MODELSEAL_TRY(io::parallel_for(model.files.size(), jobs, [&](std::size_t file, unsigned) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(bytes[file],
                             digest_of_bytes(model, map, static_cast<std::uint32_t>(file), progress));
        return {};
    }));
    FrameScan frame;
    for (const auto& sum : sums) frame.checksums.push_back({sum.file, sum.index, sum.right});
    std::span<const CheckedSum> left(sums);
    for (std::size_t i = 0; i < model.files.size(); ++i) {
        const auto& file = model.files[i];
        const auto of_file = left.first(file.checksums.size());
        left = left.subspan(of_file.size());
        frame.files.push_back(with_sums(file, bytes[i], of_file, Sums::as_they_are));
        frame.files_if_right.push_back(with_sums(file, bytes[i], of_file, Sums::as_if_right));
    }
    frame.digest = joined(frame.files);
    frame.digest_if_right = joined(frame.files_if_right);
    return frame;
}

Result<void> renew_checksums(const model::Model& model, const FrameScan& frame, unsigned jobs,
                             model::ModelOutput& output) {
    const auto renew = [&](std::size_t i, unsigned) -> Result<void> {
        const auto& state = frame.checksums[i];
        if (!state.right) return {};
        const auto& checksum = model.files[state.file].checksums[state.index];
        MODELSEAL_TRY_ASSIGN(const auto crc,
                             crc32_of(output.file(state.file), checksum.offset, checksum.bytes));
        const auto bytes = formats::ByteWriter().number(crc).take();
        for (const auto field : checksum.fields) MODELSEAL_TRY(output.write(state.file, field, bytes));
        return {};
    };
    return io::parallel_for(frame.checksums.size(), jobs, renew);
}

}  // namespace modelseal::mark
