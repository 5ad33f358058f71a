#include "model/frame.h"

#include <algorithm>
#include <tuple>

namespace modelseal::model {

namespace {

// Holds the last range back until it is known where it ends.
class Joiner {
  public:
    explicit Joiner(const FrameMap::Visitor& visit) : visit_(visit) {}
    Result<void> add(std::uint64_t offset, std::uint64_t bytes) {
        if (bytes == 0) return {};
        if (held_.bytes != 0 && held_.offset + held_.bytes == offset) {
            held_.bytes += bytes;
            return {};
        }
        MODELSEAL_TRY(flush());
        held_ = {offset, bytes};
        return {};
    }
    Result<void> flush() {
        if (held_.bytes == 0) return {};
        const auto range = held_;
        held_ = {};
        return visit_(range);
    }

  private:
    const FrameMap::Visitor& visit_;
    Range held_;
};

// The parts of the segment's own extent that are frame.
Result<void> add_inside(Joiner& joiner, const Segment& segment, DType dtype) {
    if (segment.encoding == Encoding::varint) return {};  // elements without a gap
    const std::uint64_t element = info(dtype).group_bytes;
    if (segment.stride <= element) return {};  // 0 or the element size: contiguous
    for (std::uint64_t i = 1; i < segment.elements; ++i) {
        const auto next = segment.offset + i * segment.stride;
        MODELSEAL_TRY(joiner.add(next - (segment.stride - element), segment.stride - element));
    }
    return {};
}

}  // namespace

FrameMap::FrameMap(const Model& model) : model_(model) {
    for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
        const auto& segments = model.tensors[tensor].segments;
        for (std::size_t segment = 0; segment < segments.size(); ++segment) {
            if (segments[segment].bytes == 0) continue;  // takes no place
            places_.push_back({static_cast<std::uint32_t>(tensor), static_cast<std::uint32_t>(segment)});
        }
    }
    std::ranges::sort(places_, {}, [this](const SegmentPlace& place) {
        const auto& segment = at(place);
        return std::tuple(segment.file, segment.offset, segment.bytes);
    });
}

Result<void> FrameMap::for_each_range(std::uint32_t file, const Visitor& visit) const {
    Joiner joiner(visit);
    std::uint64_t position = 0;
    auto place = std::ranges::lower_bound(places_, file, {}, [this](const auto& p) { return at(p).file; });
    for (; place != places_.end() && at(*place).file == file; ++place) {
        const auto& segment = at(*place);
        MODELSEAL_TRY(joiner.add(position, segment.offset - position));
        MODELSEAL_TRY(add_inside(joiner, segment, model_.tensors[place->tensor].dtype));
        position = segment.offset + segment.bytes;
    }
    MODELSEAL_TRY(joiner.add(position, model_.files[file].source->size() - position));
    return joiner.flush();
}

Result<void> for_each_frame_range(const Model& model, std::uint32_t file, const FrameMap::Visitor& visit) {
    return FrameMap(model).for_each_range(file, visit);
}

}  // namespace modelseal::model
