#include "jobs/frame_difference.h"

#include <algorithm>
#include <vector>

#include "model/frame.h"

namespace modelseal {
namespace {

constexpr std::uint64_t kFrameBlock = 1u << 20;
constexpr std::uint64_t kFieldBytes = 4;  // a CRC-32

// The bytes of a file that follow from its tensors although they count as frame.
std::vector<Range> derived_ranges(const Model& model, std::uint32_t file) {
    std::vector<Range> derived;
    for (const auto& checksum : model.files[file].checksums) {
        for (const auto field : checksum.fields) derived.push_back({field, kFieldBytes});
    }
    std::ranges::sort(derived, {}, &Range::offset);
    return derived;
}

// `ranges` without `holes`; both ascending.
std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Range>& holes) {
    std::vector<Range> left;
    auto hole = holes.begin();
    for (const auto& range : ranges) {
        auto begin = range.offset;
        const auto end = range.offset + range.bytes;
        while (hole != holes.end() && hole->offset + hole->bytes <= begin) ++hole;
        for (auto next = hole; next != holes.end() && next->offset < end; ++next) {
            if (next->offset > begin) left.push_back({begin, next->offset - begin});
            begin = std::max(begin, std::min(end, next->offset + next->bytes));
        }
        if (begin < end) left.push_back({begin, end - begin});
    }
    return left;
}

Result<bool> same_bytes(const Source& a, const Source& b, const Range& range) {
    std::vector<std::byte> left(std::min(range.bytes, kFrameBlock)), right(left.size());
    for (std::uint64_t done = 0; done < range.bytes;) {
        const auto now = std::min(range.bytes - done, kFrameBlock);
        const auto part_a = std::span(left).first(now), part_b = std::span(right).first(now);
        MODELSEAL_TRY(a.read(range.offset + done, part_a));
        MODELSEAL_TRY(b.read(range.offset + done, part_b));
        if (!std::ranges::equal(part_a, part_b)) return false;
        done += now;
    }
    return true;
}

Result<bool> same_frame(const Model& a, const Model& b, std::uint32_t file) {
    const auto ranges = without(frame_ranges(a, file), derived_ranges(a, file));
    if (ranges != without(frame_ranges(b, file), derived_ranges(b, file))) return false;
    for (const auto& range : ranges) {
        MODELSEAL_TRY_ASSIGN(const bool same, same_bytes(*a.files[file].source, *b.files[file].source, range));
        if (!same) return false;
    }
    return true;
}

}  // namespace

Result<Comparison::Frame> compare_frames(const Model& a, const Model& b) {
    if (a.format != b.format || !std::ranges::equal(a.files, b.files, {}, &ModelFile::path, &ModelFile::path)) {
        return Comparison::Frame::not_compared;
    }
    for (std::uint32_t file = 0; file < a.files.size(); ++file) {
        MODELSEAL_TRY_ASSIGN(const bool same, same_frame(a, b, file));
        if (!same) return Comparison::Frame::differs;
    }
    return Comparison::Frame::same;
}

}  // namespace modelseal
