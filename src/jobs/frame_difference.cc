#include "jobs/frame_difference.h"

#include <algorithm>
#include <map>
#include <optional>
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

// One side: its files, and where the frame of each lies.
struct Frames {
    explicit Frames(const Model& of) : model(of), map(of) {}

    Result<std::vector<Range>> own_ranges(std::uint32_t file) const {
        std::vector<Range> ranges;
        const auto add = [&](const Range& range) -> Result<void> {
            ranges.push_back(range);
            return {};
        };
        MODELSEAL_TRY(map.for_each_range(file, add));
        return without(ranges, derived_ranges(model, file));
    }
    const Source& source(std::uint32_t file) const { return *model.files[file].source; }

    const Model& model;
    const FrameMap map;
};

Result<bool> same_frame(const Frames& a, std::uint32_t file_a, const Frames& b, std::uint32_t file_b) {
    MODELSEAL_TRY_ASSIGN(const auto ranges, a.own_ranges(file_a));
    MODELSEAL_TRY_ASSIGN(const auto others, b.own_ranges(file_b));
    if (ranges != others) return false;
    for (const auto& range : ranges) {
        MODELSEAL_TRY_ASSIGN(const bool same, same_bytes(a.source(file_a), b.source(file_b), range));
        if (!same) return false;
    }
    return true;
}

// A file on one side, or the same on both.
struct FilePair {
    std::optional<std::uint32_t> a, b;
};

std::map<std::string, FilePair> pair_files(const Model& a, const Model& b) {
    std::map<std::string, FilePair> pairs;
    for (std::uint32_t file = 0; file < a.files.size(); ++file) pairs[a.files[file].path].a = file;
    for (std::uint32_t file = 0; file < b.files.size(); ++file) pairs[b.files[file].path].b = file;
    return pairs;
}

}  // namespace

Result<void> compare_frames(const Model& a, const Model& b, Comparison& out) {
    const bool same_files = std::ranges::equal(a.files, b.files, {}, &ModelFile::path, &ModelFile::path);
    const bool both_folders = a.folder && b.folder;
    if (a.format != b.format || (!same_files && !both_folders)) {
        out.frame = Comparison::Frame::not_compared;
        return {};
    }
    using Outcome = Comparison::File::Outcome;
    const Frames frames_a(a), frames_b(b);
    for (const auto& [path, pair] : pair_files(a, b)) {
        if (!pair.a || !pair.b) {
            out.files.push_back({path, pair.a ? Outcome::only_in_a : Outcome::only_in_b});
            continue;
        }
        MODELSEAL_TRY_ASSIGN(const bool same, same_frame(frames_a, *pair.a, frames_b, *pair.b));
        if (!same) out.files.push_back({path, Outcome::changed});
    }
    out.frame = out.files.empty() ? Comparison::Frame::same : Comparison::Frame::differs;
    return {};
}

}  // namespace modelseal
